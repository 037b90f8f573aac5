/** What the timestamps of an encoder mean on a timeline that does not wrap, wherever in the stream one begins to read them. */
import { TIMESTAMP_MASK, timestampDelta } from '@srs/kernel';

const CIRCLE_MS = TIMESTAMP_MASK + 1;
/** A longer step is a jump, behind which the clock on the wall is asked again. */
const MAX_STEP_MS = 10_000;

/**
 * A timestamp of 31 bits stands for many times, 24.8 days apart. The one nearest to the clock on the wall is meant: an encoder that counts from
 * 1970 is right to the millisecond through every wrap, one that counts from zero is days away, but at the same place for all who ask. Clocks of
 * servers need to agree only so far that they are nearest to the same one.
 */
export class EncoderTime {
  #lastTimestampMs = 0;
  #lastMs: number | undefined;

  /** Hot path. @param wallMs since 1970 @returns ms, 0 or more */
  at(timestampMs: number, wallMs: number): number {
    const step = timestampDelta(this.#lastTimestampMs, timestampMs);
    const isJump = this.#lastMs === undefined || Math.abs(step) > MAX_STEP_MS;
    const ms = isJump ? nearest(timestampMs, wallMs) : this.#lastMs! + step;
    this.#lastTimestampMs = timestampMs;
    this.#lastMs = ms;
    return ms;
  }
}

function nearest(timestampMs: number, wallMs: number): number {
  return timestampMs + Math.max(0, Math.round((wallMs - timestampMs) / CIRCLE_MS)) * CIRCLE_MS;
}
