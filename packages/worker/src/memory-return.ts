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
  #isSettling = false;

  constructor(options: MemoryReturnOptions = thisProcess) {
    this.#options = options;
  }

  /** @param cpuPercent of one core, in the window that has just ended */
  endWindow(cpuPercent: number): void {
    const rssBytes = this.#options.rssBytes();
    // The system has its pages back some seconds after they were released.
    if (this.#isSettling) this.#smallestBytes = rssBytes;
    else this.#smallestBytes = Math.min(this.#smallestBytes, rssBytes);
    this.#isSettling = false;
    if (cpuPercent >= CALM_CPU_PERCENT || rssBytes < this.#smallestBytes * WORTHWHILE_GROWTH) return;
    this.#options.release();
    this.#isSettling = true;
  }
}

let collectGarbage: (() => void) | undefined;

function releaseMemory(): void {
  collectGarbage ??= findGarbageCollector();
  collectGarbage();
  trimMemory();
}

/** Node has no other way to the collector that works without a flag on the command line. */
function findGarbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
