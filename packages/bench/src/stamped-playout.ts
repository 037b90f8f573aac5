/** Sends a prepared clip over one publish, in time or as fast as the server takes it, and stamps each picture. */
import { ClipRounds, type FrameSink } from '@srs/client';
import { writeStamp } from './stamp.ts';
import type { PreparedFrame, StampedClip } from './stamped-clip.ts';
import { wallMicros } from './wall-clock.ts';

/** Without a pause the event loop would do nothing else: so many frames at once at most. */
const MAX_FRAMES_AT_ONCE = 256;

export interface PlayoutOptions {
  readonly clip: StampedClip;
  readonly sink: FrameSink;
  /** The number that all stamps carry. */
  readonly stream: number;
  /** 1 is real time; Infinity never waits but for the server. */
  readonly speed: number;
  /** Hot path. A frame has been given away, so late; 0 when nothing was due. */
  onSent(payloadBytes: number, isVideo: boolean, lateMs: number): void;
}

const VIDEO = 9;

export class StampedPlayout {
  readonly #options: PlayoutOptions;
  readonly #rounds: ClipRounds<PreparedFrame>;
  readonly #startMs = performance.now();
  #sequence = 0;
  #timer: NodeJS.Timeout | NodeJS.Immediate | undefined;
  #isStopped = false;

  /** Begins at once. */
  constructor(options: PlayoutOptions) {
    this.#options = options;
    this.#rounds = new ClipRounds<PreparedFrame>(options.clip);
    this.#sendDue();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer as NodeJS.Timeout);
    clearImmediate(this.#timer as NodeJS.Immediate);
  }

  #sendDue(): void {
    if (this.#isStopped) return;
    const { sink, speed } = this.#options;
    const nowMs = performance.now();
    for (let sent = 0; sent < MAX_FRAMES_AT_ONCE; sent++) {
      const dueMs = this.#dueMs(speed);
      if (dueMs > nowMs) break;
      if (!this.#send(speed === Number.POSITIVE_INFINITY ? 0 : nowMs - dueMs)) {
        void sink.drained().then(() => this.#sleep(speed));
        return;
      }
    }
    this.#sleep(speed);
  }

  #dueMs(speed: number): number {
    return this.#startMs + this.#rounds.dueMs / speed;
  }

  /** Hot path. The clip's own bytes are stamped: nobody else looks at them before the next one does the same. */
  #send(lateMs: number): boolean {
    const { sink, clip, stream } = this.#options;
    const { type, payload, isStamped } = this.#rounds.frame;
    if (isStamped) writeStamp(payload, clip.nalLengthBytes, stream, this.#sequence++, wallMicros());
    const hasRoom = sink.write(type, this.#rounds.timestampMs, payload);
    this.#options.onSent(payload.length, type === VIDEO, lateMs);
    this.#rounds.advance();
    return hasRoom;
  }

  #sleep(speed: number): void {
    if (this.#isStopped) return;
    const waitMs = this.#dueMs(speed) - performance.now();
    this.#timer = waitMs > 0 ? setTimeout(() => this.#sendDue(), waitMs) : setImmediate(() => this.#sendDue());
  }
}
