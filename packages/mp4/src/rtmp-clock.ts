/** The 31-bit clock of RTMP, counted on without end. */
import { TIMESTAMP_MASK, timestampDelta } from '@srs/kernel';

/** Shared by the tracks of a stream, so that all of them agree on how often the clock has wrapped. */
export class RtmpClock {
  #raw = -1;
  #timeMs = 0;

  /** The continuous time of a frame; the first frame has its own timestamp. Below zero when an early frame comes late. */
  advance(timestampMs: number): number {
    this.#timeMs = this.timeOf(timestampMs);
    this.#raw = timestampMs & TIMESTAMP_MASK;
    return this.#timeMs;
  }

  /** The continuous time of a timestamp that is near the last frame; the clock stays where it is. */
  timeOf(timestampMs: number): number {
    const raw = timestampMs & TIMESTAMP_MASK;
    return this.#raw < 0 ? raw : this.#timeMs + timestampDelta(this.#raw, raw);
  }
}
