/** The time of an FLV file: from 0 on, without the jumps and wraps of its timestamps. */
import { timestampDelta } from '@srs/kernel';
import { LAST_FRAME_MS, MAX_STEP_BACK_MS, MAX_STEP_MS } from './limits.ts';

/** Of the last picture or sound; plain, so that it can go from one thread to another. */
export interface TimelineState {
  /** As its tag says. */
  readonly rawMs: number;
  readonly timeMs: number;
}

export class FlvTimeline {
  #rawMs = 0;
  #timeMs = 0;
  #hasBegun = false;

  /** @param state null for the beginning of the file */
  constructor(state: TimelineState | null) {
    if (state !== null) this.set(state.rawMs, state.timeMs);
  }

  get state(): TimelineState | null {
    return this.#hasBegun ? { rawMs: this.#rawMs, timeMs: this.#timeMs } : null;
  }

  set(rawMs: number, timeMs: number): void {
    this.#rawMs = rawMs;
    this.#timeMs = timeMs;
    this.#hasBegun = true;
  }

  /**
   * Pictures and sounds are told in the order of the file.
   *
   * Hot path: no allocation.
   *
   * @returns below 0 only for what comes late at the beginning of the file
   */
  advance(rawMs: number): number {
    const stepMs = this.#hasBegun ? timestampDelta(this.#rawMs, rawMs) : 0;
    // Recordings of several publishes, and publishers who set their clock.
    const isJump = stepMs > MAX_STEP_MS || stepMs < -MAX_STEP_BACK_MS;
    this.set(rawMs, this.#timeMs + (isJump ? LAST_FRAME_MS : stepMs));
    return this.#timeMs;
  }
}
