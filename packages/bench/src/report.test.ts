import { createColors } from 'picocolors';
import { describe, expect, it } from 'vitest';
import { ConnectionCounter, type ConnectionCounts } from './connection-counts.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import type { GroupFigures, LoadResult } from './load-figures.ts';
import { type Mode, type SummaryReport, secondReport, summaryReport } from './report.ts';
import type { RequestsReport } from './report-requests.ts';
import { secondLine, summaryText } from './report-text.ts';
import { RequestCounter } from './request-figures.ts';
import { exitStatuses, exitStatusOf, invalidReasons } from './verdict.ts';

function counts(connected: number, change: Partial<ConnectionCounts> = {}): ConnectionCounts {
  return { wanted: connected, connected, failed: 0, lost: 0, failures: {}, ...change };
}

function latencyOf(...times: number[]) {
  const histogram = new LatencyHistogram();
  for (const ms of times) histogram.record(ms);
  return histogram.part();
}

function group(kbps: number[], change: Partial<GroupFigures> = {}): GroupFigures {
  return {
    counts: counts(kbps.length),
    bytes: 1000,
    frames: 10,
    gapPlayers: 0,
    gapFrames: 0,
    wrongPlayers: 0,
    wrongMessages: 0,
    kbps: Float64Array.from(kbps),
    silenceMs: Float64Array.from(kbps, () => 40),
    firstFrameMs: Float64Array.from(kbps, () => 12),
    latency: latencyOf(5),
    ...change,
  };
}

const noGroup = group([], { bytes: 0, frames: 0, latency: latencyOf() });

function result(ordinary: GroupFigures, change: Partial<LoadResult['groups']> = {}): LoadResult {
  return {
    seconds: 10,
    groups: { ordinary, slow: noGroup, stalled: noGroup, ...change },
    tester: { pid: 2, cpuPercent: 30, loopDelayP99Ms: 3 },
  };
}

function summarize(results: readonly LoadResult[], mode: Mode = 'play'): SummaryReport {
  return summaryReport({
    mode,
    results,
    server: { cpuPercent: 12.34, pssKb: 5000, processes: [] },
    addedDataKb: 100,
    tester: [{ pid: 1, cpuPercent: 1, loopDelayP99Ms: 1 }, ...results.map(({ tester }) => tester)],
    invalidReasons: [],
    startedAt: '2026-01-01T00:00:00.000Z',
    command: 'srs-bench play',
  });
}

describe('the summary of two processes', () => {
  const summary = summarize([
    result(group([100, 300], { latency: latencyOf(1, 2), silenceMs: Float64Array.from([40, 90]) })),
    result(group([500], { latency: latencyOf(100), gapFrames: 4, gapPlayers: 1 }), { slow: group([50]) }),
  ]);

  it('is of all their players', () => {
    expect(summary).toMatchObject({
      players: { wanted: 3, connected: 3 },
      seconds: 10,
      bytes: 2000,
      frames: 20,
      kbps: { min: 100, p1: 100, avg: 300, total: 900 },
      gaps: { players: 1, frames: 4 },
      silenceMs: { p99: 90, max: 90 },
      firstFrameMs: { p50: 12, max: 12 },
      latencyMs: { p50: 2.01, max: 100 },
      tester: { cpuPercent: 61, loopDelayP99Ms: 3 },
      server: { cpuPercent: 12.3, pssPerPlayerKb: 33.33 },
      publishers: null,
    });
  });

  it('keeps slow players apart', () => {
    expect(summary.slow).toMatchObject({ wanted: 1, connected: 1, kbps: { avg: 50 }, bytes: 1000 });
    expect(summary.stalled).toMatchObject({ wanted: 0, bytes: 0 });
  });

  it('reads as a table', () => {
    const text = summaryText(summary, 4, createColors(false));
    expect(text).toContain('players          3 of 3 connected, 0 failed, 0 lost\n');
    expect(text).toContain('missing frames   4, in 1 players\n');
    expect(text).toContain('slow players     1 of 1 connected, 0 failed, 0 lost; 50 kbps each, 0 frames missing, 0 wrong\n');
    expect(text).not.toContain('not valid');
  });
});

it('in mode publish the figures are those of the publishers, and their lateness is no latency', () => {
  const publishers = group([800, 900], { latency: latencyOf(3) });
  const summary = summarize([{ ...result(noGroup), groups: { publishers } }], 'publish');
  expect(summary).toMatchObject({
    players: { wanted: 0, connected: 0 },
    publishers: { wanted: 2, connected: 2, lateMs: { max: 3 }, kbps: { total: 1700 } },
    kbps: { total: 1700 },
    latencyMs: null,
    firstFrameMs: { p50: 12 },
  });
});

describe('in mode hls', () => {
  /** Two viewers of one process, the second of which met all there is. */
  function requestsOf(latencyMs: number) {
    const counter = new RequestCounter(2);
    counter.onAnswered('segment', 999);
    counter.onMissing(0);
    counter.onFailed('before it counted');
    counter.begin();
    counter.onAnswered('playlist', latencyMs);
    counter.onAnswered('segment', 10 * latencyMs);
    counter.onMissing(1);
    counter.onFrozen(1);
    counter.onFailed('segment: the server answered 404 Not Found');
    return { second: counter.second(), finished: counter.finish() };
  }

  const [one, other] = [requestsOf(2), requestsOf(3)];
  const summary = summarize([result(group([10, 10], one.finished)), result(group([10, 10], other.finished))], 'hls');

  it('the requests of all viewers are counted, since the begin', () => {
    expect(summary).toMatchObject({
      players: { connected: 4 },
      latencyMs: { max: 30 },
      requests: {
        count: 4,
        perSecond: 0.4,
        playlists: { count: 2, perSecond: 0.2, latencyMs: { max: 3 } },
        segments: { count: 2, perSecond: 0.2, latencyMs: { max: 30 } },
        failed: 2,
        failures: { 'segment: the server answered 404 Not Found': 2 },
        stalls: { players: 2, missingSegments: 2, frozenPlaylists: 2 },
      },
    });
  });

  it('a second has those of the second', () => {
    const report = secondReport({
      mode: 'hls',
      second: 1,
      phase: 'measuring',
      serverCpuPercent: 1,
      ownCpuPercent: 2,
      parts: [{ groups: { ordinary: { ...group([10]), silenceMs: 7, ...one.second } }, tester: summary.tester.processes[0]! }],
    });
    expect(report).toMatchObject({ requests: 2, latencyMs: { max: 20 } });
    expect(secondLine(report)).toContain('  2 requests  latency p50');
  });

  it('it reads as a table', () => {
    const text = summaryText(summary, 4, createColors(false));
    expect(text).toContain('viewers           4 of 4 connected, 0 failed, 0 lost\n');
    expect(text).toContain(
      'requests          0.4 a second, 2 failed\n                  2 x segment: the server answered 404 Not Found\n',
    );
    expect(text).toContain('stalls            2 segments that were not there, 2 playlists not continued, in 2 viewers\n');
  });

  it('others have no requests', () => {
    expect(summarize([result(group([1]))]).requests).toBeNull();
  });
});

it('without pictures there is no latency, and no first picture', () => {
  expect(summarize([result(noGroup)])).toMatchObject({ latencyMs: null, firstFrameMs: null, kbps: { min: 0 } });
});

it('a second counts the connections that there are', () => {
  const second = { ...group([10]), counts: counts(5, { lost: 2, failures: { gone: 2 } }), silenceMs: 77 };
  const report = secondReport({
    mode: 'play',
    second: 3,
    phase: 'measuring',
    serverCpuPercent: 1,
    ownCpuPercent: 2,
    parts: [{ groups: { ordinary: second }, tester: { pid: 1, cpuPercent: 3, loopDelayP99Ms: 0 } }],
  });
  expect(report).toMatchObject({ connected: 3, lost: 2, silenceMs: 77, testerCpuPercent: 5, latencyMs: { max: 5 } });
});

function requestsWith(change: Partial<RequestsReport>): RequestsReport {
  const none = { count: 0, perSecond: 0, latencyMs: null };
  const stalls = { players: 0, missingSegments: 0, frozenPlaylists: 0 };
  return { count: 0, perSecond: 0, playlists: none, segments: none, failed: 0, failures: {}, stalls, ...change };
}

describe('the exit status', () => {
  const fine = summarize([result(group([1]))]);
  it.each<[string, Partial<SummaryReport>, number]>([
    ['fine', {}, exitStatuses.fine],
    ['a tester that was the limit', { valid: false }, exitStatuses.invalid],
    ['a failure, whatever the tester did', { valid: false, players: counts(1, { failed: 1 }) }, exitStatuses.failed],
    ['a lost publisher', { publishers: { ...counts(1, { lost: 1 }), kbps: fine.kbps, lateMs: null } }, exitStatuses.failed],
    ['a player that never came', { players: counts(1, { wanted: 2 }) }, exitStatuses.failed],
    ['a gap', { gaps: { players: 1, frames: 1 } }, exitStatuses.failed],
    ['wrong bytes', { wrong: { players: 1, messages: 1 } }, exitStatuses.failed],
    [
      'gaps of slow players are what they ask for',
      { slow: { ...fine.slow, gaps: { players: 1, frames: 9 } } },
      exitStatuses.fine,
    ],
    ['a request that failed', { requests: requestsWith({ failed: 1 }) }, exitStatuses.failed],
    [
      'a stall',
      { requests: requestsWith({ stalls: { players: 1, missingSegments: 1, frozenPlaylists: 0 } }) },
      exitStatuses.failed,
    ],
    ['requests without a fault', { requests: requestsWith({}) }, exitStatuses.fine],
    ['wrong bytes of slow players', { slow: { ...fine.slow, wrong: { players: 1, messages: 9 } } }, exitStatuses.failed],
  ])('%s', (_name, change, status) => {
    expect(exitStatusOf({ ...fine, ...change })).toBe(status);
  });
});

describe('figures are not valid', () => {
  const calm = { pid: 7, cpuPercent: 20, loopDelayP99Ms: 4 };
  const times = (p99: number) => ({ p50: 1, p95: 1, p99, max: p99 });
  const facts = { tester: [calm], late: times(2), latency: times(10), cores: 1 };

  it('only for a reason', () => {
    expect(invalidReasons(facts)).toEqual([]);
    // Bursts of the server make readers late.
    expect(invalidReasons({ ...facts, tester: [{ ...calm, loopDelayP99Ms: 140 }], latency: times(300) })).toEqual([]);
  });

  it.each([
    [
      'a full core',
      { tester: [{ ...calm, cpuPercent: 86 }], cores: 2 },
      'process 7 of the tester used 86 % of a core, must be at most 85 %',
    ],
    [
      'a late event loop',
      { tester: [{ ...calm, loopDelayP99Ms: 51 }] },
      'process 7 of the tester was late by 51 ms (p99), must be at most 50 ms',
    ],
    [
      'no core left',
      { tester: Array.from({ length: 5 }, () => calm) },
      'the tester used 100 % of a core, must be at most 85 % of each of its 1',
    ],
    ['late publishers', { late: times(60) }, 'publishers sent frames 60 ms late (p99), must be at most 50 ms'],
  ])('%s', (_name, change, reason) => {
    expect(invalidReasons({ ...facts, ...change })).toEqual([reason]);
  });
});

it('reasons beyond the twentieth are one', () => {
  const counter = new ConnectionCounter(30);
  for (let i = 0; i < 30; i++) counter.onFailed(`reason ${i}`);
  counter.onLost('reason 0');
  const { failures, failed, lost } = counter.counts();
  expect(Object.keys(failures)).toHaveLength(21);
  expect(failures).toMatchObject({ 'reason 0': 2, 'other reasons': 10 });
  expect([failed, lost]).toEqual([30, 1]);
});
