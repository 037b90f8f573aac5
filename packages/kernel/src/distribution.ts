/** How often a measured value fell into which range: what a histogram of many processes is added up from. */

/** Upper bounds for times in milliseconds, from what nobody notices to what everybody does. */
export const timeBoundsMs: readonly number[] = [1, 2, 5, 10, 20, 50, 100, 200, 350, 500, 1000, 2000, 5000];

/** What has been observed so far; it only grows. */
export interface DistributionFigures {
  /** Observations by range: `counts[i]` are at most `bounds[i]` and above the bound before; the last element is above all bounds. */
  readonly counts: readonly number[];
  readonly sum: number;
}

export class Distribution {
  readonly bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  /** @param bounds ascending */
  constructor(bounds: readonly number[] = timeBoundsMs) {
    this.bounds = bounds;
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  /** The figures themselves, not a copy. */
  get figures(): DistributionFigures {
    return { counts: this.#counts, sum: this.#sum };
  }

  /** Hot path: allocates nothing. @param times the value was observed */
  observe(value: number, times = 1): void {
    const { bounds } = this;
    let index = 0;
    while (index < bounds.length && value > bounds[index]!) index += 1;
    this.#counts[index]! += times;
    this.#sum += value * times;
  }
}
