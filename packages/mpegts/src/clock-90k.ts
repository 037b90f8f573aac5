/** The 90 kHz clock of a transport stream: made of RTMP timestamps, wrapped at 33 bits on the wire. */
import { timestampDelta } from '@srs/kernel';

/** Ticks in a millisecond. */
export const TICKS_PER_MS = 90;
export const TICKS_PER_SECOND = 90_000;

const NANOS_PER_MS = 1_000_000;
const CIRCLE = 2 ** 33;

/** The 33 bits of a time that may be negative or have passed them. */
export function wrap33(ticks: number): number {
  return ((ticks % CIRCLE) + CIRCLE) % CIRCLE;
}

/** The signed distance between two times of 33 bits, in -2^32 .. 2^32-1 ticks. */
export function ticksBetween(from: number, to: number): number {
  const forward = wrap33(to - from);
  return forward >= CIRCLE / 2 ? forward - CIRCLE : forward;
}

/**
 * Counts on where RTMP timestamps wrap. All tracks share one, so that they stay together; a jump of less than 2^30 ms in either
 * direction stays a jump.
 */
export class UnwrappedClock {
  #lastTimestampMs = 0;
  #lastMs: number | undefined;

  /** From now on this timestamp means that time: what others have counted so far need not be known. */
  set(timestampMs: number, ms: number): void {
    this.#lastTimestampMs = timestampMs;
    this.#lastMs = ms;
  }

  copyFrom(other: UnwrappedClock): void {
    this.#lastTimestampMs = other.#lastTimestampMs;
    this.#lastMs = other.#lastMs;
  }

  /** Both give the same ticks from now on. */
  isSame(other: UnwrappedClock): boolean {
    return this.#lastTimestampMs === other.#lastTimestampMs && this.#lastMs === other.#lastMs;
  }

  /**
   * @param timestampMs 31 bits
   * @param nanos to be added to it
   * @returns ticks, an exact integer for longer than any stream lasts
   */
  ticksAt(timestampMs: number, nanos: number): number {
    const last = this.#lastMs;
    const ms = last === undefined ? timestampMs : last + timestampDelta(this.#lastTimestampMs, timestampMs);
    this.#lastTimestampMs = timestampMs;
    this.#lastMs = ms;
    return ms * TICKS_PER_MS + Math.round((nanos * TICKS_PER_MS) / NANOS_PER_MS);
  }
}
