/** Decoding times of one track: they rise from sample to sample whatever the publisher's clock does. */
import { AUDIO_RESYNC_MS, MAX_SAMPLE_DURATION_MS, MAX_STEP_BACK_MS } from './limits.ts';

/** Durations have 32 bits. */
const MAX_DURATION_TICKS = 0xffff_ffff;

export class TrackTimeline {
  readonly #timescale: number;
  readonly #maxBackTicks: number;
  readonly #maxAheadTicks: number;
  #lastDts = -1;
  /** Ticks of the last sample by its codec; 0 when only the next sample tells. */
  #lastTicks = 0;
  /** Distance of the last two decoding times, 0 before there are two. */
  #step = 0;

  constructor(timescale: number) {
    this.#timescale = timescale;
    this.#maxBackTicks = (MAX_STEP_BACK_MS * timescale) / 1000;
    this.#maxAheadTicks = Math.min((MAX_SAMPLE_DURATION_MS * timescale) / 1000, MAX_DURATION_TICKS);
  }

  /** Distance of the last two decoding times; 0 when unknown. */
  get step(): number {
    return this.#step;
  }

  /**
   * The decoding time that a sample should have: of counted samples the end of the sample before, as long as that agrees with the
   * clock to 100 ms, for milliseconds are too coarse for sound; else the clock's.
   *
   * @param clockTicks its time by the publisher's clock
   */
  target(clockTicks: number): number {
    if (this.#lastTicks > 0) {
      const counted = this.#lastDts + this.#lastTicks;
      if (Math.abs(counted - clockTicks) * 1000 <= AUDIO_RESYNC_MS * this.#timescale) return counted;
    }
    return Math.max(0, clockTicks);
  }

  /** Whether a sample with this target cannot stand behind the last one in one fragment: the clock went back, or far ahead. */
  isJump(target: number): boolean {
    if (this.#lastDts < 0) return false;
    return target < this.#lastDts - this.#maxBackTicks || target > this.#lastDts + this.#maxAheadTicks;
  }

  /** Whether `later` is a time at which the last sample can end. */
  canEndAt(later: number): boolean {
    return later > this.#lastDts && later <= this.#lastDts + this.#maxAheadTicks;
  }

  /**
   * Gives a sample its decoding time: the target, or a tick behind the sample before when that is later.
   *
   * @param ticks its duration by its codec, 0 when only the next sample tells
   */
  place(target: number, ticks: number): number {
    const isFirst = this.#lastDts < 0 || this.isJump(target);
    const dts = isFirst ? target : Math.max(target, this.#lastDts + 1);
    if (!isFirst) this.#step = dts - this.#lastDts;
    this.#lastDts = dts;
    this.#lastTicks = ticks;
    return dts;
  }
}
