/** Reads the texts of /proc. A text that is not what it should be gives null, never an error: kernels and containers differ. */

/** Numbers as the kernel prints them; what is no number counts as zero. */
function numbers(words: readonly string[]): number[] {
  return words.map((word) => {
    const value = Number(word);
    return Number.isFinite(value) ? value : 0;
  });
}

const words = (text: string): string[] => text.trim().split(/\s+/);

/** The names of /proc/PID/stat after `pid`, `comm` and `state`, in the order of the kernel. */
export const processStatNames = [
  'ppid',
  'pgrp',
  'session',
  'tty_nr',
  'tpgid',
  'flags',
  'minflt',
  'cminflt',
  'majflt',
  'cmajflt',
  'utime',
  'stime',
  'cutime',
  'cstime',
  'priority',
  'nice',
  'num_threads',
  'itrealvalue',
  'starttime',
  'vsize',
  'rss',
  'rsslim',
  'startcode',
  'endcode',
  'startstack',
  'kstkesp',
  'kstkeip',
  'signal',
  'blocked',
  'sigignore',
  'sigcatch',
  'wchan',
  'nswap',
  'cnswap',
  'exit_signal',
  'processor',
  'rt_priority',
  'policy',
  'delayacct_blkio_ticks',
  'guest_time',
  'cguest_time',
] as const;

type ProcessStatName = (typeof processStatNames)[number];

export interface ProcessStat extends Readonly<Record<ProcessStatName, number>> {
  readonly pid: number;
  /** With its parentheses. */
  readonly comm: string;
  readonly state: string;
}

/** Every kernel has at least these: up to `rss`. */
const MIN_STAT_FIELDS = processStatNames.indexOf('rss') + 1;

/**
 * /proc/PID/stat. A program may call itself what it likes, also `a) R 1 (b`: the name ends at the last parenthesis. Fields that an
 * older kernel does not have are zero.
 */
export function parseProcessStat(text: string): ProcessStat | null {
  const [, pid, comm, rest] = /^(\d+) (\(.*\)) (.*)$/s.exec(text.trim()) ?? [];
  if (pid === undefined || comm === undefined || rest === undefined) return null;
  const [state, ...fields] = words(rest);
  if (state?.length !== 1 || fields.length < MIN_STAT_FIELDS) return null;
  const values = numbers(fields);
  const named = Object.fromEntries(processStatNames.map((name, index) => [name, values[index] ?? 0]));
  return { pid: Number(pid), comm, state, ...(named as Record<ProcessStatName, number>) };
}

export const cpuTickNames = ['user', 'nice', 'sys', 'idle', 'iowait', 'irq', 'softirq', 'steal', 'guest'] as const;
/** Ticks of all processors together since the start of the machine. */
export type CpuTicks = Readonly<Record<(typeof cpuTickNames)[number], number>>;

/** The line `cpu` of /proc/stat. */
export function parseCpuTicks(text: string): CpuTicks | null {
  const line = /^cpu\s+(.*)$/m.exec(text)?.[1];
  if (line === undefined) return null;
  const values = numbers(words(line));
  if (values.length < 4) return null;
  return Object.fromEntries(cpuTickNames.map((name, index) => [name, values[index] ?? 0])) as CpuTicks;
}

const memoryNames = ['MemTotal', 'MemFree', 'Buffers', 'Cached', 'SwapTotal', 'SwapFree'] as const;
/** In kB. */
export type MemoryInfo = Readonly<Record<(typeof memoryNames)[number], number>>;

/** /proc/meminfo. */
export function parseMemoryInfo(text: string): MemoryInfo | null {
  const entries = memoryNames.map((name) => [name, lineValue(text, name)] as const);
  const found = Object.fromEntries(entries.map(([name, value]) => [name, value ?? 0])) as MemoryInfo;
  return found.MemTotal > 0 ? found : null;
}

/** What stands behind `name` in a text of lines `name value` or `name: value kB`. */
export function lineValue(text: string, name: string): number | null {
  const digits = new RegExp(`^${name}:?[ \\t]+(\\d+)`, 'm').exec(text)?.[1];
  return digits === undefined ? null : Number(digits);
}

export interface DiskTraffic {
  /** kB since the start of the machine. */
  readonly pagesIn: number;
  readonly pagesOut: number;
}

/** /proc/vmstat. */
export function parseDiskTraffic(text: string): DiskTraffic | null {
  const pagesIn = lineValue(text, 'pgpgin');
  const pagesOut = lineValue(text, 'pgpgout');
  return pagesIn === null || pagesOut === null ? null : { pagesIn, pagesOut };
}

/** In a line of /proc/diskstats: the device, and the milliseconds in which it had something to do. */
const DISK_NAME_FIELD = 2;
const DISK_BUSY_FIELD = 12;

/** /proc/diskstats. @returns milliseconds in which the named devices had something to do, all added up */
export function parseDiskBusyMs(text: string, devices: readonly string[]): number {
  const wanted = new Set(devices);
  let busyMs = 0;
  for (const line of text.split('\n')) {
    const fields = words(line);
    const name = fields[DISK_NAME_FIELD];
    if (name !== undefined && wanted.has(name)) busyMs += numbers([fields[DISK_BUSY_FIELD] ?? ''])[0]!;
  }
  return busyMs;
}

export interface LoadAverages {
  readonly load1m: number;
  readonly load5m: number;
  readonly load15m: number;
}

/** /proc/loadavg. */
export function parseLoadAverages(text: string): LoadAverages | null {
  const [, load1m, load5m, load15m] = /^(\d+\.\d+) (\d+\.\d+) (\d+\.\d+)\b/.exec(text) ?? [];
  return load15m === undefined ? null : { load1m: Number(load1m), load5m: Number(load5m), load15m: Number(load15m) };
}

/** In seconds; idle time is that of all processors together. */
export interface Uptime {
  readonly uptime: number;
  readonly idleTime: number;
}

/** /proc/uptime. */
export function parseUptime(text: string): Uptime | null {
  const [, uptime, idleTime] = /^(\d+\.\d+) (\d+\.\d+)\b/.exec(text) ?? [];
  return idleTime === undefined ? null : { uptime: Number(uptime), idleTime: Number(idleTime) };
}

export interface NetworkTraffic {
  readonly recvBytes: number;
  readonly sendBytes: number;
}

/** In a line of /proc/net/dev, behind the name. */
const NET_RECV_FIELD = 0;
const NET_SEND_FIELD = 8;

/** /proc/net/dev: all interfaces but `lo`. The name ends at the last colon (`eth0:1` has one of its own), with or without a blank. */
export function parseNetworkTraffic(text: string): NetworkTraffic | null {
  let isFound = false;
  let recvBytes = 0;
  let sendBytes = 0;
  for (const line of text.split('\n')) {
    const [, name, rest] = /^\s*(\S+):\s*(\d.*)$/.exec(line) ?? [];
    if (name === undefined || rest === undefined) continue;
    isFound = true;
    if (name === 'lo') continue;
    const values = numbers(words(rest));
    recvBytes += values[NET_RECV_FIELD] ?? 0;
    sendBytes += values[NET_SEND_FIELD] ?? 0;
  }
  return isFound ? { recvBytes, sendBytes } : null;
}

export interface SocketCounts {
  /** TCP sockets, those in time-wait included. */
  readonly tcp: number;
  readonly timeWait: number;
  readonly udp: number;
}

/** /proc/net/sockstat. */
export function parseSocketCounts(text: string): SocketCounts | null {
  const tcp = /^TCP:(.*)$/m.exec(text)?.[1];
  if (tcp === undefined) return null;
  const named = (line: string, name: string): number => Number(new RegExp(` ${name} (\\d+)`).exec(line)?.[1] ?? 0);
  const timeWait = named(tcp, 'tw');
  return { tcp: named(tcp, 'alloc') + timeWait, timeWait, udp: named(/^UDP:(.*)$/m.exec(text)?.[1] ?? '', 'inuse') };
}

/** /proc/net/snmp: TCP connections that are established. Its lines come in pairs, names over values, and kernels add columns. */
export function parseEstablished(text: string): number | null {
  const [names, values] = Array.from(text.matchAll(/^Tcp:(.*)$/gm), ([, line]) => words(line ?? ''));
  const index = names?.indexOf('CurrEstab') ?? -1;
  const value = values?.[index];
  return value === undefined ? null : numbers([value])[0]!;
}

/** How many numbers a list like `0-3,8` of /sys/devices/system/cpu has. */
export function countListed(text: string): number | null {
  let count = 0;
  for (const range of text.trim().split(',')) {
    const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
    if (first === undefined) return null;
    count += last === undefined ? 1 : Math.max(0, Number(last) - Number(first) + 1);
  }
  return count;
}
