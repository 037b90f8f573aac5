/** Watches how much of the machine this process takes and how late its event loop is; memory goes back when it is calm. */
import { readFile } from 'node:fs/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Distribution, type DistributionFigures } from '@srs/kernel';
import type { ProcessLoad } from '@srs/survey';
import { longestWaitMs } from './event-waits.ts';
import { addRecorded } from './histogram-ranges.ts';
import { MemoryReturn } from './memory-return.ts';

/**
 * How often the event loop is looked at: every 20 ms costs an idle process 0.4 % of a core, this 0.16 %. The histogram measures from tick to
 * tick: this is taken off its figures.
 */
const RESOLUTION_MS = 50;
const WINDOW_MS = 10_000;
const NS_PER_MS = 1e6;

type WindowFigures = Pick<ProcessLoad, 'eventLoop' | 'cpuPercent'>;

/** Starts with the constructor; `close` ends it. Keeps no process alive. */
export class ProcessWatch {
  readonly #delays: ReturnType<typeof monitorEventLoopDelay>;
  readonly #timer: NodeJS.Timeout;
  readonly #memory = new MemoryReturn();
  /** Of all full windows. */
  readonly #allDelays = new Distribution();
  #startedMs = performance.now();
  #cpu = process.cpuUsage();
  #lastWindow: WindowFigures | undefined;

  constructor() {
    this.#delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#delays.enable();
    this.#timer = setInterval(() => this.#endWindow(), WINDOW_MS).unref();
  }

  async load(): Promise<ProcessLoad> {
    const { rss, heapUsed, external } = process.memoryUsage();
    return {
      memory: { rssBytes: rss, pssBytes: await readPssBytes(), heapUsedBytes: heapUsed, externalBytes: external },
      ...(this.#lastWindow ?? this.#figures()),
    };
  }

  /** How late the event loop was, in all windows that are over. */
  get delaysMs(): DistributionFigures {
    return this.#allDelays.figures;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#delays.disable();
  }

  #endWindow(): void {
    this.#lastWindow = this.#figures();
    this.#startedMs = performance.now();
    this.#cpu = process.cpuUsage();
    addRecorded(this.#delays, lateMs, this.#allDelays);
    this.#delays.reset();
    // Last, so that the next window tells what it has cost.
    this.#memory.endWindow(this.#lastWindow.cpuPercent);
  }

  #figures(): WindowFigures {
    const elapsedMs = performance.now() - this.#startedMs;
    const { user, system } = process.cpuUsage(this.#cpu);
    const { count } = this.#delays;
    const latenessMs = Array.from({ length: count }, (_, rank) => lateMs(this.#delays.percentile(((rank + 1) / count) * 100)));
    return {
      eventLoop: {
        windowSeconds: Math.round(elapsedMs / 1000),
        p50Ms: round1(longestWaitMs(latenessMs, RESOLUTION_MS, 0.5)),
        p99Ms: round1(longestWaitMs(latenessMs, RESOLUTION_MS, 0.99)),
        maxMs: lateMs(this.#delays.max),
      },
      cpuPercent: elapsedMs > 0 ? round1((user + system) / 10 / elapsedMs) : 0,
    };
  }
}

const round1 = (value: number): number => Math.round(value * 10) / 10;

const lateMs = (tickNs: number): number => round1(Math.max(0, tickNs / NS_PER_MS - RESOLUTION_MS));

/** Null where there is no such file (before Linux 4.14, other systems). */
async function readPssBytes(): Promise<number | null> {
  try {
    const kilobytes = /^Pss:\s*(\d+) kB$/m.exec(await readFile('/proc/self/smaps_rollup', 'utf8'))?.[1];
    return kilobytes === undefined ? null : Number(kilobytes) * 1024;
  } catch {
    return null;
  }
}
