/** One player of a load test: a socket, and what it reads of its stream counted. */
import { connect, type Socket } from 'node:net';
import { describeError, type FrameType, frameTypes } from '@srs/kernel';
import type { PlayerKind } from './load-plan.ts';
import type { PacketChecker } from './packet-checker.ts';
import type { PlayLink, PlayProtocol } from './play-protocol.ts';
import type { PlayTarget } from './play-target.ts';
import type { PlayerFigures } from './player-figures.ts';
import { Stamp } from './stamp.ts';
import type { TimedClient, TimedReader } from './timed-reader.ts';

const START_TIMEOUT_MS = 30_000;
const READ_BUFFER_BYTES = 64 * 1024;
const SLOW_READ_BYTES = 4 * 1024;

/** All players of a process read into these: whoever is called has taken what it needs before the next read begins. */
export const readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
const slowReadBuffer = readBuffer.subarray(0, SLOW_READ_BYTES);
const stamp = new Stamp();

export interface PlayOptions {
  readonly target: PlayTarget;
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

export class PlayConnection implements TimedClient, PlayLink {
  readonly isChecked: boolean;
  readonly #options: PlayOptions;
  readonly #socket: Socket;
  readonly #protocol: PlayProtocol;
  #timer: NodeJS.Timeout | undefined;
  #state: 'starting' | 'playing' | 'over' = 'starting';

  /** Connects at once. */
  constructor(options: PlayOptions) {
    const { target, kind } = options;
    this.#options = options;
    this.isChecked = kind === 'checked';
    this.#protocol = target.open(this);
    const buffer = kind === 'slow' ? slowReadBuffer : readBuffer;
    this.#socket = connect({
      host: target.host,
      port: target.port,
      noDelay: true,
      onread: { buffer, callback: (length) => this.#onBytes(buffer, length) },
    });
    this.#timer = setTimeout(() => this.#end(`no answer within ${START_TIMEOUT_MS} ms${this.#phase}`), START_TIMEOUT_MS);
    this.#socket.once('connect', () => this.#protocol.start());
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

  send(bytes: Buffer | string): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  onAsked(): void {
    this.#options.figures.onAsked(this.#options.player, performance.now());
  }

  onPlaying(): void {
    if (this.#state === 'over') return;
    clearTimeout(this.#timer);
    const { figures, player, reader } = this.#options;
    this.#state = 'playing';
    figures.onPlaying(player, performance.now());
    reader?.add(this.#socket, this);
    this.#options.onSettled();
  }

  onRejected(reason: string): void {
    this.#end(reason);
  }

  /** Hot path. */
  onHead(type: number, head: Uint8Array, headAt: number, headBytes: number): void {
    if (this.#state === 'playing') this.#onMedia(type, head, headAt, headBytes);
  }

  onPacket(type: FrameType, timestampMs: number, payload: Buffer): void {
    const { checker, figures, player } = this.#options;
    if (checker === undefined || this.#state !== 'playing') return;
    if (type !== frameTypes.data && !this.#onMedia(type, payload, 0, payload.length)) checker.onGap();
    const { isWrong, missingSounds } = checker.check(type, timestampMs, payload);
    if (isWrong) figures.onWrong(player);
    if (missingSounds > 0) figures.onGap(player, missingSounds);
  }

  /** Hot path. @returns false to read no further for now */
  #onBytes(buffer: Buffer, length: number): boolean {
    if (this.#state === 'over') return false;
    const { kind, figures, player, reader } = this.#options;
    figures.onBytes(player, length);
    try {
      this.#protocol.receive(buffer, length);
    } catch (thrown) {
      this.#end(describeError(thrown));
      return false;
    }
    if (this.#state !== 'playing') return true;
    if (kind === 'slow') this.#readLater(length);
    return (kind === 'light' || kind === 'checked') && reader === undefined;
  }

  /** Hot path. @returns false when a picture does not come right after the one before */
  #onMedia(type: number, head: Uint8Array, headAt: number, headBytes: number): boolean {
    const { figures, player, isTimed } = this.#options;
    const nowMs = performance.now();
    figures.onMedia(player, nowMs);
    if (type !== frameTypes.video) return true;
    figures.onPicture(player, nowMs);
    return !stamp.read(head, headAt, headBytes) || figures.onStamp(player, stamp, isTimed);
  }

  #readLater(length: number): void {
    const pauseMs = (length * 8) / this.#options.slowKbps;
    this.#timer = setTimeout(() => this.#socket.resume(), pauseMs);
  }

  get #phase(): string {
    return this.#state === 'starting' ? this.#protocol.phase : '';
  }

  #end(reason: string): void {
    const state = this.#state;
    if (state === 'over') return;
    const { figures, player, target } = this.#options;
    this.close();
    // The same reason on many streams is one reason.
    const text = reason.replaceAll(target.name, 'the server');
    if (state === 'playing') {
      figures.onLost(player, text);
    } else {
      figures.onFailed(player, text);
      this.#options.onSettled();
    }
  }
}
