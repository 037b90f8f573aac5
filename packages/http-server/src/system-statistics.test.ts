import { ManualClock } from '@srs/kernel';
import { Value } from 'typebox/value';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  meminfosSchema,
  rusagesSchema,
  selfProcStatsSchema,
  summariesSchema,
  systemProcStatsSchema,
} from './system-documents.ts';
import { SystemStatistics } from './system-statistics.ts';

const PID = 4711;

/** A machine as its files tell of it, to be changed by the test. */
function machine() {
  return {
    [`/proc/${PID}/stat`]: `${PID} (srs: master) S 1 ${PID} ${PID} 0 -1 4194560 9000 0 3 0 1234 567 0 0 20 0 11 0 100000 1000000 20000 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0`,
    [`/proc/${PID}/status`]: 'Name:\tsrs\nVmHWM:\t   90000 kB\nvoluntary_ctxt_switches:\t77\nnonvoluntary_ctxt_switches:\t8\n',
    [`/proc/${PID}/io`]: 'rchar: 1\nread_bytes: 1024\nwrite_bytes: 5632\n',
    [`/proc/${PID}/cmdline`]: 'node\0/opt/srs/srs.ts\0-c\0conf/srs.conf\0',
    '/proc/stat': 'cpu  1000 0 500 8000 200 0 300 0 100 0\n',
    '/proc/net/sockstat': 'sockets: used 9\nTCP: inuse 7 orphan 0 tw 3 alloc 8 mem 1\nUDP: inuse 2 mem 0\n',
    '/proc/net/snmp': 'Tcp: CurrEstab\nTcp: 5\n',
    '/proc/vmstat': 'pgpgin 1000\npgpgout 2000\n',
    '/proc/diskstats': '8 0 sda 0 0 0 0 0 0 0 0 0 1000 0\n8 1 sdb 0 0 0 0 0 0 0 0 0 500 0\n',
    '/proc/meminfo':
      'MemTotal: 1000000 kB\nMemFree: 400000 kB\nBuffers: 50000 kB\nCached: 150000 kB\nSwapTotal: 2000 kB\nSwapFree: 500 kB\n',
    '/proc/uptime': '1500.00 2500.50\n',
    '/proc/loadavg': '1.5 2.5 3.5 1/1 1\n',
    '/proc/net/dev': ' face |bytes\n lo: 9 0 0 0 0 0 0 0 9\n eth0: 700 0 0 0 0 0 0 0 800\n',
    '/sys/devices/system/cpu/present': '0-7\n',
    '/sys/devices/system/cpu/online': '0-3\n',
  } as Record<string, string | undefined>;
}

function statisticsOf(texts: Record<string, string | undefined>, disks: readonly string[] = ['sda', 'sdb']) {
  const clock = new ManualClock({ nowMs: 50_000 });
  const read: string[] = [];
  const statistics = new SystemStatistics({
    version: '2.0.0',
    pid: PID,
    clock,
    disks: () => disks,
    files: {
      readFile: async (path) => {
        read.push(path);
        const text = texts[path];
        if (text === undefined) throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' });
        return text;
      },
      readLink: async (path) => {
        if (path !== `/proc/${PID}/cwd` || texts[`/proc/${PID}/stat`] === undefined) throw new Error('no link');
        return '/opt/srs';
      },
    },
  });
  onTestFinished(() => statistics.stop());
  return { statistics, clock, read };
}

const traffic = { sampleTimeMs: 5, recvBytes: 1, sendBytes: 2, recvKbps: 3, sendKbps: 4, connections: 6 };

describe('SystemStatistics', () => {
  it('the summaries have every field of SRS, in its order, with its spellings and fractions', async () => {
    const { statistics, clock } = statisticsOf(machine());
    await statistics.start();
    clock.advance(250);
    const summaries = statistics.summaries(traffic);
    const wallMs = clock.wallMs();
    expect(JSON.stringify(summaries)).toBe(
      JSON.stringify({
        ok: true,
        now_ms: wallMs,
        self: {
          version: '2.0.0',
          pid: PID,
          ppid: 1,
          argv: 'node /opt/srs/srs.ts -c conf/srs.conf',
          cwd: '/opt/srs',
          mem_kbyte: 90000,
          mem_percent: 0.09,
          cpu_percent: 0,
          // The machine is up for 1500 s, and the process started when it was up for 1000 s.
          srs_uptime: 500.3,
        },
        system: {
          cpu_percent: 0,
          disk_read_KBps: 0,
          disk_write_KBps: 0,
          disk_busy_percent: 0,
          mem_ram_kbyte: 1000000,
          mem_ram_percent: 0.4,
          mem_swap_kbyte: 2000,
          mem_swap_percent: 0.75,
          cpus: 8,
          cpus_online: 4,
          uptime: 1500,
          ilde_time: 2500.5,
          load_1m: 1.5,
          load_5m: 2.5,
          load_15m: 3.5,
          net_sample_time: wallMs - 250,
          net_recv_bytes: 700,
          net_send_bytes: 800,
          srs_sample_time: 5,
          srs_recv_bytes: 1,
          srs_send_bytes: 2,
          srs_recv_kbps: 3,
          srs_send_kbps: 4,
          conn_sys: 11,
          conn_sys_et: 5,
          conn_sys_tw: 3,
          conn_sys_udp: 2,
          conn_srs: 6,
        },
      }),
    );
  });

  it('rates are those between two samples', async () => {
    const texts = machine();
    const { statistics, clock } = statisticsOf(texts);
    await statistics.start();
    // Two rounds, so that the disks are due again.
    await statistics.sampleNow();
    clock.advance(4_000);
    texts[`/proc/${PID}/stat`] = texts[`/proc/${PID}/stat`]!.replace(' 1234 567 ', ' 1534 667 ');
    texts['/proc/stat'] = 'cpu  1100 0 550 8200 300 0 350 0 150 0\n';
    texts['/proc/vmstat'] = 'pgpgin 5000\npgpgout 2400\n';
    texts['/proc/diskstats'] = '8 0 sda 0 0 0 0 0 0 0 0 0 3000 0\n8 1 sdb 0 0 0 0 0 0 0 0 0 1500 0\n';
    await statistics.sampleNow();
    // 400 ticks of 10 ms in 4 s.
    expect(statistics.selfProcStats().percent).toBe(1);
    // 100 user, 50 sys and 50 softirq of 500 ticks; guests are users already.
    expect(statistics.systemProcStats().percent).toBe(0.4);
    const { self, system } = statistics.summaries(traffic);
    expect(self.cpu_percent).toBe(1);
    expect(system).toMatchObject({ cpu_percent: 0.4, disk_read_KBps: 1000, disk_write_KBps: 100, disk_busy_percent: 0.75 });
  });

  it('the other documents have the fields of SRS', async () => {
    const { statistics, clock } = statisticsOf(machine());
    await statistics.start();
    const sample_time = clock.wallMs();
    expect(JSON.stringify(statistics.rusages())).toBe(
      JSON.stringify({
        ok: true,
        sample_time,
        ru_utime: 12,
        ru_stime: 5,
        ru_maxrss: 90000,
        ru_ixrss: 0,
        ru_idrss: 0,
        ru_isrss: 0,
        ru_minflt: 9000,
        ru_majflt: 3,
        ru_nswap: 0,
        ru_inblock: 2,
        ru_oublock: 11,
        ru_msgsnd: 0,
        ru_msgrcv: 0,
        ru_nsignals: 0,
        ru_nvcsw: 77,
        ru_nivcsw: 8,
      }),
    );
    expect(Object.keys(statistics.selfProcStats()).join(' ')).toBe(
      'ok sample_time percent pid comm state ppid pgrp session tty_nr tpgid flags minflt cminflt majflt cmajflt utime stime cutime cstime priority nice num_threads itrealvalue starttime vsize rss rsslim startcode endcode startstack kstkesp kstkeip signal blocked sigignore sigcatch wchan nswap cnswap exit_signal processor rt_priority policy delayacct_blkio_ticks guest_time cguest_time',
    );
    expect(statistics.selfProcStats()).toMatchObject({ ok: true, sample_time, comm: '(srs: master)', state: 'S', utime: 1234 });
    expect(statistics.systemProcStats()).toEqual({
      ok: true,
      sample_time,
      percent: 0,
      user: 1000,
      nice: 0,
      sys: 500,
      idle: 8000,
      iowait: 200,
      irq: 0,
      softirq: 300,
      steal: 0,
      guest: 100,
    });
    expect(JSON.stringify(statistics.meminfos())).toBe(
      JSON.stringify({
        ok: true,
        sample_time,
        percent_ram: 0.4,
        percent_swap: 0.75,
        MemActive: 600000,
        RealInUse: 400000,
        NotInUse: 600000,
        MemTotal: 1000000,
        MemFree: 400000,
        Buffers: 50000,
        Cached: 150000,
        SwapTotal: 2000,
        SwapFree: 500,
      }),
    );
  });

  it('a source is read at its period: 3, 6 or 9 s', async () => {
    const { statistics, read } = statisticsOf(machine());
    await statistics.start();
    read.length = 0;
    for (let round = 0; round < 6; round += 1) await statistics.sampleNow();
    const times = (path: string) => read.filter((one) => one === path).length;
    expect(['/proc/stat', `/proc/${PID}/stat`, '/proc/net/sockstat', '/proc/net/snmp'].map(times)).toEqual([6, 6, 6, 6]);
    expect(['/proc/vmstat', '/proc/diskstats', '/proc/meminfo'].map(times)).toEqual([3, 3, 3]);
    expect(['/proc/uptime', '/proc/loadavg', '/proc/net/dev'].map(times)).toEqual([2, 2, 2]);
  });

  it('without devices to look at, their file is not needed', async () => {
    const { statistics, read } = statisticsOf({ ...machine(), '/proc/diskstats': undefined }, []);
    await statistics.start();
    expect(statistics.summaries(traffic)).toMatchObject({ ok: true, system: { disk_busy_percent: 0 } });
    expect(read).not.toContain('/proc/diskstats');
  });

  it('where there is no /proc everything is there, is zero, and is not ok', async () => {
    const { statistics, clock } = statisticsOf({});
    await statistics.start();
    clock.advance(2_000);
    const documents = [
      [rusagesSchema, statistics.rusages()],
      [selfProcStatsSchema, statistics.selfProcStats()],
      [systemProcStatsSchema, statistics.systemProcStats()],
      [meminfosSchema, statistics.meminfos()],
      [summariesSchema, statistics.summaries(traffic)],
    ] as const;
    for (const [schema, document] of documents) {
      expect(document.ok).toBe(false);
      expect(Value.Check(schema, document)).toBe(true);
    }
    expect(statistics.summaries(traffic)).toMatchObject({ self: { pid: PID, srs_uptime: 2 }, system: { conn_srs: 6 } });
  });

  it.each(Object.keys(machine()).filter((path) => !path.startsWith('/sys') && !/(io|cmdline)$/.test(path)))(
    'without %s the summaries are not ok, and come all the same',
    async (path) => {
      const { statistics } = statisticsOf({ ...machine(), [path]: 'what is this' });
      await statistics.start();
      const summaries = statistics.summaries(traffic);
      // The lists of these two are empty then, which they may be.
      const isOk = path === '/proc/diskstats' || path.endsWith('/status');
      expect(summaries.ok).toBe(isOk);
      expect(Value.Check(summariesSchema, summaries)).toBe(true);
    },
  );

  it('a source that comes back is told again', async () => {
    const texts = machine();
    const meminfo = texts['/proc/meminfo'];
    texts['/proc/meminfo'] = undefined;
    const { statistics } = statisticsOf(texts);
    await statistics.start();
    expect(statistics.meminfos()).toMatchObject({ ok: false, MemTotal: 0 });
    texts['/proc/meminfo'] = meminfo;
    await statistics.sampleNow();
    await statistics.sampleNow();
    expect(statistics.meminfos()).toMatchObject({ ok: true, MemTotal: 1000000 });
  });

  it.runIf(process.platform === 'linux')('of this very machine all is ok and fits the schemas', async () => {
    const statistics = new SystemStatistics({
      version: '2.0.0',
      disks: () => [],
      clock: { nowMs: () => performance.now(), wallMs: () => Date.now() },
    });
    onTestFinished(() => statistics.stop());
    await statistics.start();
    const summaries = statistics.summaries(traffic);
    expect(summaries.ok).toBe(true);
    expect(summaries.self).toMatchObject({ pid: process.pid, ppid: process.ppid, cwd: process.cwd() });
    expect(Math.abs(summaries.self.srs_uptime - process.uptime())).toBeLessThan(2);
    expect(summaries.self.mem_kbyte).toBeGreaterThan(20_000);
    expect(statistics.rusages().ok).toBe(true);
    expect(Value.Check(summariesSchema, summaries)).toBe(true);
    expect(Value.Check(selfProcStatsSchema, statistics.selfProcStats())).toBe(true);
    expect(Value.Check(rusagesSchema, statistics.rusages())).toBe(true);
  });
});
