/** How busy this process itself is: a tester that cannot keep up measures itself. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { TesterFigures } from './load-figures.ts';

const RESOLUTION_MS = 10;

export class TesterLoad {
  readonly #delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #cpu = process.cpuUsage();
  #startMs = performance.now();

  constructor() {
    this.#delays.enable();
  }

  begin(): void {
    this.#delays.reset();
    this.#cpu = process.cpuUsage();
    this.#startMs = performance.now();
  }

  /** Since the last `begin`. */
  figures(): TesterFigures {
    const { user, system } = process.cpuUsage(this.#cpu);
    const elapsedMs = Math.max(performance.now() - this.#startMs, 1);
    // A timer that is on time is counted with its whole interval.
    const delayMs = this.#delays.count === 0 ? 0 : this.#delays.percentile(99) / 1e6 - RESOLUTION_MS;
    return { pid: process.pid, cpuPercent: (user + system) / 10 / elapsedMs, loopDelayP99Ms: Math.max(0, delayMs) };
  }

  stop(): void {
    this.#delays.disable();
  }
}
