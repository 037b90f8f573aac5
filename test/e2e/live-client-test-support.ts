/** Publishers and players inside the test's own process, hundreds of them if need be. */
import { EventEmitter } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { FrameType } from '@srs/kernel';
import {
  ClientSession,
  type ClientSessionOptions,
  nodeRtmpCrypto,
  type PeerIdentity,
  type ReceivedStatus,
  type Rejection,
} from '@srs/rtmp';
import { within } from '../support/deadline.ts';
import type { ServerPlace } from '../support/server-process.ts';
import { SequenceChecker, type SourceOptions, type StampedFrame, StampedSource } from './stamped-media-test-support.ts';

const WAIT_LIMIT_MS = 15_000;
/** Tries to reach one worker of several; the kernel spreads connections by chance. */
const MAX_TRIES = 100;
/** A connection that waits in the queue of a worker which hangs is given up for another one. */
const GREETING_LIMIT_MS = 1_000;

/** A server to connect to: one under test, or a foreign one. */
export interface RtmpPlace {
  readonly place: Pick<ServerPlace, 'host' | 'rtmpPort'>;
}

export interface ClientOptions {
  /** Added to the tcUrl, such as `?vhost=name`. */
  readonly tcUrlParameters?: string;
  /** Added to the stream name, such as `?token=text`. */
  readonly parameters?: string;
  /** Of the RTMP session itself. */
  readonly rtmp?: Partial<ClientSessionOptions>;
  /** The own address to connect from, such as 127.0.0.2. */
  readonly localAddress?: string;
  /** Connect again until this process of the server serves the client. */
  readonly onWorker?: number;
  /** What the stream was published as, for a player at a server that has it under another name. */
  readonly publishedAs?: string;
}

interface ClientEvents {
  change: [];
}

/** What publishers and players share: a connection, what the server has said on it, and its end. */
class LiveClient {
  readonly socket: Socket;
  readonly session: ClientSession;
  readonly statuses: ReceivedStatus[] = [];
  /** Names of the commands that are no answers, such as onFCUnpublish. */
  readonly commands: string[] = [];
  readonly path: string;
  readonly #changes = new EventEmitter<ClientEvents>();
  #peer: PeerIdentity | undefined;
  #rejection: Rejection | undefined;
  #isReady = false;
  #isClosed = false;
  #isEndReceived = false;
  #fault: Error | undefined;

  protected constructor(server: RtmpPlace, path: string, role: 'play' | 'publish', options: ClientOptions) {
    this.path = path;
    this.#changes.setMaxListeners(0);
    const { host, rtmpPort } = server.place;
    const slash = path.lastIndexOf('/');
    const app = path.slice(0, slash);
    const { localAddress } = options;
    this.socket = connect({ port: rtmpPort, host, noDelay: true, ...(localAddress === undefined ? {} : { localAddress }) });
    this.session = new ClientSession(
      {
        onSend: (bytes) => void this.socket.write(bytes),
        onConnected: ({ peer }) => {
          this.#peer = peer;
          if (options.onWorker !== undefined && peer?.pid !== options.onWorker) this.close();
        },
        onReady: () => {
          this.#isReady = true;
          this.changed();
        },
        onMedia: (type, timestampMs, payload) => this.onMedia(type, timestampMs, payload),
        onStatus: (status) => {
          this.statuses.push(status);
          this.changed();
        },
        onRejected: (rejection) => {
          this.#rejection = rejection;
          this.changed();
        },
        onCommand: (command) => {
          this.commands.push(command.name);
          this.changed();
        },
      },
      {
        crypto: nodeRtmpCrypto,
        unixSeconds: () => Math.floor(Date.now() / 1000),
        role,
        // Quicker than the complex one, and there are hundreds of clients.
        handshake: 'simple',
        app,
        tcUrl: `rtmp://${host}:${rtmpPort}/${app}${options.tcUrlParameters ?? ''}`,
        streamName: path.slice(slash + 1) + (options.parameters ?? ''),
        ...options.rtmp,
      },
    );
    this.socket.on('connect', () => this.session.start());
    this.socket.on('data', (bytes) => this.#receive(bytes));
    this.socket.on('end', () => {
      this.#isEndReceived = true;
      this.changed();
    });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.#isClosed = true;
      this.changed();
    });
  }

  /** The server's process and the number of this connection in its log. */
  get peer(): PeerIdentity {
    if (this.#peer === undefined) throw new Error(`${this.path}: not connected yet`);
    return this.#peer;
  }

  get rejection(): Rejection | undefined {
    return this.#rejection;
  }

  /** The server has not ended the connection. */
  get isOpen(): boolean {
    return !this.#isClosed && !this.#isEndReceived;
  }

  get statusCodes(): string[] {
    return this.statuses.map((status) => status.code);
  }

  /** Waits until `probe` holds; it is asked whenever the server has sent something. */
  async waitFor(what: string, probe: () => boolean, limitMs: number = WAIT_LIMIT_MS): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => {
      if (probe()) resolve();
    };
    this.#changes.on('change', look);
    look();
    try {
      await within(promise, limitMs, () => `${this.path}: no ${what}; ${this.describe()}`);
    } finally {
      this.#changes.off('change', look);
    }
  }

  waitForClose(limitMs?: number): Promise<void> {
    return this.waitFor('end of the connection', () => !this.isOpen, limitMs);
  }

  waitForStatus(code: string, limitMs?: number): Promise<void> {
    return this.waitFor(`status ${code}`, () => this.statusCodes.includes(code), limitMs);
  }

  /** Goes away without a word. */
  close(): void {
    this.socket.destroy();
  }

  /** Says goodbye as a proper client. */
  leave(): void {
    this.session.close();
    this.socket.end();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Resolves when the stream has started, or will not on this connection. */
  async settle(wantedPid: number | undefined): Promise<'here' | 'elsewhere'> {
    const isSettled = () => this.#isReady || this.#rejection !== undefined || !this.isOpen;
    if (wantedPid !== undefined) {
      const isGreeted = () => this.#peer !== undefined || isSettled();
      await this.waitFor('greeting', isGreeted, GREETING_LIMIT_MS).catch(() => this.close());
      if (this.#peer === undefined || this.#peer.pid !== wantedPid) return 'elsewhere';
    }
    await this.waitFor('start of the stream', isSettled);
    return 'here';
  }

  protected get isReady(): boolean {
    return this.#isReady;
  }

  protected changed(): void {
    this.#changes.emit('change');
  }

  protected describe(): string {
    const fault = this.#fault === undefined ? '' : `, ${this.#fault.message}`;
    return `phase ${this.session.phase}, statuses ${this.statusCodes.join(' ')}, ${this.isOpen ? 'open' : 'closed'}${fault}`;
  }

  protected onMedia(_type: FrameType, _timestampMs: number, _payload: Buffer): void {}

  #receive(bytes: Buffer): void {
    try {
      this.session.receive(bytes);
    } catch (thrown) {
      this.#fault ??= thrown instanceof Error ? thrown : new Error(String(thrown));
      this.close();
    }
    this.changed();
  }
}

/** Opens clients until one is where it should be, and waits until its stream has started or been refused. */
async function open<T extends LiveClient>(make: () => T, wantedPid: number | undefined): Promise<T> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const client = make();
    if ((await client.settle(wantedPid)) === 'here') return client;
  }
  throw new Error(`the wanted worker was not reached in ${MAX_TRIES} tries`);
}

export interface PublisherOptions extends ClientOptions, SourceOptions {}

export class LivePublisher extends LiveClient {
  readonly source: StampedSource;
  #timer: NodeJS.Timeout | undefined;
  #startedMs = 0;
  #startedSourceMs = 0;

  private constructor(server: RtmpPlace, path: string, options: PublisherOptions) {
    super(server, path, 'publish', options);
    this.source = new StampedSource(path, options);
  }

  /** Resolves when the server has started or refused the publish (`rejection`); sends nothing yet. */
  static open(server: RtmpPlace, path: string, options: PublisherOptions = {}): Promise<LivePublisher> {
    const full = { ...options, rtmp: { chunkSize: 60_000, ...options.rtmp } };
    return open(() => new LivePublisher(server, path, full), options.onWorker);
  }

  /** Publishes in real time from now on. @throws Error when the server does not let it */
  static async start(server: RtmpPlace, path: string, options: PublisherOptions = {}): Promise<LivePublisher> {
    const publisher = await LivePublisher.open(server, path, options);
    if (!publisher.isReady) {
      throw new Error(`${path} was not published: ${publisher.rejection?.description ?? publisher.describe()}`);
    }
    publisher.sendHeaders();
    publisher.play();
    return publisher;
  }

  sendHeaders(): void {
    for (const frame of this.source.headers()) this.#send(frame);
  }

  /** Sends so much media at once. */
  sendPictures(count: number): void {
    this.socket.cork();
    for (let index = 0; index < count; index++) for (const frame of this.source.nextPicture()) this.#send(frame);
    this.socket.uncork();
  }

  /** Goes on sending by the clock. */
  play(): void {
    this.#startedMs = performance.now();
    this.#startedSourceMs = this.source.durationMs;
    this.#timer ??= setInterval(() => this.#sendDue(), 40);
    this.#sendDue();
  }

  pause(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  override close(): void {
    this.pause();
    super.close();
  }

  override leave(): void {
    this.pause();
    super.leave();
  }

  #sendDue(): void {
    if (this.session.phase !== 'ready' || !this.socket.writable) return;
    const dueMs = performance.now() - this.#startedMs;
    while (this.source.durationMs - this.#startedSourceMs <= dueMs) this.sendPictures(1);
  }

  #send(frame: StampedFrame): void {
    this.session.sendFrame(frame.type, frame.timestampMs, frame.payload);
  }
}

export class LivePlayer extends LiveClient {
  readonly checker: SequenceChecker;

  private constructor(server: RtmpPlace, path: string, options: ClientOptions) {
    super(server, path, 'play', options);
    this.checker = new SequenceChecker(options.publishedAs ?? path);
  }

  /** Resolves when the server has started or refused the play (`rejection`). */
  static open(server: RtmpPlace, path: string, options: ClientOptions = {}): Promise<LivePlayer> {
    return open(() => new LivePlayer(server, path, options), options.onWorker);
  }

  /** @throws Error when the server does not let it */
  static async start(server: RtmpPlace, path: string, options: ClientOptions = {}): Promise<LivePlayer> {
    const player = await LivePlayer.open(server, path, options);
    if (!player.isReady) throw new Error(`${path} is not played: ${player.rejection?.description ?? player.describe()}`);
    return player;
  }

  /** So many at once. */
  static crowd(server: RtmpPlace, path: string, count: number, options: ClientOptions = {}): Promise<LivePlayer[]> {
    return Promise.all(Array.from({ length: count }, () => LivePlayer.start(server, path, options)));
  }

  /** Waits for so many more frames from now. */
  waitForFrames(count: number, limitMs?: number): Promise<void> {
    const wanted = this.checker.frames + count;
    return this.waitFor(`frame number ${wanted} (${this.checker.frames} came)`, () => this.checker.frames >= wanted, limitMs);
  }

  /** Waits for the first frame of that publish. */
  waitForSession(session: number, limitMs?: number): Promise<void> {
    return this.waitFor(`media of session ${session}`, () => this.checker.sessions.includes(session), limitMs);
  }

  protected override describe(): string {
    const { frames, nextSequence, complaint } = this.checker;
    return `${super.describe()}, ${frames} frames, next ${nextSequence}${complaint === '' ? '' : `, ${complaint}`}`;
  }

  protected override onMedia(type: FrameType, timestampMs: number, payload: Buffer): void {
    this.checker.accept(type, timestampMs, payload);
  }
}
