/** Gives memory back to the system that a rush of clients has left behind, when the process has nothing better to do. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { trimMemory } from '@srs/native';

/** Of one core, over a whole window: collecting all garbage takes some 30 ms, and nobody may wait for it. */
const CALM_CPU_PERCENT = 5;
/** So much more than after the last time is worth the trouble. */
const WORTHWHILE_GROWTH = 1.05;

export interface MemoryReturnOptions {
  /** Memory of this process, in bytes. */
  rssBytes(): number;
  /** Gives back what can be given back. */
  release(): void;
}

const thisProcess: MemoryReturnOptions = { rssBytes: () => process.memoryUsage.rss(), release: releaseMemory };

/**
 * V8 and the C library keep for long, and often for ever, what they have once had. Whoever has grown and is calm collects its garbage
 * and gives the rest back; what stays is the measure for the next time, so that memory in use is not searched again and again.
 */
export class MemoryReturn {
  readonly #options: MemoryReturnOptions;
  /** As small as it has been since the last time. What loading has left behind at the start is the first to go. */
  #smallestBytes = 0;

  constructor(options: MemoryReturnOptions = thisProcess) {
    this.#options = options;
  }

  /** @param cpuPercent of one core, in the window that has just ended */
  endWindow(cpuPercent: number): void {
    const rssBytes = this.#options.rssBytes();
    this.#smallestBytes = Math.min(this.#smallestBytes, rssBytes);
    if (cpuPercent >= CALM_CPU_PERCENT || rssBytes < this.#smallestBytes * WORTHWHILE_GROWTH) return;
    this.#options.release();
    this.#smallestBytes = this.#options.rssBytes();
  }
}

/** The collector as V8 gives it to those who ask for it. */
type CollectGarbage = (options: { readonly type: 'major'; readonly execution: 'sync'; readonly flavor: 'last-resort' }) => void;

let collectGarbage: CollectGarbage | undefined;

function releaseMemory(): void {
  collectGarbage ??= findGarbageCollector();
  // The other flavor leaves the pages it has emptied in a pool, for seconds or for good.
  collectGarbage({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  trimMemory();
}

/** Node has no other way to the collector that works without a flag on the command line. */
function findGarbageCollector(): CollectGarbage {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as CollectGarbage;
}
