/** From when to when a file has media. */
import { timestampDelta } from '@srs/kernel';

export interface MediaTimes {
  readonly firstTimestampMs: number;
  readonly lastTimestampMs: number;
  readonly durationMs: number;
}

/** Counted step by step, for a recording may be longer than the circle of timestamps. */
export class MediaSpan {
  #firstMs: number | undefined;
  #lastMs = 0;
  #durationMs = 0;

  /** @param before what is there already */
  constructor(before?: MediaTimes) {
    if (before === undefined) return;
    this.#firstMs = before.firstTimestampMs;
    this.#lastMs = before.lastTimestampMs;
    this.#durationMs = before.durationMs;
  }

  get isEmpty(): boolean {
    return this.#firstMs === undefined;
  }

  /** Hot path: no allocation. */
  add(timestampMs: number): void {
    if (this.#firstMs === undefined) {
      this.#firstMs = timestampMs;
      this.#lastMs = timestampMs;
      return;
    }
    // The tracks are interleaved, and one is a little behind the other.
    const step = timestampDelta(this.#lastMs, timestampMs);
    if (step <= 0) return;
    this.#durationMs += step;
    this.#lastMs = timestampMs;
  }

  /** @param nextTimestampMs of what follows the last frame, if that is known */
  times(nextTimestampMs?: number): MediaTimes {
    const rest = nextTimestampMs === undefined ? 0 : Math.max(0, timestampDelta(this.#lastMs, nextTimestampMs));
    return { firstTimestampMs: this.#firstMs ?? 0, lastTimestampMs: this.#lastMs, durationMs: this.#durationMs + rest };
  }
}
