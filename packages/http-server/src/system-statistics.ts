/** The statistics of the machine and of the server's master process as the API tells them. */
import type { Clock } from '@srs/kernel';
import { type CpuTicks, cpuTickNames, type ProcessStat, processStatNames } from './proc-parsers.ts';
import type { Meminfos, Rusages, SelfProcStats, Summaries, SystemProcStats } from './system-documents.ts';
import { type SystemFiles, SystemSampler, TICKS_PER_SECOND } from './system-sampler.ts';

export interface SystemStatisticsOptions {
  /** Of this server, for `self.version`. */
  readonly version: string;
  /** The process that stands for the server; this one unless told. */
  readonly pid?: number;
  /** `stats { disk }`, asked for at each sample. */
  disks(): readonly string[];
  readonly clock: Clock;
  /** For tests: where /proc is read. */
  readonly files?: SystemFiles;
}

/** What only the workers know, added up over all of them. */
export interface ServerTraffic {
  /** When it was asked, in milliseconds since 1970. */
  readonly sampleTimeMs: number;
  /** Since the start of the server, of clients that have left, too. */
  readonly recvBytes: number;
  readonly sendBytes: number;
  /** Average since the start. */
  readonly recvKbps: number;
  readonly sendKbps: number;
  /** Current connections of all kinds. */
  readonly connections: number;
}

const round = (value: number, decimals: number): number => Math.round(value * 10 ** decimals) / 10 ** decimals;
const fraction = (part: number, whole: number): number => (whole > 0 ? round(part / whole, 4) : 0);

/** Where nothing can be read (no /proc), every document is there with `ok: false` and zeros. */
export class SystemStatistics {
  readonly #options: SystemStatisticsOptions;
  readonly #pid: number;
  readonly #sampler: SystemSampler;
  readonly #createdMs: number;
  /** By the monotonic clock; found when the process is first seen. */
  #serverStartMs: number | undefined;

  constructor(options: SystemStatisticsOptions) {
    const { pid = process.pid, clock, files } = options;
    this.#options = options;
    this.#pid = pid;
    this.#createdMs = clock.nowMs();
    this.#sampler = new SystemSampler({ pid, clock, disks: () => options.disks(), ...(files === undefined ? {} : { files }) });
  }

  /** Begins to sample, every 3 s and more. Resolves when everything has been sampled once. */
  async start(): Promise<void> {
    await this.#sampler.start();
    this.#findStart();
  }

  stop(): void {
    this.#sampler.stop();
  }

  /** Samples what is due, out of turn. */
  async sampleNow(): Promise<void> {
    await this.#sampler.sampleNow();
    this.#findStart();
  }

  rusages(): Rusages {
    const sampled = this.#sampler.sample.process;
    const facts = sampled?.value;
    return {
      ok: sampled !== undefined,
      sample_time: sampled?.atMs ?? 0,
      ru_utime: Math.floor((facts?.stat.utime ?? 0) / TICKS_PER_SECOND),
      ru_stime: Math.floor((facts?.stat.stime ?? 0) / TICKS_PER_SECOND),
      ru_maxrss: facts?.peakResident ?? 0,
      // Linux leaves these at zero.
      ru_ixrss: 0,
      ru_idrss: 0,
      ru_isrss: 0,
      ru_minflt: facts?.stat.minflt ?? 0,
      ru_majflt: facts?.stat.majflt ?? 0,
      ru_nswap: 0,
      ru_inblock: facts?.inBlocks ?? 0,
      ru_oublock: facts?.outBlocks ?? 0,
      ru_msgsnd: 0,
      ru_msgrcv: 0,
      ru_nsignals: 0,
      ru_nvcsw: facts?.voluntarySwitches ?? 0,
      ru_nivcsw: facts?.involuntarySwitches ?? 0,
    };
  }

  selfProcStats(): SelfProcStats {
    const sampled = this.#sampler.sample.process;
    return {
      ok: sampled !== undefined,
      sample_time: sampled?.atMs ?? 0,
      percent: round(sampled?.percent ?? 0, 4),
      ...(sampled?.value.stat ?? this.#noProcess),
    };
  }

  systemProcStats(): SystemProcStats {
    const sampled = this.#sampler.sample.cpu;
    return {
      ok: sampled !== undefined,
      sample_time: sampled?.atMs ?? 0,
      percent: round(sampled?.percent ?? 0, 4),
      ...(sampled?.value ?? noTicks),
    };
  }

  meminfos(): Meminfos {
    const sampled = this.#sampler.sample.memory;
    const { MemTotal, MemFree, Buffers, Cached, SwapTotal, SwapFree } = sampled?.value ?? noMemory;
    const active = MemTotal - MemFree;
    const inUse = active - Buffers - Cached;
    return {
      ok: sampled !== undefined,
      sample_time: sampled?.atMs ?? 0,
      percent_ram: fraction(inUse, MemTotal),
      percent_swap: fraction(SwapTotal - SwapFree, SwapTotal),
      MemActive: active,
      RealInUse: inUse,
      NotInUse: MemTotal - inUse,
      MemTotal,
      MemFree,
      Buffers,
      Cached,
      SwapTotal,
      SwapFree,
    };
  }

  /** The `data` of `/api/v1/summaries`. */
  summaries(traffic: ServerTraffic): Summaries {
    const { process, cpu, sockets, disk, memory, uptime, load, network, processors, argv, cwd } = this.#sampler.sample;
    const sources = [process, cpu, sockets, disk, memory, uptime, load, network];
    const { clock, version } = this.#options;
    const meminfos = this.meminfos();
    return {
      ok: sources.every((source) => source !== undefined),
      now_ms: clock.wallMs(),
      self: {
        version,
        pid: this.#pid,
        ppid: process?.value.stat.ppid ?? 0,
        argv,
        cwd,
        mem_kbyte: process?.value.peakResident ?? 0,
        mem_percent: fraction(process?.value.peakResident ?? 0, meminfos.MemTotal),
        cpu_percent: round(process?.percent ?? 0, 4),
        srs_uptime: round((clock.nowMs() - (this.#serverStartMs ?? this.#createdMs)) / 1000, 1),
      },
      system: {
        cpu_percent: round(cpu?.percent ?? 0, 4),
        disk_read_KBps: disk?.value.readKBps ?? 0,
        disk_write_KBps: disk?.value.writeKBps ?? 0,
        disk_busy_percent: round(disk?.value.busyPercent ?? 0, 4),
        mem_ram_kbyte: meminfos.MemTotal,
        mem_ram_percent: meminfos.percent_ram,
        mem_swap_kbyte: meminfos.SwapTotal,
        mem_swap_percent: meminfos.percent_swap,
        cpus: processors.configured,
        cpus_online: processors.online,
        uptime: uptime?.value.uptime ?? 0,
        ilde_time: uptime?.value.idleTime ?? 0,
        load_1m: load?.value.load1m ?? 0,
        load_5m: load?.value.load5m ?? 0,
        load_15m: load?.value.load15m ?? 0,
        net_sample_time: network?.atMs ?? 0,
        net_recv_bytes: network?.value.recvBytes ?? 0,
        net_send_bytes: network?.value.sendBytes ?? 0,
        srs_sample_time: traffic.sampleTimeMs,
        srs_recv_bytes: traffic.recvBytes,
        srs_send_bytes: traffic.sendBytes,
        srs_recv_kbps: traffic.recvKbps,
        srs_send_kbps: traffic.sendKbps,
        conn_sys: sockets?.value.tcp ?? 0,
        conn_sys_et: sockets?.value.established ?? 0,
        conn_sys_tw: sockets?.value.timeWait ?? 0,
        conn_sys_udp: sockets?.value.udp ?? 0,
        conn_srs: traffic.connections,
      },
    };
  }

  /** When the process started is told in ticks since the machine did. */
  #findStart(): void {
    const { process, uptime } = this.#sampler.sample;
    if (this.#serverStartMs !== undefined || process === undefined || uptime === undefined) return;
    const ageSeconds = uptime.value.uptime - process.value.stat.starttime / TICKS_PER_SECOND;
    this.#serverStartMs = this.#options.clock.nowMs() - Math.max(0, ageSeconds) * 1000;
  }

  get #noProcess(): ProcessStat {
    return { pid: this.#pid, comm: '', state: '', ...zeros(processStatNames) };
  }
}

function zeros<Name extends string>(names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
}

const noTicks: CpuTicks = zeros(cpuTickNames);
const noMemory = { MemTotal: 0, MemFree: 0, Buffers: 0, Cached: 0, SwapTotal: 0, SwapFree: 0 };
