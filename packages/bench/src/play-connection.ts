/** One player of a load test: a socket, a session until the stream plays, and then as little as possible. */
import { connect, type Socket } from 'node:net';
import { describeTarget, type RtmpTarget } from '@srs/client';
import { describeError, type FrameType } from '@srs/kernel';
import { ClientSession, encodeMessage, messageTypes, nodeRtmpCrypto, userControlEvents } from '@srs/rtmp';
import { ChunkSkimmer } from './chunk-skimmer.ts';
import type { PlayerKind } from './load-plan.ts';
import type { PacketChecker } from './packet-checker.ts';
import type { PlayerFigures } from './player-figures.ts';
import { Stamp } from './stamp.ts';
import type { TimedClient, TimedReader } from './timed-reader.ts';

const START_TIMEOUT_MS = 30_000;
const READ_BUFFER_BYTES = 64 * 1024;
const SLOW_READ_BYTES = 4 * 1024;
/** S0, S1 and S2: what comes before the first chunk. */
const HANDSHAKE_BYTES = 1 + 2 * 1536;
const DEFAULT_WINDOW_BYTES = 2_500_000;
const CONTROL_CHUNK_STREAM_ID = 2;
const OUT_CHUNK_SIZE = 128;
const PING_BYTES = 6;

/** All players of a process read into these: whoever is called has taken what it needs before the next read begins. */
export const readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
const slowReadBuffer = readBuffer.subarray(0, SLOW_READ_BYTES);
const stamp = new Stamp();

export interface PlayOptions {
  readonly target: RtmpTarget;
  readonly kind: PlayerKind;
  /** Its place in the figures. */
  readonly player: number;
  readonly figures: PlayerFigures;
  /** For the kind `checked`. */
  readonly checker?: PacketChecker;
  /** For the kind `slow`. */
  readonly slowKbps: number;
  /** Reads instead of the event loop once the stream plays; of `light` players only. */
  readonly reader: TimedReader | undefined;
  /** Its latencies count. */
  readonly isTimed: boolean;
  /** The player is through, or has failed. Once. */
  onSettled(): void;
}

export class PlayConnection implements TimedClient {
  readonly #options: PlayOptions;
  readonly #socket: Socket;
  readonly #skimmer: ChunkSkimmer;
  #session: ClientSession | undefined;
  #timer: NodeJS.Timeout | undefined;
  #state: 'starting' | 'playing' | 'over' = 'starting';
  #isAsked = false;
  #bytesReceived = 0;
  #windowBytes = DEFAULT_WINDOW_BYTES;
  #ackedBytes = 0;

  /** Connects at once. */
  constructor(options: PlayOptions) {
    const { target, kind } = options;
    this.#options = options;
    this.#skimmer = new ChunkSkimmer(this);
    this.#session = this.#createSession();
    const buffer = kind === 'slow' ? slowReadBuffer : readBuffer;
    this.#socket = connect({
      host: target.host,
      port: target.port,
      noDelay: true,
      onread: { buffer, callback: (length) => this.#onBytes(buffer, length) },
    });
    this.#timer = setTimeout(() => this.#end(`no answer within ${START_TIMEOUT_MS} ms${this.#phase}`), START_TIMEOUT_MS);
    this.#socket.once('connect', () => this.#session?.start());
    this.#socket.on('error', (error) => this.#end(describeError(error)));
    this.#socket.once('close', () => this.#end(`the server closed the connection${this.#phase}`));
  }

  close(): void {
    this.#state = 'over';
    clearTimeout(this.#timer);
    this.#socket.destroy();
  }

  onRead(buffer: Buffer, length: number): void {
    this.#onBytes(buffer, length);
  }

  onReadEnd(reason: string): void {
    this.#end(reason);
  }

  /** Hot path: what the skimmer has found. */
  onMessage(
    type: number,
    _timestampMs: number,
    _messageBytes: number,
    head: Uint8Array,
    headAt: number,
    headBytes: number,
  ): void {
    if (type === messageTypes.video || type === messageTypes.audio) {
      if (this.#state === 'playing') this.#onMedia(type, head, headAt, headBytes);
    } else if (type === messageTypes.windowAckSize && headBytes >= 4) {
      this.#windowBytes = Math.max(1, Buffer.from(head.buffer, head.byteOffset + headAt, 4).readUInt32BE(0));
    } else if (type === messageTypes.userControl && headBytes >= PING_BYTES && this.#session === undefined) {
      this.#answerPing(Buffer.from(head.buffer, head.byteOffset + headAt, PING_BYTES));
    }
  }

  #createSession(): ClientSession {
    const { target } = this.#options;
    return new ClientSession(
      {
        onSend: (bytes) => this.#socket.write(bytes),
        onReady: () => this.#onPlaying(),
        onMedia: (type, timestampMs, payload) => this.#onChecked(type, timestampMs, payload),
        onRejected: ({ code, description }) => this.#end(`play was refused: ${[code, description].filter(Boolean).join(', ')}`),
      },
      {
        role: 'play',
        crypto: nodeRtmpCrypto,
        unixSeconds: () => Math.floor(Date.now() / 1000),
        tcUrl: target.tcUrl,
        app: target.app,
        streamName: target.streamName,
      },
    );
  }

  /** Hot path. @returns false to read no further for now */
  #onBytes(buffer: Buffer, length: number): boolean {
    if (this.#state === 'over') return false;
    const { kind, figures, player, reader } = this.#options;
    figures.onBytes(player, length);
    try {
      if (this.#session === undefined) this.#skimmer.receive(buffer, length);
      else this.#startUp(this.#session, buffer, length);
    } catch (thrown) {
      this.#end(describeError(thrown));
      return false;
    }
    this.#bytesReceived += length;
    if (this.#session === undefined && this.#bytesReceived - this.#ackedBytes >= this.#windowBytes) this.#acknowledge();
    if (this.#state !== 'playing') return true;
    if (kind === 'slow') this.#readLater(length);
    return (kind === 'light' || kind === 'checked') && reader === undefined;
  }

  /** The skimmer reads along from the first chunk on, so that it knows the chunk streams when the session is dropped. */
  #startUp(session: ClientSession, buffer: Buffer, length: number): void {
    const { kind, figures, player } = this.#options;
    session.receive(buffer.subarray(0, length));
    if (!this.#isAsked && (session.phase === 'start' || session.phase === 'ready')) {
      this.#isAsked = true;
      figures.onAsked(player, performance.now());
    }
    if (kind === 'checked' || this.#state === 'over') return;
    const skip = Math.min(length, Math.max(0, HANDSHAKE_BYTES - this.#bytesReceived));
    this.#skimmer.receive(buffer.subarray(skip), length - skip);
    if (this.#state === 'playing') this.#session = undefined;
  }

  #onPlaying(): void {
    clearTimeout(this.#timer);
    const { figures, player, reader } = this.#options;
    // Some servers send media in the same breath as the answer.
    if (!this.#isAsked) figures.onAsked(player, performance.now());
    this.#isAsked = true;
    this.#state = 'playing';
    figures.onPlaying(player, performance.now());
    reader?.add(this.#socket, this);
    this.#options.onSettled();
  }

  #onMedia(type: number, head: Uint8Array, headAt: number, headBytes: number): boolean {
    const { figures, player, isTimed } = this.#options;
    const nowMs = performance.now();
    figures.onMedia(player, nowMs);
    if (type !== messageTypes.video) return true;
    figures.onPicture(player, nowMs);
    return !stamp.read(head, headAt, headBytes) || figures.onStamp(player, stamp, isTimed);
  }

  #onChecked(type: FrameType, timestampMs: number, payload: Buffer): void {
    const { checker, figures, player } = this.#options;
    if (checker === undefined || this.#state !== 'playing') return;
    if (type !== messageTypes.amf0Data && !this.#onMedia(type, payload, 0, payload.length)) checker.onGap();
    const { isWrong, missingSounds } = checker.check(type, timestampMs, payload);
    if (isWrong) figures.onWrong(player);
    if (missingSounds > 0) figures.onGap(player, missingSounds);
  }

  #readLater(length: number): void {
    const pauseMs = (length * 8) / this.#options.slowKbps;
    this.#timer = setTimeout(() => this.#socket.resume(), pauseMs);
  }

  #acknowledge(): void {
    this.#ackedBytes = this.#bytesReceived;
    const payload = Buffer.allocUnsafe(4);
    payload.writeUInt32BE(this.#bytesReceived >>> 0);
    this.#sendControl(messageTypes.acknowledgement, payload);
  }

  #answerPing(request: Buffer): void {
    if (request.readUInt16BE(0) !== userControlEvents.pingRequest) return;
    const answer = Buffer.from(request);
    answer.writeUInt16BE(userControlEvents.pingResponse);
    this.#sendControl(messageTypes.userControl, answer);
  }

  #sendControl(type: number, payload: Buffer): void {
    if (this.#socket.writable) this.#socket.write(encodeMessage(CONTROL_CHUNK_STREAM_ID, type, 0, 0, payload, OUT_CHUNK_SIZE));
  }

  get #phase(): string {
    return this.#state === 'starting' && this.#session !== undefined ? ` (in phase ${this.#session.phase})` : '';
  }

  #end(reason: string): void {
    const state = this.#state;
    if (state === 'over') return;
    const { figures, player, target } = this.#options;
    this.close();
    // The same reason on many streams is one reason.
    const text = reason.replaceAll(describeTarget(target), 'the server');
    if (state === 'playing') {
      figures.onLost(player, text);
    } else {
      figures.onFailed(player, text);
      this.#options.onSettled();
    }
  }
}
