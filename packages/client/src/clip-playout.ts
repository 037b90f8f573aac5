/** Sends the rounds of a clip in real time over one publish. */
import type { Clock } from '@srs/kernel';
import { ClipRounds } from './clip-rounds.ts';
import type { FlvClip } from './flv-clip.ts';
import type { RtmpPublisher } from './rtmp-publisher.ts';

/** Later than this (the machine slept, the server did not read) it goes on from now on instead of catching up in one burst. */
const MAX_LATE_MS = 2_000;

/** What a playout needs of a publisher. */
export type FrameSink = Pick<RtmpPublisher, 'write' | 'drained'>;

export class ClipPlayout {
  readonly #rounds: ClipRounds;
  readonly #sink: FrameSink;
  readonly #clock: Clock;
  /** When the clip began, on the clock: each frame's time is counted from here, so delays do not add up. */
  #startMs: number;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  /** Begins at once. */
  constructor(clip: FlvClip, sink: FrameSink, clock: Clock) {
    this.#rounds = new ClipRounds(clip);
    this.#sink = sink;
    this.#clock = clock;
    this.#startMs = clock.nowMs();
    this.#sendDue();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #sendDue(): void {
    if (this.#isStopped) return;
    const rounds = this.#rounds;
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#startMs - rounds.dueMs > MAX_LATE_MS) this.#startMs = nowMs - rounds.dueMs;
    while (this.#startMs + rounds.dueMs <= nowMs) {
      const { type, payload } = rounds.frame;
      const hasRoom = this.#sink.write(type, rounds.timestampMs, payload);
      rounds.advance();
      if (!hasRoom) {
        void this.#sink.drained().then(() => this.#sleep());
        return;
      }
    }
    this.#sleep();
  }

  #sleep(): void {
    if (this.#isStopped) return;
    const waitMs = this.#startMs + this.#rounds.dueMs - this.#clock.nowMs();
    this.#timer = setTimeout(() => this.#sendDue(), Math.max(waitMs, 0));
  }
}
