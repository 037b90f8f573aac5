/** Measures the processes of the server from outside. */
import type { WatchedProcess } from './load-plan.ts';
import { type ProcessTimes, processMemory, processTimes, processTitle, processTree } from './process-usage.ts';

interface ServerProcessFigures {
  readonly pid: number;
  readonly label: string;
  /** Of one core. */
  readonly cpuPercent: number;
  readonly userPercent: number;
  readonly systemPercent: number;
  readonly rssKb: number;
  readonly pssKb: number;
  /** Without the pages of files. */
  readonly dataKb: number;
  /** A second, of the main thread. */
  readonly voluntarySwitches: number;
}

export interface ServerFigures {
  readonly cpuPercent: number;
  readonly pssKb: number;
  readonly processes: readonly ServerProcessFigures[];
}

const MAX_LABEL = 40;
const NO_TIMES: ProcessTimes = { userMs: 0, systemMs: 0, voluntarySwitches: 0 };

export class ServerWatch {
  readonly #labels = new Map<number, string>();
  /** Before the load came. */
  readonly #firstDataKb: number;
  #times = new Map<number, ProcessTimes>();
  #sinceMs = 0;

  /** Processes that descend from `trees` are looked for once, now. */
  constructor(watched: readonly WatchedProcess[], trees: readonly number[]) {
    for (const { pid, label } of watched) this.#labels.set(pid, label ?? titleOf(pid));
    for (const pid of trees.flatMap(processTree)) if (!this.#labels.has(pid)) this.#labels.set(pid, titleOf(pid));
    this.#firstDataKb = this.#dataKb();
    this.begin();
  }

  get isEmpty(): boolean {
    return this.#labels.size === 0;
  }

  /** Memory beside pages of files that has been added since the watch was made. */
  get addedDataKb(): number {
    return this.#dataKb() - this.#firstDataKb;
  }

  begin(): void {
    this.#sinceMs = performance.now();
    this.#times = new Map([...this.#labels.keys()].map((pid) => [pid, processTimes(pid) ?? NO_TIMES]));
  }

  /** Of one core, all together, since `begin`; cheap. */
  cpuPercent(): number {
    const elapsedMs = Math.max(performance.now() - this.#sinceMs, 1);
    let sumMs = 0;
    for (const [pid, before] of this.#times) {
      const now = processTimes(pid) ?? before;
      sumMs += now.userMs + now.systemMs - before.userMs - before.systemMs;
    }
    return (sumMs * 100) / elapsedMs;
  }

  /** Since `begin`. The kernel walks through all memory of each process for it: not for every second. */
  figures(): ServerFigures {
    const elapsedMs = Math.max(performance.now() - this.#sinceMs, 1);
    const processes = [...this.#labels].map(([pid, label]): ServerProcessFigures => {
      const before = this.#times.get(pid) ?? NO_TIMES;
      const now = processTimes(pid) ?? before;
      const userPercent = ((now.userMs - before.userMs) * 100) / elapsedMs;
      const systemPercent = ((now.systemMs - before.systemMs) * 100) / elapsedMs;
      const voluntarySwitches = ((now.voluntarySwitches - before.voluntarySwitches) * 1000) / elapsedMs;
      const cpuPercent = userPercent + systemPercent;
      return { pid, label, cpuPercent, userPercent, systemPercent, ...processMemory(pid), voluntarySwitches };
    });
    const sum = (value: (one: ServerProcessFigures) => number): number => processes.reduce((total, one) => total + value(one), 0);
    return { cpuPercent: sum(({ cpuPercent }) => cpuPercent), pssKb: sum(({ pssKb }) => pssKb), processes };
  }

  #dataKb(): number {
    return [...this.#labels.keys()].reduce((sum, pid) => sum + processMemory(pid).dataKb, 0);
  }
}

function titleOf(pid: number): string {
  return processTitle(pid).slice(0, MAX_LABEL);
}
