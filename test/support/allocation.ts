/** Counts what a piece of code allocates on the JavaScript heap. */
import { GCProfiler, getHeapSpaceStatistics } from 'node:v8';

const RUNS = 300;

/**
 * @param work runs synchronously, many times: what counts is the run that allocated least, when all code is compiled, among those
 *   that no garbage collection has interrupted
 * @returns bytes of small objects allocated by one run
 * @throws Error when every run was interrupted: it allocates more than the young generation holds
 */
export function allocatedBytes(work: () => void): number {
  return leastOf(work) - leastOf(() => {});
}

function leastOf(work: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let runs = 0; runs < RUNS; runs += 1) {
    const profiler = new GCProfiler();
    profiler.start();
    const before = youngBytes();
    work();
    const after = youngBytes();
    if (profiler.stop().statistics.length === 0) least = Math.min(least, after - before);
  }
  if (least < Number.POSITIVE_INFINITY) return least;
  throw new Error(`garbage was collected in each of ${RUNS} runs: the work allocates too much to be counted`);
}

/** All small objects begin here; the rest of the heap is tidied up at any time. */
function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')!.space_used_size;
}
