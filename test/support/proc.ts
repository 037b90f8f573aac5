/** What the kernel knows of processes (Linux, /proc): trees, descriptors, memory, processor time. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** One tick of /proc's processor times: 100 a second on every Linux that Node runs on. */
const TICK_MS = 10;

/** Positions in /proc/PID/stat, counted from the field after the command's closing bracket. */
const statField = { state: 0, parent: 1, session: 3, userTicks: 11, systemTicks: 12 } as const;

interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  readonly isZombie: boolean;
  readonly cpuMs: number;
}

/** Undefined when there is no such process (any more). */
function readStat(pid: number): ProcessStat | undefined {
  const text = readIfThere(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // The command's name may hold spaces and brackets, so the fields are counted from its last bracket.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const number = (index: number) => Number(fields[index]);
  return {
    pid,
    parent: number(statField.parent),
    session: number(statField.session),
    isZombie: fields[statField.state] === 'Z',
    cpuMs: (number(statField.userTicks) + number(statField.systemTicks)) * TICK_MS,
  };
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // The process ended, or belongs to somebody else.
    return undefined;
  }
}

function allProcesses(): ProcessStat[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readStat(Number(name)))
    .filter((stat) => stat !== undefined);
}

export function isAlive(pid: number): boolean {
  const stat = readStat(pid);
  return stat !== undefined && !stat.isZombie;
}

/**
 * The living processes that descend from `leader` or share the session it leads, `leader` itself first. The session finds also
 * those whose parent has died.
 */
export function processTree(leader: number): number[] {
  // Everything descends from 0 and 1: whoever asks for their tree in order to end it would end the machine.
  if (leader <= 1) throw new RangeError(`process ${leader} is not one that a test has started`);
  const all = allProcesses().filter((stat) => !stat.isZombie);
  const members = new Set([leader]);
  for (let size = 0; size !== members.size; ) {
    size = members.size;
    for (const stat of all) if (members.has(stat.parent) || stat.session === leader) members.add(stat.pid);
  }
  return [...members].filter((pid) => all.some((stat) => stat.pid === pid));
}

export function commandLine(pid: number): string {
  return (readIfThere(`/proc/${pid}/cmdline`) ?? '').replaceAll('\0', ' ').trim();
}

export interface Descriptor {
  readonly fd: number;
  /** `socket:[123]`, `/memfd:name (deleted)`, a path. */
  readonly target: string;
}

/** The open descriptors of a process; empty when it has ended. */
export function openDescriptors(pid: number): Descriptor[] {
  let names: string[];
  try {
    names = readdirSync(`/proc/${pid}/fd`);
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    try {
      return [{ fd: Number(name), target: readlinkSync(`/proc/${pid}/fd/${name}`) }];
    } catch {
      // Closed since the folder was read.
      return [];
    }
  });
}

export interface ProcessMemory {
  /** Resident, shared pages counted in full. */
  readonly rssBytes: number;
  /** Resident, shared pages divided among those who share them: the figure to compare. */
  readonly pssBytes: number;
  /** Resident memory of files and shared mappings (the rings are here). */
  readonly sharedBytes: number;
}

/** All zero when the process has ended. */
export function processMemory(pid: number): ProcessMemory {
  const status = readIfThere(`/proc/${pid}/status`) ?? '';
  const rollup = readIfThere(`/proc/${pid}/smaps_rollup`) ?? '';
  return {
    rssBytes: kilobytes(status, 'VmRSS'),
    pssBytes: kilobytes(rollup, 'Pss'),
    sharedBytes: kilobytes(status, 'RssFile') + kilobytes(status, 'RssShmem'),
  };
}

function kilobytes(text: string, key: string): number {
  const match = new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text);
  return match === null ? 0 : Number(match[1]) * 1024;
}

/** Processor time used so far, all threads, in steps of 10 ms. */
export function processCpuMs(pid: number): number {
  return readStat(pid)?.cpuMs ?? 0;
}

export interface Mapping {
  readonly sizeBytes: number;
  /** `rw-s` is shared memory. */
  readonly permissions: string;
  readonly name: string;
}

export function mappings(pid: number): Mapping[] {
  const text = readIfThere(`/proc/${pid}/maps`) ?? '';
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [range = '', permissions = '', , , , ...name] = line.split(/ +/);
      const [start = '0', end = '0'] = range.split('-');
      return { sizeBytes: Number.parseInt(end, 16) - Number.parseInt(start, 16), permissions, name: name.join(' ') };
    });
}

/** Established TCP connections of this machine whose own end is that port, both ends of each on loopback counted apart. */
export function connectionsAt(port: number): number {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return ['/proc/net/tcp', '/proc/net/tcp6']
    .flatMap((table) => readIfThere(table)?.split('\n').slice(1) ?? [])
    .map((line) => line.trim().split(/\s+/))
    .filter(([, own = '', , state]) => own.endsWith(suffix) && state === ESTABLISHED).length;
}

const ESTABLISHED = '01';
