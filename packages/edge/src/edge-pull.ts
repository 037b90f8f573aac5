/** Gets one stream from the origins for as long as it has viewers here. */
import {
  BackOff,
  type CloseReason,
  describeCloseReason,
  FailureNotes,
  isRefusal,
  type UpstreamPlay,
  type UpstreamStream,
} from '@srs/client';
import { formatAddress, type ServerAddress } from '@srs/config';
import { type Clock, describeError, type FrameType, type Log } from '@srs/kernel';
import type { HeaderIdentity } from '@srs/rtmp';
import type { OriginPool } from './origin-pool.ts';
import type { Move, OpenUpstream, UpstreamProtocol } from './upstream.ts';

/** Takes what is pulled: one publish on this server. */
export interface PullSink {
  /** @throws SrsError for headers or metadata that cannot be read */
  write(type: FrameType, timestampMs: number, payload: Buffer): void;
  flush(): void;
  end(): void;
}

/** What comes of a stream when it begins here. */
export type PullStart = { readonly sink: PullSink } | { readonly refusal: string };

export interface EdgePullOptions {
  /** As messages name it. */
  readonly stream: Pick<UpstreamStream, 'app' | 'name'>;
  readonly upstream: OpenUpstream;
  /**
   * Asked for at each try, so that a reload counts for the next one; none when the stream is nowhere. What it throws is noted, and it
   * is asked again a second later.
   *
   * @param signal the answer is not waited for any more
   */
  readonly origins: (signal: AbortSignal) => Promise<readonly ServerAddress[]>;
  readonly pool: OriginPool;
  /** The origin is told who asks. */
  readonly showsIdentity: boolean;
  /** Media has come: the stream begins here, or why it cannot. @param ip of the origin */
  readonly open: (ip: string) => PullStart;
  readonly clock: Clock;
  /** Its lines carry the pull's trackable id. */
  readonly log: Log;
  /** 0..1, as Math.random. */
  readonly random: () => number;
}

/** `connected`: to an origin that has sent nothing yet. */
export type EdgePullState = 'connecting' | 'connected' | 'pulling' | 'waiting' | 'closed';

export interface EdgePullView {
  readonly origin: string;
  /** Spoken with the origin; null before it has answered. */
  readonly protocol: UpstreamProtocol | null;
  readonly state: EdgePullState;
  /** For so long it has been in that state. */
  readonly stateSeconds: number;
  /** How often media has begun to come. */
  readonly starts: number;
  readonly lastError: string;
  /** What the origin has said of itself; null for one that says nothing, and before it has. */
  readonly peer: HeaderIdentity | null;
}

/** They never fall. */
export interface EdgePullCounts {
  /** How often media has begun to come. */
  readonly starts: number;
  /** Of connections on which the stream was played. */
  readonly recvBytes: number;
}

const CONNECT_TIMEOUT_MS = 2_000;
const START_TIMEOUT_MS = 5_000;
/** An origin that has been silent for so long is left for the next one: with the time that takes, viewers wait 3 s at most. */
const SILENCE_MS = 2_000;
/** One that has given nothing for so long is passed over when a pull is closed: who waited for the stream had no more patience. */
const BARREN_MS = SILENCE_MS / 2;
const LOOK_MS = 100;
/** For the answer to where the stream may be. */
const ORIGINS_TIMEOUT_MS = 5_000;
/** Between the beginnings of rounds in which all are tried in vain. A quarter less at random. */
const ROUND_MS = 1_000;
/** When the stream cannot begin here, twice as long each time. */
const FIRST_PAUSE_HERE_MS = 1_000;
const MAX_PAUSE_HERE_MS = 10_000;
/** A stream that came for less was none: an origin that breaks off again and again is no reason to hurry. */
const STABLE_MS = 500;

/** `in-vain`: nothing came, or hardly anything. `no-place`: it cannot begin here. */
type PullOutcome = 'brought' | 'in-vain' | 'no-place';

/** Whatever the origin does, this server has no place for the stream. */
class NoPlaceHere extends Error {}

export class EdgePull {
  readonly #options: EdgePullOptions;
  readonly #notes: FailureNotes;
  readonly #stopping = new AbortController();
  readonly #pausesHere: BackOff;
  readonly #done: Promise<void>;
  #state: EdgePullState = 'connecting';
  #stateMs: number;
  #protocol: UpstreamProtocol | null = null;
  #origin: ServerAddress | undefined;
  /** The configured one whose turn it is, whoever it sends us to, and since when it has given nothing. */
  #turn: { readonly origin: ServerAddress; heardMs: number } | undefined;
  #starts = 0;
  #lastError = '';
  /** Origins in a row that brought nothing. */
  #inVain = 0;
  /** When the first of them was asked. */
  #roundMs = 0;
  #play: UpstreamPlay | undefined;
  /** Of connections that have ended. */
  #earlierBytes = 0;
  #peer: EdgePullView['peer'] = null;
  #sink: PullSink | undefined;
  #startedMs = 0;

  /** Connects at once. */
  constructor(options: EdgePullOptions) {
    this.#options = options;
    this.#stateMs = options.clock.nowMs();
    this.#notes = new FailureNotes(options.clock);
    this.#pausesHere = new BackOff({ firstMs: FIRST_PAUSE_HERE_MS, maxMs: MAX_PAUSE_HERE_MS, random: options.random });
    this.#done = this.#run();
  }

  get view(): EdgePullView {
    return {
      origin: this.#origin === undefined ? '' : formatAddress(this.#origin),
      protocol: this.#protocol,
      state: this.#state,
      stateSeconds: Math.floor((this.#options.clock.nowMs() - this.#stateMs) / 1000),
      starts: this.#starts,
      lastError: this.#lastError,
      peer: this.#peer,
    };
  }

  get counts(): EdgePullCounts {
    return { starts: this.#starts, recvBytes: this.#earlierBytes + (this.#play?.bytesReceived ?? 0) };
  }

  /** Ends the publish here at once; resolves when the connection is closed too. */
  async close(): Promise<void> {
    const { clock, pool } = this.#options;
    const turn = this.#turn;
    if (turn !== undefined && clock.nowMs() - turn.heardMs >= BARREN_MS) pool.passOver(this.#name, turn.origin);
    this.#enter('closed');
    this.#stopping.abort();
    this.#endSink();
    await this.#play?.close();
    await this.#done;
  }

  /** As the pool knows the stream. */
  get #name(): string {
    const { app, name } = this.#options.stream;
    return `${app}/${name}`;
  }

  #enter(state: EdgePullState): void {
    if (state !== this.#state) this.#stateMs = this.#options.clock.nowMs();
    this.#state = state;
  }

  get #isClosed(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      const pauseMs = await this.#try();
      if (this.#isClosed) return;
      this.#enter('waiting');
      if (pauseMs > 0) await this.#pause(pauseMs);
    }
  }

  /** One origin's turn. @returns how long to wait before the next one's */
  async #try(): Promise<number> {
    const { clock, pool, random } = this.#options;
    if (this.#inVain === 0) this.#roundMs = clock.nowMs();
    const origins = await this.#findOrigins();
    if (this.#isClosed) return 0;
    if (origins.length > 0) {
      const origin = pool.next(this.#name, origins);
      this.#turn = { origin, heardMs: clock.nowMs() };
      const outcome = await this.#pullFrom(origin);
      if (this.#isClosed) return 0;
      this.#turn = undefined;
      if (outcome === 'no-place') return this.#pausesHere.next();
      pool.passOver(this.#name, origin);
      this.#inVain = outcome === 'brought' ? 0 : this.#inVain + 1;
      if (this.#inVain < origins.length) return 0;
    }
    this.#inVain = 0;
    return this.#roundMs + ROUND_MS * (1 - random() / 4) - clock.nowMs();
  }

  /** None when nobody tells in time. */
  async #findOrigins(): Promise<readonly ServerAddress[]> {
    const { signal } = this.#stopping;
    const asking = new AbortController();
    // Who is asked may not heed the signal.
    const unanswered = Promise.withResolvers<never>();
    const giveUp = (): void => {
      asking.abort();
      unanswered.reject(new Error(`no answer within ${ORIGINS_TIMEOUT_MS / 1000} s`));
    };
    const timer = setTimeout(giveUp, ORIGINS_TIMEOUT_MS);
    signal.addEventListener('abort', giveUp);
    try {
      return await Promise.race([this.#options.origins(asking.signal), unanswered.promise]);
    } catch (error) {
      this.#note(`cannot tell where it is: ${describeError(error)}`);
      return [];
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
    }
  }

  async #pullFrom(origin: ServerAddress, upstream = this.#options.upstream): Promise<PullOutcome> {
    const { clock } = this.#options;
    const { signal } = this.#stopping;
    this.#origin = origin;
    this.#enter('connecting');
    this.#peer = null;
    this.#protocol = null;
    const startsBefore = this.#starts;
    let reason: CloseReason | 'silent';
    let move: Move | undefined;
    try {
      const opened = await upstream(origin, {
        connectTimeoutMs: CONNECT_TIMEOUT_MS,
        startTimeoutMs: START_TIMEOUT_MS,
        signal,
        onAnswered: (peer) => this.#onAnswered(origin, peer),
        onFrame: (type, timestampMs, payload) => this.#onFrame(origin, type, timestampMs, payload),
      });
      this.#protocol = opened.protocol;
      reason = await this.#watch(opened.play);
      move = reason === 'silent' || this.#isClosed ? undefined : opened.movedTo(reason);
    } catch (thrown) {
      reason = { kind: 'failed', error: thrown instanceof Error ? thrown : new Error(describeError(thrown)) };
    }
    // Media may have come before an answer that failed.
    this.#endSink();
    const hasStarted = this.#starts > startsBefore;
    // An origin that ends sends its clients to another one; only one that gave something is followed at once.
    if (move !== undefined && hasStarted) {
      this.#note(`sends its clients to ${formatAddress(move.server)}`, origin);
      return await this.#pullFrom(move.server, move.open);
    }
    this.#noteEnd(origin, reason, hasStarted);
    if (reason !== 'silent' && reason.kind === 'failed' && reason.error instanceof NoPlaceHere) return 'no-place';
    return hasStarted && clock.nowMs() - this.#startedMs >= STABLE_MS ? 'brought' : 'in-vain';
  }

  /** @returns why it ended */
  async #watch(play: UpstreamPlay): Promise<CloseReason | 'silent'> {
    if (this.#isClosed) return await play.close();
    const { clock } = this.#options;
    this.#play = play;
    if (this.#sink === undefined) this.#enter('connected');
    let heardMs = clock.nowMs();
    // Bytes count, not frames: over a bad line a key frame may take longer than the patience with an origin.
    let heardBytes = 0;
    let isSilent = false;
    const watch = setInterval(() => {
      const { bytesReceived } = play;
      if (bytesReceived !== heardBytes) {
        [heardBytes, heardMs] = [bytesReceived, clock.nowMs()];
        if (this.#turn !== undefined) this.#turn.heardMs = heardMs;
      }
      if (clock.nowMs() - heardMs < SILENCE_MS) return;
      isSilent = true;
      clearInterval(watch);
      // Its farewell may never come.
      play.abandon();
    }, LOOK_MS);
    const reason = await play.closed;
    clearInterval(watch);
    this.#play = undefined;
    this.#earlierBytes += play.bytesReceived;
    return isSilent ? 'silent' : reason;
  }

  #noteEnd(origin: ServerAddress, reason: CloseReason | 'silent', hasStarted: boolean): void {
    if (this.#isClosed) return;
    if (reason === 'silent') {
      this.#note(hasStarted ? `silent for ${SILENCE_MS / 1000} s` : 'nobody publishes the stream there', origin);
      return;
    }
    if (reason.kind === 'failed' && reason.error instanceof NoPlaceHere) {
      this.#note(reason.error.message);
      return;
    }
    if (reason.kind === 'failed' && !isRefusal(reason.error)) this.#options.pool.failed(origin);
    this.#note(describeCloseReason(reason), origin);
  }

  /** Hot path. */
  #onFrame(origin: ServerAddress, type: FrameType, timestampMs: number, payload: Buffer): void {
    if (this.#isClosed) return;
    if (this.#sink === undefined) {
      const start = this.#options.open(origin.host);
      if ('refusal' in start) throw new NoPlaceHere(`it cannot begin here: ${start.refusal}`);
      this.#sink = start.sink;
      this.#pausesHere.reset();
      this.#starts += 1;
      this.#startedMs = this.#options.clock.nowMs();
      this.#enter('pulling');
    }
    this.#sink.write(type, timestampMs, payload);
    this.#sink.flush();
  }

  #endSink(): void {
    this.#sink?.end();
    this.#sink = undefined;
  }

  /** So that a viewer's trouble can be followed from server to server. */
  #onAnswered(origin: ServerAddress, peer: HeaderIdentity | undefined): void {
    const { log, pool, showsIdentity } = this.#options;
    pool.worked(origin);
    this.#peer = peer === undefined ? null : { version: peer.version, serverIp: peer.serverIp, pid: peer.pid, id: peer.id };
    log.trace(
      `edge pull from ${formatAddress(origin)}: connected, version=${peer?.version ?? ''}, ip=${peer?.serverIp ?? ''}, pid=${peer?.pid ?? 0}, id=${peer?.id ?? 0}, dsu=${showsIdentity ? 1 : 0}`,
    );
  }

  #note(reason: string, origin?: ServerAddress): void {
    if (this.#isClosed) return;
    const { log } = this.#options;
    const where = origin === undefined ? '' : formatAddress(origin);
    this.#lastError = where === '' ? reason : `${where}: ${reason}`;
    if (!this.#notes.isNews(this.#lastError)) return;
    log.warn(`edge pull of ${this.#name}${where === '' ? '' : ` from ${where}`}: ${reason}`);
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#stopping;
    return new Promise((resolve) => {
      const timer = setTimeout(end, ms);
      function end(): void {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      }
      signal.addEventListener('abort', end);
    });
  }
}
