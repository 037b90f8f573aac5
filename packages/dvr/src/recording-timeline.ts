/** The timestamps of a recording. */
import { type FrameType, TIMESTAMP_MASK, timestampDelta } from '@srs/kernel';
import { TimeCorrection, type TimeJitter } from '@srs/stream';

/** Between the end of a file and what is appended to it. */
const APPEND_STEP_MS = 40;

export class RecordingTimeline {
  readonly #correction: TimeCorrection;
  readonly #isUncorrected: boolean;
  readonly #startMs: number;
  /** What uncorrected timestamps are moved by, so that what is appended does not go back in time. */
  #shiftMs: number | undefined;

  /** @param lastMs where the file ends to which the recording is appended; undefined for a new one, which begins near 0 */
  constructor(mode: TimeJitter, lastMs?: number) {
    this.#startMs = lastMs === undefined ? 0 : lastMs + APPEND_STEP_MS;
    this.#isUncorrected = mode === 'off';
    this.#correction = new TimeCorrection({ mode, startTimestampMs: this.#startMs });
    if (lastMs === undefined) this.#shiftMs = 0;
  }

  /** Of the newest frame. */
  get lastTimestampMs(): number {
    return (this.#correction.lastTimestampMs + (this.#shiftMs ?? 0)) & TIMESTAMP_MASK;
  }

  /** Of the metadata; 0 for unknown. */
  setRates(rates: { readonly audioSampleRate: number; readonly frameRate: number }): void {
    this.#correction.setRates(rates);
  }

  /** Hot path. */
  correct(type: FrameType, timestampMs: number, arrivalMs: number): number {
    const corrected = this.#correction.correct(type, timestampMs, arrivalMs);
    if (!this.#isUncorrected) return corrected;
    this.#shiftMs ??= Math.max(0, timestampDelta(corrected, this.#startMs));
    return (corrected + this.#shiftMs) & TIMESTAMP_MASK;
  }
}
