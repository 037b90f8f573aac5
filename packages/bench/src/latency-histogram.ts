/** Counts times in buckets that are at most 1/64 wide of their value: fixed memory, mergeable over processes. */

/** Buckets per doubling, as a power of two. */
const PRECISION_BITS = 6;
const EXACT_BELOW = 2 ** (PRECISION_BITS + 1);
/** About 134 s; longer times count as this long, their true maximum is kept. */
const MAX_BITS = 27;
const MAX_MICROS = 2 ** MAX_BITS - 1;
const BUCKETS = (MAX_BITS - PRECISION_BITS + 1) * 2 ** PRECISION_BITS;

/** As it travels between processes. */
export interface HistogramPart {
  readonly counts: Uint32Array;
  readonly maxMs: number;
}

export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export class LatencyHistogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #total = 0;
  #maxMs = 0;

  get count(): number {
    return this.#total;
  }

  /** Hot path. A negative time, from a clock that was set, counts as none. */
  record(ms: number): void {
    if (ms > this.#maxMs) this.#maxMs = ms;
    const micros = ms <= 0 ? 0 : Math.min(ms * 1000, MAX_MICROS) | 0;
    this.#counts[bucketOf(micros)]! += 1;
    this.#total += 1;
  }

  add(part: HistogramPart): void {
    part.counts.forEach((count, bucket) => {
      this.#counts[bucket]! += count;
      this.#total += count;
    });
    this.#maxMs = Math.max(this.#maxMs, part.maxMs);
  }

  /** A copy. */
  part(): HistogramPart {
    return { counts: this.#counts.slice(), maxMs: this.#maxMs };
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
    this.#maxMs = 0;
  }

  /** Milliseconds; the largest value that the smallest `share` of all times reach. 0 when there are none. */
  percentile(share: number): number {
    const wanted = Math.max(1, Math.ceil(this.#total * share));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket]!;
      if (seen >= wanted) return Math.min(middleOf(bucket) / 1000, this.#maxMs);
    }
    return 0;
  }

  /** Undefined when nothing was counted: no time is not a time of 0. */
  percentiles(): Percentiles | undefined {
    if (this.#total === 0) return undefined;
    return { p50: this.percentile(0.5), p95: this.percentile(0.95), p99: this.percentile(0.99), max: this.#maxMs };
  }
}

function bucketOf(micros: number): number {
  if (micros < EXACT_BELOW) return micros;
  const shift = 31 - Math.clz32(micros) - PRECISION_BITS;
  return (shift << PRECISION_BITS) + (micros >> shift);
}

function middleOf(bucket: number): number {
  if (bucket < EXACT_BELOW) return bucket;
  const shift = (bucket >> PRECISION_BITS) - 1;
  const first = (bucket - (shift << PRECISION_BITS)) * 2 ** shift;
  return first + 2 ** shift / 2;
}
