/** Adds what one of Node's histograms has recorded to a distribution. */
import type { Distribution } from '@srs/kernel';

/** What this needs of a `Histogram` of node:perf_hooks. */
interface Recorded {
  readonly count: number;
  percentile(percentile: number): number;
}

/**
 * Node tells percentiles only, and no mean of a range: the value in the middle of those in a range stands for all of them.
 * @param meaningOf what a recorded number counts as; larger numbers must not count as less
 */
export function addRecorded(recorded: Recorded, meaningOf: (recordedNumber: number) => number, into: Distribution): void {
  const { count } = recorded;
  const valueAt = (rank: number): number => meaningOf(recorded.percentile((rank / count) * 100));
  let counted = 0;
  for (const bound of [...into.bounds, Number.POSITIVE_INFINITY]) {
    const upTo = lastRank(counted, count, (rank) => valueAt(rank) <= bound);
    if (upTo > counted) into.observe(valueAt(Math.ceil((counted + 1 + upTo) / 2)), upTo - counted);
    counted = upTo;
  }
}

/** The last rank of `low + 1 .. high` that is still within, found by halving; `low` when none is. */
function lastRank(low: number, high: number, isWithin: (rank: number) => boolean): number {
  let first = low;
  let last = high;
  while (first < last) {
    const rank = Math.ceil((first + last) / 2);
    if (isWithin(rank)) first = rank;
    else last = rank - 1;
  }
  return first;
}
