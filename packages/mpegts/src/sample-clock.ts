/** Times of sound by counting samples: RTMP's milliseconds are too coarse for regular steps. */
import { TICKS_PER_MS, TICKS_PER_SECOND } from './clock-90k.ts';

/** Timestamps that are further off have jumped, and the count begins again. */
const MAX_DEVIATION = 100 * TICKS_PER_MS;

export class SampleClock {
  #sampleRate = 0;
  #base = 0;
  #samples = 0;
  #isRunning = false;

  copyFrom(other: SampleClock): void {
    this.#sampleRate = other.#sampleRate;
    this.#base = other.#base;
    this.#samples = other.#samples;
    this.#isRunning = other.#isRunning;
  }

  /** Both give the same times from now on. */
  isSame(other: SampleClock): boolean {
    return (
      this.#sampleRate === other.#sampleRate &&
      this.#base === other.#base &&
      this.#samples === other.#samples &&
      this.#isRunning === other.#isRunning
    );
  }

  /**
   * The time of the next sound, as a whole number of ticks.
   *
   * @param ticks what its timestamp says
   * @param sampleRate another one than before begins a new count
   * @returns undefined when the count has to begin at `ticks`: see `restart`
   */
  expected(ticks: number, sampleRate: number): number | undefined {
    if (!this.#isRunning || sampleRate !== this.#sampleRate) return undefined;
    const time = this.#base + Math.round((this.#samples * TICKS_PER_SECOND) / sampleRate);
    return Math.abs(time - ticks) > MAX_DEVIATION ? undefined : time;
  }

  restart(ticks: number, sampleRate: number): void {
    this.#base = ticks;
    this.#sampleRate = sampleRate;
    this.#samples = 0;
    this.#isRunning = true;
  }

  /** So many samples have come. */
  count(samples: number): void {
    this.#samples += samples;
  }
}
