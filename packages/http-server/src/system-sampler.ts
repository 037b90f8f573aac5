/** Reads /proc at the periods of SRS and keeps what it said last, with the rates since the time before. */
import { readFile, readlink } from 'node:fs/promises';
import { cpus } from 'node:os';
import type { Clock } from '@srs/kernel';
import {
  type CpuTicks,
  countListed,
  type LoadAverages,
  lineValue,
  type MemoryInfo,
  type NetworkTraffic,
  type ProcessStat,
  parseCpuTicks,
  parseDiskBusyMs,
  parseDiskTraffic,
  parseEstablished,
  parseLoadAverages,
  parseMemoryInfo,
  parseNetworkTraffic,
  parseProcessStat,
  parseSocketCounts,
  parseUptime,
  type SocketCounts,
  type Uptime,
} from './proc-parsers.ts';

/** Where the texts come from; both reject when there is no such file. */
export interface SystemFiles {
  readFile(path: string): Promise<string>;
  readLink(path: string): Promise<string>;
}

const realFiles: SystemFiles = { readFile: (path) => readFile(path, 'utf8'), readLink: (path) => readlink(path) };

export interface SystemSamplerOptions {
  /** The process that stands for the server: the master. */
  readonly pid: number;
  /** Devices whose busy time counts; asked for at each sample, so that a reload counts. */
  disks(): readonly string[];
  readonly clock: Clock;
  readonly files?: SystemFiles;
}

/** Something that has been read; undefined parts of `SystemSample` have not, or could not be. */
export interface Sampled<T> {
  readonly value: T;
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

/** A fraction of the time between two samples, with what it was computed from. */
interface Rated<T> extends Sampled<T> {
  readonly percent: number;
}

export interface ProcessFacts {
  readonly stat: ProcessStat;
  /** kB. */
  readonly peakResident: number;
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
  /** Blocks of 512 bytes from and to disks; 0 where this process may not know. */
  readonly inBlocks: number;
  readonly outBlocks: number;
}

export interface DiskRates {
  readonly readKBps: number;
  readonly writeKBps: number;
  readonly busyPercent: number;
}

interface ProcessorCounts {
  readonly configured: number;
  readonly online: number;
}

export interface SystemSample {
  readonly process: Rated<ProcessFacts> | undefined;
  readonly cpu: Rated<CpuTicks> | undefined;
  readonly sockets: Sampled<SocketCounts & { readonly established: number }> | undefined;
  readonly disk: Sampled<DiskRates> | undefined;
  readonly memory: Sampled<MemoryInfo> | undefined;
  readonly uptime: Sampled<Uptime> | undefined;
  readonly load: Sampled<LoadAverages> | undefined;
  readonly network: Sampled<NetworkTraffic> | undefined;
  readonly processors: ProcessorCounts;
  /** Command line and directory of the process; empty where this process may not know. */
  readonly argv: string;
  readonly cwd: string;
}

const PERIOD_MS = 3_000;
/** Disks and memory are sampled every second time, load and network every third. */
const SLOWER = 2;
const SLOWEST = 3;

/** Linux tells processor time to programs in units of 1/100 s, whatever its own clock does (USER_HZ). */
export const TICKS_PER_SECOND = 100;
const BLOCK_BYTES = 512;

interface DiskCounters {
  readonly pagesIn: number;
  readonly pagesOut: number;
  readonly busyMs: number;
  readonly nowMs: number;
}

/** Between `start` and `stop` it samples by itself; it keeps no process alive. */
export class SystemSampler {
  readonly #options: SystemSamplerOptions;
  readonly #files: SystemFiles;
  #timer: NodeJS.Timeout | undefined;
  #round = 0;
  #isSampling = false;
  #lastCpuTimes: { readonly ticks: number; readonly nowMs: number } | undefined;
  #lastDisk: DiskCounters | undefined;
  #sample: SystemSample = {
    process: undefined,
    cpu: undefined,
    sockets: undefined,
    disk: undefined,
    memory: undefined,
    uptime: undefined,
    load: undefined,
    network: undefined,
    processors: { configured: cpus().length, online: cpus().length },
    argv: '',
    cwd: '',
  };

  constructor(options: SystemSamplerOptions) {
    this.#options = options;
    this.#files = options.files ?? realFiles;
  }

  get sample(): SystemSample {
    return this.#sample;
  }

  /** Resolves when everything has been sampled for the first time. */
  async start(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => void this.sampleNow(), PERIOD_MS).unref();
    await this.sampleNow();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** One round: what is due in it. Never rejects. A round that is due while one is under way is left out. */
  async sampleNow(): Promise<void> {
    if (this.#isSampling) return;
    this.#isSampling = true;
    try {
      const round = this.#round;
      this.#round += 1;
      const [fast, slower, slowest] = await Promise.all([
        this.#sampleFast(),
        round % SLOWER === 0 ? this.#sampleSlower() : {},
        round % SLOWEST === 0 ? this.#sampleSlowest() : {},
      ]);
      this.#sample = { ...this.#sample, ...fast, ...slower, ...slowest };
    } finally {
      this.#isSampling = false;
    }
  }

  async #sampleFast(): Promise<Pick<SystemSample, 'process' | 'cpu' | 'sockets'>> {
    const [process, cpu, sockets, established] = await Promise.all([
      this.#readProcess(),
      this.#read('/proc/stat', parseCpuTicks),
      this.#read('/proc/net/sockstat', parseSocketCounts),
      this.#read('/proc/net/snmp', parseEstablished),
    ]);
    return {
      process: process === null ? undefined : { ...this.#stamped(process), percent: this.#processPercent(process.stat) },
      cpu: cpu === null ? undefined : { ...this.#stamped(cpu), percent: cpuPercent(this.#sample.cpu, cpu) },
      sockets: sockets === null || established === null ? undefined : this.#stamped({ ...sockets, established }),
    };
  }

  async #sampleSlower(): Promise<Pick<SystemSample, 'disk' | 'memory'>> {
    const [disk, memory] = await Promise.all([this.#readDisk(), this.#read('/proc/meminfo', parseMemoryInfo)]);
    return { disk: this.#known(disk), memory: this.#known(memory) };
  }

  async #sampleSlowest(): Promise<Omit<SystemSample, 'process' | 'cpu' | 'sockets' | 'disk' | 'memory'>> {
    const { pid } = this.#options;
    const [uptime, load, network, present, online, argv, cwd] = await Promise.all([
      this.#read('/proc/uptime', parseUptime),
      this.#read('/proc/loadavg', parseLoadAverages),
      this.#read('/proc/net/dev', parseNetworkTraffic),
      this.#read('/sys/devices/system/cpu/present', countListed),
      this.#read('/sys/devices/system/cpu/online', countListed),
      this.#read(`/proc/${pid}/cmdline`, (text) => text.split('\0').join(' ').trim()),
      this.#files.readLink(`/proc/${pid}/cwd`).catch(() => null),
    ]);
    const { processors } = this.#sample;
    return {
      uptime: this.#known(uptime),
      load: this.#known(load),
      network: this.#known(network),
      processors: { configured: present ?? processors.configured, online: online ?? processors.online },
      argv: argv ?? '',
      cwd: cwd ?? '',
    };
  }

  async #readProcess(): Promise<ProcessFacts | null> {
    const directory = `/proc/${this.#options.pid}`;
    const [stat, status, io] = await Promise.all([
      this.#read(`${directory}/stat`, parseProcessStat),
      this.#read(`${directory}/status`, (text) => text),
      this.#read(`${directory}/io`, (text) => text),
    ]);
    if (stat === null || status === null) return null;
    return {
      stat,
      peakResident: lineValue(status, 'VmHWM') ?? 0,
      voluntarySwitches: lineValue(status, 'voluntary_ctxt_switches') ?? 0,
      involuntarySwitches: lineValue(status, 'nonvoluntary_ctxt_switches') ?? 0,
      inBlocks: Math.floor((lineValue(io ?? '', 'read_bytes') ?? 0) / BLOCK_BYTES),
      outBlocks: Math.floor((lineValue(io ?? '', 'write_bytes') ?? 0) / BLOCK_BYTES),
    };
  }

  /** Of one core, since the sample before. */
  #processPercent(stat: ProcessStat): number {
    const nowMs = this.#options.clock.nowMs();
    const ticks = stat.utime + stat.stime;
    const last = this.#lastCpuTimes;
    this.#lastCpuTimes = { ticks, nowMs };
    if (last === undefined || nowMs <= last.nowMs) return 0;
    return Math.max(0, (ticks - last.ticks) / TICKS_PER_SECOND / ((nowMs - last.nowMs) / 1000));
  }

  async #readDisk(): Promise<DiskRates | null> {
    const disks = this.#options.disks();
    const [traffic, busyMs] = await Promise.all([
      this.#read('/proc/vmstat', parseDiskTraffic),
      disks.length === 0 ? 0 : this.#read('/proc/diskstats', (text) => parseDiskBusyMs(text, disks)),
    ]);
    if (traffic === null || busyMs === null) return null;
    const nowMs = this.#options.clock.nowMs();
    const last = this.#lastDisk;
    this.#lastDisk = { ...traffic, busyMs, nowMs };
    if (last === undefined || nowMs <= last.nowMs) return { readKBps: 0, writeKBps: 0, busyPercent: 0 };
    const elapsedMs = nowMs - last.nowMs;
    const perSecond = (now: number, before: number): number => Math.max(0, Math.round(((now - before) * 1000) / elapsedMs));
    return {
      readKBps: perSecond(traffic.pagesIn, last.pagesIn),
      writeKBps: perSecond(traffic.pagesOut, last.pagesOut),
      // A reload may have taken devices away.
      busyPercent: Math.max(0, Math.min(disks.length, (busyMs - last.busyMs) / elapsedMs)),
    };
  }

  async #read<T>(path: string, parse: (text: string) => T | null): Promise<T | null> {
    try {
      return parse(await this.#files.readFile(path));
    } catch {
      return null;
    }
  }

  #known<T>(value: T | null): Sampled<T> | undefined {
    return value === null ? undefined : this.#stamped(value);
  }

  #stamped<T>(value: T): Sampled<T> {
    return { value, atMs: this.#options.clock.wallMs() };
  }
}

/** Of all cores. The time of guests is in `user` already, and a processor that waits for a disk could do other work. */
function cpuPercent(before: Sampled<CpuTicks> | undefined, now: CpuTicks): number {
  if (before === undefined) return 0;
  const busy = busyTicks(now) - busyTicks(before.value);
  const idle = idleTicks(now) - idleTicks(before.value);
  return busy + idle <= 0 ? 0 : Math.min(1, Math.max(0, busy / (busy + idle)));
}

const busyTicks = ({ user, nice, sys, irq, softirq, steal }: CpuTicks): number => user + nice + sys + irq + softirq + steal;
const idleTicks = ({ idle, iowait }: CpuTicks): number => idle + iowait;
