import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  countListed,
  lineValue,
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
  processStatNames,
} from './proc-parsers.ts';

const rest26 =
  'R 27587 27588 17595 34817 27593 4194304 106 1 2 3 40 50 6 7 20 -5 11 0 2320151 2998272 406 18446744073709551615 945 946 947 0 0 0 1 16781312 134235906 0 0 0 17 3 0 0 9 8 7 945 946 947 948 949 950 951 0';

describe('/proc/PID/stat', () => {
  it('has its fields in the order of the kernel', () => {
    const stat = parseProcessStat(`27593 (node) ${rest26}\n`);
    expect(stat).toMatchObject({
      pid: 27593,
      comm: '(node)',
      state: 'R',
      ppid: 27587,
      tpgid: 27593,
      minflt: 106,
      utime: 40,
      stime: 50,
      priority: 20,
      nice: -5,
      num_threads: 11,
      starttime: 2320151,
      vsize: 2998272,
      rss: 406,
      rsslim: 2 ** 64,
      exit_signal: 17,
      processor: 3,
      delayacct_blkio_ticks: 9,
      guest_time: 8,
      cguest_time: 7,
    });
    expect(Object.keys(stat ?? {})).toEqual(['pid', 'comm', 'state', ...processStatNames]);
  });

  it.each(['a b', 'a) R 1 (b', '(', ')', ') S 1 2 3', 'x\ny', ''])('a program may call itself %j', (name) => {
    const stat = parseProcessStat(`1 (${name}) ${rest26}`);
    expect(stat).toMatchObject({ comm: `(${name})`, state: 'R', ppid: 27587, rss: 406 });
  });

  it('of a kernel before 2.6.24 has no times of guests', () => {
    const stat = parseProcessStat(`1 (init) ${rest26.split(' ').slice(0, 37).join(' ')}`);
    expect(stat).toMatchObject({ rss: 406, processor: 3, guest_time: 0, cguest_time: 0 });
  });

  it.each(['', '1', '1 (a)', '1 (a) R', 'x (a) R 1 2', `1 a ${rest26}`, `1 (a) ${rest26.split(' ').slice(0, 20).join(' ')}`])(
    '%j is none',
    (text) => expect(parseProcessStat(text)).toBeNull(),
  );
});

describe('/proc/stat', () => {
  it('has the ticks of all processors in its first line', () => {
    expect(parseCpuTicks('cpu  1267010 20 484783 2703641 7900 1 109046 16747 5 0\ncpu0 6 9 2 1 1 0 4 8 0 0\nintr 1\n')).toEqual({
      user: 1267010,
      nice: 20,
      sys: 484783,
      idle: 2703641,
      iowait: 7900,
      irq: 1,
      softirq: 109046,
      steal: 16747,
      guest: 5,
    });
  });

  it('of a kernel of 2.4 has four', () => {
    expect(parseCpuTicks('cpu 1 2 3 4\n')).toMatchObject({ user: 1, idle: 4, iowait: 0, guest: 0 });
  });

  it.each(['', 'cpu0 1 2 3 4\n', 'cpu 1 2\n'])('%j is none', (text) => expect(parseCpuTicks(text)).toBeNull());
});

describe('/proc/meminfo', () => {
  it('has its values in any order and among others', () => {
    const text =
      'MemTotal:       24684084 kB\nMemFree:        23376836 kB\nMemAvailable:   23834564 kB\nBuffers:           12072 kB\nCached:           581344 kB\nSwapCached:            1 kB\nSwapTotal:      1000 kB\nSwapFree:       400 kB\n';
    expect(parseMemoryInfo(text)).toEqual({
      MemTotal: 24684084,
      MemFree: 23376836,
      Buffers: 12072,
      Cached: 581344,
      SwapTotal: 1000,
      SwapFree: 400,
    });
    expect(parseMemoryInfo(text.split('\n').toReversed().join('\n'))).toMatchObject({ Cached: 581344, SwapFree: 400 });
  });

  it('of a kernel without swap has none of it', () => {
    expect(parseMemoryInfo('MemTotal: 100 kB\nMemFree: 50 kB\n')).toMatchObject({ SwapTotal: 0, SwapFree: 0 });
  });

  it.each(['', 'MemFree: 5 kB\n', 'MemTotal: 0 kB\n', 'MemTotal: many kB\n'])('%j is none', (text) => {
    expect(parseMemoryInfo(text)).toBeNull();
  });
});

describe('/proc/net/dev', () => {
  const head =
    'Inter-|   Receive                    |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes\n';

  it('counts all interfaces but the loopback, with or without a blank after the colon', () => {
    const text = `${head}    lo: 726832575727 402164591 0 93364 0 0 0 0 726832575727 402164591 0 0 0 0 0 0
  eth0:1000 78125 0 0 0 0 0 0 200 51306 0 0 0 0 0 0
wlan_long_name0: 30 1 0 0 0 0 0 0 4 1 0 0 0 0 0 0
eth0:1: 5 1 0 0 0 0 0 0 6 1 0 0 0 0 0 0
`;
    expect(parseNetworkTraffic(text)).toEqual({ recvBytes: 1035, sendBytes: 210 });
  });

  it('of a machine with the loopback only is nothing, but there', () => {
    expect(parseNetworkTraffic(`${head}    lo: 7 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0\n`)).toEqual({ recvBytes: 0, sendBytes: 0 });
  });

  it('without any interface is none', () => expect(parseNetworkTraffic(head)).toBeNull());
});

describe('/proc/net', () => {
  const sockstat = 'sockets: used 995\nTCP: inuse 953 orphan 2 tw 191 alloc 960 mem 230\nUDP: inuse 4 mem 0\nUDPLITE: inuse 3\n';

  it('sockstat counts the sockets, those that wait for their end included', () => {
    expect(parseSocketCounts(sockstat)).toEqual({ tcp: 960 + 191, timeWait: 191, udp: 4 });
    expect(parseSocketCounts('sockets: used 1\nTCP: inuse 3\n')).toEqual({ tcp: 0, timeWait: 0, udp: 0 });
    expect(parseSocketCounts('sockets: used 1\n')).toBeNull();
  });

  it('snmp has its values under their names, whatever columns a kernel adds', () => {
    const snmp = (names: string, values: string) => `Ip: A B\nIp: 1 2\nTcp: ${names}\nTcp: ${values}\nUdp: CurrEstab\nUdp: 77\n`;
    expect(parseEstablished(snmp('RtoMin MaxConn ActiveOpens CurrEstab InSegs', '200 -1 5 948 6'))).toBe(948);
    expect(parseEstablished(snmp('New CurrEstab', '5 9'))).toBe(9);
    expect(parseEstablished(snmp('RtoMin', '200'))).toBeNull();
    expect(parseEstablished('Ip: A\nIp: 1\n')).toBeNull();
  });
});

describe('disks', () => {
  it('vmstat tells what goes in and out', () => {
    expect(parseDiskTraffic('nr_free 1\npgpgin 33860257\npgpgout 10931932\npgpgoutrun 3\n')).toEqual({
      pagesIn: 33860257,
      pagesOut: 10931932,
    });
    expect(parseDiskTraffic('pgpgin 1\n')).toBeNull();
  });

  it('diskstats tells how long the named devices were busy', () => {
    const text =
      '   7       0 loop0 0 0 0 0 0 0 0 0 0 99 0\n   8       0 sda 1 2 3 4 5 6 7 8 0 1500 11 0 0 0 0\n   8      16 sdb 1 2 3 4 5 6 7 8 0 20 11\n   8       1 sda1 1 2 3 4 5 6 7 8 0 7 11\n';
    expect(parseDiskBusyMs(text, ['sda', 'sdb'])).toBe(1520);
    expect(parseDiskBusyMs(text, ['sda1'])).toBe(7);
    expect(parseDiskBusyMs(text, ['nvme0n1'])).toBe(0);
  });
});

describe('the machine', () => {
  it('uptime and load', () => {
    expect(parseUptime('23201.52 27036.41\n')).toEqual({ uptime: 23201.52, idleTime: 27036.41 });
    expect(parseUptime('')).toBeNull();
    expect(parseLoadAverages('1.15 0.88 0.89 3/197 27595\n')).toEqual({ load1m: 1.15, load5m: 0.88, load15m: 0.89 });
    expect(parseLoadAverages('1.15')).toBeNull();
  });

  it.each([
    ['0-3\n', 4],
    ['0', 1],
    ['0-1,4,6-7', 5],
    ['', null],
    ['all', null],
  ])('the list %j of processors has %s', (text, count) => expect(countListed(text)).toBe(count));

  it('a value has the name that stands before it, not one that ends or begins like it', () => {
    expect(lineValue('XVmHWM: 1 kB\nVmHWM:\t    2196 kB\nVmHWMx: 3 kB', 'VmHWM')).toBe(2196);
    expect(lineValue('VmHWM:', 'VmHWM')).toBeNull();
  });
});

it('no text is too strange', () => {
  const texts = [
    parseProcessStat,
    parseCpuTicks,
    parseMemoryInfo,
    parseDiskTraffic,
    parseLoadAverages,
    parseUptime,
    parseNetworkTraffic,
    parseSocketCounts,
    parseEstablished,
    countListed,
    (text: string) => parseDiskBusyMs(text, ['sda']),
  ];
  const word = fc.oneof(
    fc.constantFrom('cpu', 'Tcp:', 'eth0:', 'MemTotal:', '(', ')', '1', '-1', '1e999', 'NaN', '0x1'),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(word), fc.constantFrom(' ', '\n', ''), (words, separator) => {
      for (const parse of texts) {
        const value = parse(words.join(separator));
        const numbers = typeof value === 'object' && value !== null ? Object.values(value) : [value ?? 0];
        for (const number of numbers) if (typeof number === 'number') expect(Number.isFinite(number)).toBe(true);
      }
    }),
  );
});
