/** What the kernel knows of a process: time on the processor and memory (Linux, /proc). */
import { readdirSync, readFileSync } from 'node:fs';

/** One tick of /proc's processor times: 100 a second on every Linux that Node runs on. */
const TICK_MS = 10;

/** Positions in /proc/PID/stat, counted from the field after the command's closing bracket. */
const statFields = { parent: 1, userTicks: 11, systemTicks: 12 } as const;

export interface ProcessTimes {
  readonly userMs: number;
  readonly systemMs: number;
  /** How often its main thread waited for something. */
  readonly voluntarySwitches: number;
}

export interface ProcessMemory {
  readonly rssKb: number;
  /** Resident, shared pages divided among those who share them. */
  readonly pssKb: number;
  /**
   * `pssKb` without the pages of files. Those belong to programs and libraries, and how they are divided depends on who else runs
   * them: when a tester starts that is a Node process too, the share of every Node server shrinks by megabytes.
   */
  readonly dataKb: number;
}

/** Undefined when there is no such process (any more). */
export function processTimes(pid: number): ProcessTimes | undefined {
  const fields = statOf(pid);
  const status = readIfThere(`/proc/${pid}/status`);
  if (fields === undefined || status === undefined) return undefined;
  return {
    userMs: Number(fields[statFields.userTicks]) * TICK_MS,
    systemMs: Number(fields[statFields.systemTicks]) * TICK_MS,
    voluntarySwitches: numberIn(status, /^voluntary_ctxt_switches:\s+(\d+)/m),
  };
}

/** Zero when there is no such process, or it belongs to somebody else. */
export function processMemory(pid: number): ProcessMemory {
  const rollup = readIfThere(`/proc/${pid}/smaps_rollup`) ?? '';
  const pssKb = numberIn(rollup, /^Pss:\s+(\d+) kB/m);
  return {
    rssKb: numberIn(readIfThere(`/proc/${pid}/status`) ?? '', /^VmRSS:\s+(\d+) kB/m),
    pssKb,
    // Before Linux 5.9 the kernel does not tell, and everything counts.
    dataKb: pssKb - numberIn(rollup, /^Pss_File:\s+(\d+) kB/m),
  };
}

/** The command line, or what the process has put in its place. */
export function processTitle(pid: number): string {
  return (readIfThere(`/proc/${pid}/cmdline`) ?? '').replaceAll('\0', ' ').trim();
}

/** `root` and all that descend from it; empty when it does not live. */
export function processTree(root: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const fields = Number.isInteger(pid) ? statOf(pid) : undefined;
    if (fields !== undefined) parents.set(pid, Number(fields[statFields.parent]));
  }
  const descends = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 0; at = parents.get(at)) if (at === root) return true;
    return false;
  };
  return [...parents.keys()].filter(descends).sort((a, b) => a - b);
}

function statOf(pid: number): string[] | undefined {
  const text = readIfThere(`/proc/${pid}/stat`);
  // The command's name may hold spaces and brackets, so the fields are counted from its last bracket.
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // The process ended, or belongs to somebody else.
    return undefined;
  }
}

function numberIn(text: string, pattern: RegExp): number {
  return Number(pattern.exec(text)?.[1] ?? 0);
}
