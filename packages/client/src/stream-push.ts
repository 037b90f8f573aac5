/** Keeps a stream published on a server, whatever becomes of the connection. */
import type { FrameType } from '@srs/kernel';
import type { ConnectedInfo } from '@srs/rtmp';
import { BackOff } from './back-off.ts';
import { type ConnectionOptions, describeCloseReason } from './client-options.ts';
import { openFollowing, redirectedBy } from './redirects.ts';
import { RtmpPublisher } from './rtmp-publisher.ts';
import { RtmpRefusal } from './rtmp-refusal.ts';
import type { RtmpTarget } from './rtmp-target.ts';

/** `waiting`: for the next try. */
export type StreamPushState = 'connecting' | 'publishing' | 'waiting' | 'closed';

export interface StreamPushHandler {
  /** A server has started the publish: headers and a key frame come first. */
  onReady(target: RtmpTarget, connected: ConnectedInfo | undefined): void;
  /** Everything that was written has been taken, after a time in which it was not. */
  onDrained(): void;
  /** The try has failed or the connection is lost. */
  onLost(target: RtmpTarget, reason: unknown, retryMs: number): void;
}

/** Times between two tries. */
export interface PushRetry {
  readonly firstMs: number;
  /** At most, while no server can be reached. */
  readonly maxMs: number;
  /** At most, while servers refuse the publish or break it off: each try costs them something. */
  readonly unwantedMaxMs: number;
  /** A publish that has lasted so long was a good one: what comes after it starts over. */
  readonly steadyMs: number;
}

export interface StreamPushOptions {
  /** Tried in turn when one cannot be reached or breaks off; one at least. */
  readonly targets: readonly RtmpTarget[];
  readonly handler: StreamPushHandler;
  readonly connection?: ConnectionOptions;
  readonly retry: PushRetry;
  /** 0..1, as Math.random. */
  readonly random: () => number;
}

export class StreamPush {
  readonly #options: StreamPushOptions;
  readonly #away: BackOff;
  readonly #unwanted: BackOff;
  readonly #stopping = new AbortController();
  #publisher: RtmpPublisher | undefined;
  #state: StreamPushState = 'connecting';
  #turn = 0;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #isBehind = false;
  #connects = 0;
  #sentFrames = 0;
  #earlierBytes = 0;

  constructor(options: StreamPushOptions) {
    this.#options = options;
    const { retry, random } = options;
    this.#away = new BackOff({ ...retry, random });
    this.#unwanted = new BackOff({ firstMs: retry.firstMs, maxMs: retry.unwantedMaxMs, random });
  }

  /** Connects for the first time; call it once. */
  start(): void {
    this.#running = this.#connect();
  }

  get state(): StreamPushState {
    return this.#state;
  }

  /** The one that is connected, or tried now or next. */
  get target(): RtmpTarget {
    const { targets } = this.#options;
    return targets[this.#turn % targets.length]!;
  }

  /** How often a server has started the publish. */
  get connects(): number {
    return this.#connects;
  }

  get sentFrames(): number {
    return this.#sentFrames;
  }

  get sentBytes(): number {
    return this.#earlierBytes + (this.#publisher?.client.bytesSent ?? 0);
  }

  /** Nothing should be written: there is no connection, or the server has not taken what was written before. */
  get isFull(): boolean {
    return this.#publisher === undefined || this.#isBehind;
  }

  /**
   * Hot path. Sends one frame, the body of an FLV tag; without a connection nothing.
   *
   * @param payload read before this returns
   */
  write(type: FrameType, timestampMs: number, payload: Uint8Array): void {
    const publisher = this.#publisher;
    if (publisher === undefined) return;
    this.#sentFrames += 1;
    if (publisher.write(type, timestampMs, payload) || this.#isBehind) return;
    this.#isBehind = true;
    void publisher.drained().then(() => {
      if (this.#publisher !== publisher) return;
      this.#isBehind = false;
      this.#options.handler.onDrained();
    });
  }

  /** Ends the publish in good order. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    clearTimeout(this.#timer);
    this.#stopping.abort();
    await this.#publisher?.close();
    await this.#running;
  }

  /** @param target another one than its turn is when a server has sent it there */
  async #connect(target = this.target): Promise<void> {
    const { connection, handler, retry } = this.#options;
    const { signal } = this.#stopping;
    this.#state = 'connecting';
    let publisher: RtmpPublisher;
    try {
      publisher = await openFollowing(target, (next) => RtmpPublisher.open(next, { ...connection, signal }));
    } catch (error) {
      this.#onLost(target, error, error instanceof RtmpRefusal ? this.#unwanted : this.#away);
      return;
    }
    if (signal.aborted) {
      await publisher.close();
      return;
    }
    this.#publisher = publisher;
    this.#isBehind = false;
    this.#connects += 1;
    const framesBefore = this.#sentFrames;
    this.#state = 'publishing';
    this.#away.reset();
    const steady = setTimeout(() => this.#unwanted.reset(), retry.steadyMs);
    handler.onReady(publisher.client.target, publisher.client.connected);
    const reason = await publisher.closed;
    clearTimeout(steady);
    this.#publisher = undefined;
    this.#earlierBytes += publisher.client.bytesSent;
    const hasTaken = this.#sentFrames > framesBefore;
    const next = hasTaken ? redirectedBy(reason, publisher.client.target) : undefined;
    this.#onLost(target, describeCloseReason(reason), this.#unwanted, next);
  }

  /** @param next where the server has sent it: tried at once, and no server loses its turn */
  #onLost(target: RtmpTarget, reason: unknown, backOff: BackOff, next?: RtmpTarget): void {
    if (this.#stopping.signal.aborted) return;
    // One that says no has the last word: the same stream on two servers would be worse.
    if (next === undefined && !(reason instanceof RtmpRefusal)) this.#turn += 1;
    this.#state = 'waiting';
    const retryMs = next === undefined ? backOff.next() : 0;
    this.#timer = setTimeout(() => {
      this.#running = this.#connect(next);
    }, retryMs);
    this.#options.handler.onLost(target, reason, retryMs);
  }
}
