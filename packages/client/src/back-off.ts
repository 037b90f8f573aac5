/** How long to wait before the next try of something that failed. */

export interface BackOffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
  /** 0..1, as Math.random. */
  readonly random: () => number;
}

/** Doubles from try to try up to a limit; up to a quarter is taken off at random, so that many who lost the same server part. */
export class BackOff {
  readonly #options: BackOffOptions;
  #nextMs: number;

  constructor(options: BackOffOptions) {
    this.#options = options;
    this.#nextMs = options.firstMs;
  }

  /** Milliseconds to wait now. */
  next(): number {
    const delayMs = this.#nextMs;
    this.#nextMs = Math.min(delayMs * 2, this.#options.maxMs);
    return Math.round(delayMs * (1 - this.#options.random() / 4));
  }

  /** It worked: the next failure starts over. */
  reset(): void {
    this.#nextMs = this.#options.firstMs;
  }
}
