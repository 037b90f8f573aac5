/** What the benchmarks write about their figures. */
import { describe, expect, it } from 'vitest';
import { allMarkdown } from './all-program.ts';
import type { FileRun, HttpDocument } from './http-document.ts';
import { httpFigures } from './http-figures.ts';
import { httpMarkdown } from './http-report.ts';
import { ingestMarkdown } from './ingest-program.ts';
import { latencyMarkdown } from './latency-program.ts';
import { growth } from './memory-measurements.ts';
import { isSteady } from './memory-points.ts';
import { memoryMarkdown } from './memory-program.ts';
import { failedRun, figures, peersDocument, run } from './peers-test-support.ts';
import { scalingMarkdown } from './scaling-program.ts';
import { startMarkdown } from './start-program.ts';

const { environment } = peersDocument([run('srs', 300, 1)]);
const load = { seconds: 10, kbps: 500, port: 21_100 } as const;
const goal = { what: 'A goal', goal: '<= 1 s', figure: '2.00 s', isMet: false };

it('every document names its machine, commit and command, and the goal it misses', () => {
  const texts = [
    allMarkdown({ kind: 'all', environment, figures: [{ ...goal, command: 'npm run bench:start' }], failures: [] }),
    latencyMarkdown({
      kind: 'latency',
      environment,
      settings: { ...load, viewers: 1, joiners: 1, joinersPerSecond: 1, crowd: 1 },
      versions: {},
      runs: [],
      skipped: [],
      figures: [goal],
    }),
    startMarkdown({
      kind: 'start',
      environment,
      settings: { rounds: 1, workers: 2, port: 1 },
      starts: { cold: [2_000], warm: [500] },
      figures: [goal],
    }),
  ];
  for (const text of texts) {
    expect(text).toContain('Some <CPU> & more');
    expect(text).toContain('0123456789ab');
    expect(text).toContain('`npm run bench:peers`');
    expect(text).toContain('| A goal | <= 1 s | 2.00 s | **missed** |');
  }
});

it('the table of all goals has the command of each, and the benchmarks that broke off', () => {
  const text = allMarkdown({
    kind: 'all',
    environment,
    figures: [{ ...goal, isMet: true, command: 'npm run bench:start' }],
    failures: [{ part: 'memory', reason: 'no\nroom' }],
  });
  expect(text).toContain('| A goal | <= 1 s | 2.00 s | met | `npm run bench:start` |');
  expect(text).toContain('- bench:memory: no room');
});

it('latency of a run that failed is told as failed, with its reason', () => {
  const ms = { p50: 1, p95: 2, p99: 3, max: 4 };
  const text = latencyMarkdown({
    kind: 'latency',
    environment,
    settings: { ...load, viewers: 1_000, joiners: 500, joinersPerSecond: 50, crowd: 2_700 },
    versions: { srs: '2.0', nginx: '1.22' },
    runs: [
      { what: 'one-viewer', server: 'srs', ms, isValid: true, complaints: [] },
      { what: 'joiners', server: 'nginx', isValid: false, complaints: ['it died'] },
    ],
    skipped: [],
    figures: [],
  });
  expect(text).toContain('| Latency, one viewer | srs | 1.00 | 2.00 | 3.00 | 4.00 |  |');
  expect(text).toContain(
    '| First picture of 500 joiners, 50 a second, beside 1000 viewers | nginx | failed | - | - | - | **not valid**; it died |',
  );
  expect(text).toContain('- nginx: 1.22');
});

describe('ingest', () => {
  const one = (server: string, round: number, megabytesPerCpuSecond: number) => ({
    server,
    publishers: 10,
    round,
    figures: { megabytesPerSecond: 100, cpuPercent: 50, megabytesPerCpuSecond, testerCpuPercent: 90 },
    complaints: [],
  });

  it('has a ratio to nginx of the same round', () => {
    const text = ingestMarkdown({
      kind: 'ingest',
      environment,
      settings: { ...load, publishers: [10], servers: ['srs', 'nginx'], rounds: 2, speed: 'max' },
      versions: { srs: '2.0', nginx: '1.22' },
      skipped: [],
      runs: [one('srs', 1, 200), one('nginx', 1, 400), one('srs', 2, 300), one('nginx', 2, 400)],
      figures: [],
    });
    expect(text).toContain('| 10 | 250 (200-300) | 400 | 0.625 (0.500-0.750) |');
  });

  it('tells a run that failed', () => {
    const text = ingestMarkdown({
      kind: 'ingest',
      environment,
      settings: { ...load, publishers: [10], servers: ['srs'], rounds: 1, speed: 2 },
      versions: { srs: '2.0' },
      skipped: [{ name: 'nginx', reason: 'there is no nginx' }],
      runs: [{ server: 'srs', publishers: 10, round: 1, complaints: ['refused'] }],
      figures: [],
    });
    expect(text).toContain('| 10 | failed |');
    expect(text).toContain('- srs, 10 publishers, round 1: refused');
    expect(text).toContain('- nginx: **skipped**, there is no nginx');
    expect(text).toContain('at 2 times real time');
  });
});

describe('http', () => {
  const settings = {
    ...load,
    measure: ['players', 'files'] as const,
    over: ['rtmp', 'http-flv'] as const,
    players: 300,
    readEveryMs: 100,
    connections: 8,
    segmentKb: 400,
    rounds: 2,
  };
  const playerRuns = [
    run('rtmp', 300, 1, { figures: figures({ cpuPercent: 10 }) }),
    run('http-flv', 300, 1, { figures: figures({ cpuPercent: 9 }) }),
    run('rtmp', 300, 2, { figures: figures({ cpuPercent: 11 }) }),
    run('http-flv', 300, 2, { figures: figures({ cpuPercent: 12.1 }) }),
  ];
  const files = (server: string, round: number, requestsPerSecond: number, testerCpuPercent = 50): FileRun => ({
    server,
    load: 'both',
    round,
    figures: {
      requestsPerSecond,
      requestsPerCpuSecond: 2 * requestsPerSecond,
      megabytesPerSecond: 1,
      cpuPercent: 50,
      latencyMs: null,
      testerCpuPercent,
    },
    complaints: [],
  });
  const document = (changes: Partial<HttpDocument>): HttpDocument => ({
    kind: 'http',
    environment,
    settings,
    versions: { srs: '2.0', nginx: '1.22' },
    skipped: [],
    playerRuns: [],
    fileRuns: [],
    figures: [],
    ...changes,
  });

  it('players over HTTP are compared with those over RTMP of the same round, with the noise', () => {
    expect(httpFigures(settings, playerRuns, [])).toEqual([
      {
        what: 'CPU of the worker that sends, 300 players over http-flv',
        goal: "<= 1 x RTMP's",
        figure: "1.00 x RTMP's (10.6 % to 10.5 % of a core, rounds 0.900-1.10)",
        isMet: true,
        note: 'noise: the same measurement differs by 29.4 % between rounds',
      },
    ]);
    expect(httpMarkdown(document({ playerRuns }))).toContain(
      '| CPU of the worker that sends, % of one core | 10.5 (10.0-11.0) | 10.6 (9.00-12.1) | 1.00 (0.900-1.10) |',
    );
  });

  it('a goal that is missed by less than the noise is missed, and says so', () => {
    const slower = playerRuns.map((one) => (one.server === 'rtmp' ? one : { ...one, figures: figures({ cpuPercent: 11 }) }));
    const [figure] = httpFigures(settings, slower, []);
    expect(figure?.isMet).toBe(false);
    expect(figure?.note).toContain('more than the goal is missed by');
  });

  it('files are compared with nginx of the same round, by requests a second of time and of processor time', () => {
    const runs = [files('srs', 1, 100), files('nginx', 1, 200), files('srs', 2, 90), files('nginx', 2, 300, 90)];
    expect(httpFigures(settings, [], runs)).toMatchObject([
      { figure: "0.400 x nginx's requests per second (95.0 to 250, rounds 0.300-0.500)", isMet: false },
      { figure: "0.400 x nginx's requests per second of processor time (190 to 500, rounds 0.300-0.500)", isMet: false },
    ]);
    const text = httpMarkdown(document({ fileRuns: runs }));
    expect(text).toContain('## Playlists and segments of 400 KB in turn');
    expect(text).toContain('| Requests per second | 95.0 (90.0-100) | 250 (200-300) | 0.400 (0.300-0.500) |');
    expect(text).not.toContain('## Segments');
  });

  it('a tester that was the limit is named', () => {
    const [first] = httpFigures(settings, [], [files('srs', 1, 150), files('nginx', 1, 200, 99)]);
    expect(first).toMatchObject({
      isMet: true,
      note: 'the tester was the limit of nginx: the next line does not depend on it',
    });
  });

  it('without nginx there is no ratio, and it is told why', () => {
    const runs = [files('srs', 1, 100)];
    expect(httpFigures(settings, [], runs)[0]).toMatchObject({ figure: 'not measured', isMet: false });
    const skipped = [{ name: 'nginx', reason: 'there is no nginx' }];
    const text = httpMarkdown(document({ versions: { srs: '2.0' }, skipped, fileRuns: runs }));
    expect(text).toContain('- nginx: **skipped**, there is no nginx');
    expect(text).toContain('| Requests per second | 100 |\n');
  });

  it('tells a run that failed', () => {
    const fileRuns: FileRun[] = [{ server: 'srs', load: 'segments', round: 1, complaints: ['it\ndied'] }];
    const text = httpMarkdown(document({ playerRuns: [failedRun('rtmp', 300, 1, 'refused')], fileRuns }));
    expect(text).toContain('- players over rtmp, round 1: refused\n- segments, srs, round 1: it died');
  });
});

it('memory that could not be measured is told as failed, with its reason', () => {
  const text = memoryMarkdown({
    kind: 'memory',
    environment,
    settings: { ...load, players: 1_000, publishers: 200, names: 100_000, measure: ['playing'], servers: ['srs'] },
    versions: { srs: '2.0' },
    skipped: [],
    rows: [
      { what: 'Memory per added player', server: 'srs', unit: 'KB', value: 9.5 },
      { what: 'Memory per publisher', server: 'srs', unit: 'KB', note: 'refused' },
    ],
    figures: [],
  });
  expect(text).toContain('| Memory per added player | srs | 9.50 KB |  |');
  expect(text).toContain('| Memory per publisher | srs | failed | refused |');
});

describe('memory of a client is the slope of the line through the points', () => {
  const points = (...kilobytes: number[]) =>
    kilobytes.map((value, index) => ({ clients: (index + 1) * 1_000, kilobytes: value }));

  it('with its scatter', () => {
    expect(growth('Memory', points(6_000, 11_000, 16_000))).toEqual({
      what: 'Memory',
      unit: 'KB',
      value: 5,
      note: '3 points from 1000 to 3000 clients, standard error 0 KB',
    });
  });

  it('not for memory that shrank while clients came', () => {
    expect(growth('Memory', points(16_000, 11_000, 6_000))).toEqual({
      what: 'Memory',
      unit: 'KB',
      note: '3 points from 1000 to 3000 clients, standard error 0 KB; its memory shrank by 5.00 KB for each',
    });
  });

  it('not for two points, which have no scatter', () => {
    expect(growth('Memory', points(6_000, 11_000)).value).toBeUndefined();
  });
});

it('memory is steady when the readings lie within a hundredth', () => {
  expect(isSteady([1_000, 1_010, 1_005])).toBe(true);
  expect(isSteady([1_000, 1_011, 1_005])).toBe(false);
});

it('scaling shows how the players were spread, and what chance would do', () => {
  const text = scalingMarkdown({
    kind: 'scaling',
    environment,
    settings: { ...load, workers: [1, 2], playersPerWorker: 100, rounds: 1 },
    runs: [
      {
        workers: 1,
        players: 100,
        round: 1,
        playersByWorker: [100],
        figures: figures({ cpuPercent: 10 }),
        isValid: true,
        complaints: [],
      },
      {
        workers: 2,
        players: 200,
        round: 1,
        playersByWorker: [90, 110],
        figures: figures({ cpuPercent: 20 }),
        isValid: true,
        complaints: [],
      },
    ],
    figures: [],
  });
  expect(text).toContain('| 2 | 200 | 10.0 | 2.00 | 5.00 | - | 90 110 | 100 ± 7.07 |');
});
