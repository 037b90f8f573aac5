/** The load tester against a real server: what it counts must be what there was. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repositoryRoot, type ServerPlace, ServerProcess } from '../support/server-process.ts';
import { bench, httpServer, type Second, statusOfFine } from './srs-bench-test-support.ts';

const PLAYERS = 50;
const REMUX = 'http_remux { enabled on; }';

it('50 players of a published stream get all of it, and the sums are right', async () => {
  await using server = await ServerProcess.start({ workers: 'mode multi; stream 1;' });
  const pid = server.program.pid;
  const { code, stderr, seconds, summary } = await bench(
    'play',
    server.url('live/bench'),
    `--publish --players ${PLAYERS} --processes 2 --duration 3 --warmup 1 --kbps 400 --pids-of ${pid}`,
  );
  expect([code, stderr]).toEqual([statusOfFine(summary), '']);
  const fine = { failed: 0, lost: 0, failures: {} };
  expect(summary).toMatchObject({
    mode: 'play',
    players: { wanted: PLAYERS, connected: PLAYERS, ...fine },
    publishers: { wanted: 1, connected: 1, ...fine },
    gaps: { players: 0, frames: 0 },
    wrong: { players: 0, messages: 0 },
  });
  // 25 pictures a second to each; the window ends somewhere between two pictures.
  expect(Math.abs(summary.frames / (PLAYERS * 25 * summary.seconds) - 1)).toBeLessThan(0.05);
  expect(Math.abs((summary.bytes * 8) / 1000 / summary.seconds / summary.kbps.total - 1)).toBeLessThan(0.01);
  expect(summary.kbps.min).toBeLessThanOrEqual(summary.kbps.avg);
  expect(summary.kbps.avg).toBeGreaterThan(200);
  expect(summary.latencyMs?.p50).toBeGreaterThan(0);
  const measured = seconds.filter(({ phase }) => phase === 'measuring');
  expect(measured).toHaveLength(3);
  const sum = (value: (second: Second) => number): number => measured.reduce((total, second) => total + value(second), 0);
  expect(Math.abs(sum(({ frames }) => frames) / summary.frames - 1)).toBeLessThan(0.05);
  expect(Math.abs(sum(({ bytes }) => bytes) / summary.bytes - 1)).toBeLessThan(0.1);
  expect(summary.server.processes.map((one) => one.pid)).toEqual(expect.arrayContaining(server.pids()));
  expect(summary.server.pssKb).toBeGreaterThan(20_000);

  const fields = [...keysIn(summary), ...keysIn(seconds[0])];
  expect(new Set(fields).size).toBeGreaterThan(50);
  expect(undocumented(fields)).toEqual([]);
});

it('players that read by the clock or slowly are counted for themselves, over several streams', async () => {
  await using server = await ServerProcess.start({ workers: 'mode single;' });
  const { code, summary } = await bench(
    'play',
    server.url('live/bench{n}'),
    '--publish --streams 2 --players 12 --slow 2:60 --stalled 2 --check all --read-every 50 --duration 2 --warmup 1',
  );
  expect(code).toBe(statusOfFine(summary));
  expect(summary).toMatchObject({
    players: { wanted: 8, connected: 8 },
    publishers: { wanted: 2, connected: 2 },
    slow: { wanted: 2, connected: 2, lost: 0 },
    stalled: { wanted: 2, connected: 2, kbps: { avg: 0 } },
    gaps: { frames: 0 },
    wrong: { messages: 0 },
  });
  expect(summary.slow.kbps.avg).toBeGreaterThan(30);
  expect(summary.slow.kbps.avg).toBeLessThan(90);
});

it.each(['http', 'ws'])('players over %s get all of several streams, each counted as those of RTMP are', async (scheme) => {
  await using server = await ServerProcess.start({ workers: 'mode multi; stream 1; http 2;', top: httpServer, vhost: REMUX });
  const { host, httpServerPort } = server.place;
  const { code, stderr, summary } = await bench(
    'play',
    `${scheme}://${host}:${httpServerPort}/live/bench{n}.flv`,
    `--publish-to ${server.url('live/bench{n}')} --streams 2 --players 24 --slow 2:60 --stalled 2 --check 10 --read-every 50 --processes 2 --duration 2 --warmup 1 --kbps 400`,
  );
  expect([code, stderr]).toEqual([statusOfFine(summary), '']);
  expect(summary).toMatchObject({
    mode: 'play',
    players: { wanted: 20, connected: 20, failed: 0, lost: 0 },
    publishers: { wanted: 2, connected: 2, failed: 0, lost: 0 },
    slow: { wanted: 2, connected: 2, lost: 0 },
    stalled: { wanted: 2, connected: 2, kbps: { avg: 0 } },
    gaps: { players: 0, frames: 0 },
    wrong: { players: 0, messages: 0 },
    requests: null,
  });
  expect(Math.abs(summary.frames / (20 * 25 * summary.seconds) - 1)).toBeLessThan(0.1);
  expect(summary.kbps.min).toBeGreaterThan(200);
  expect(summary.latencyMs?.p50).toBeGreaterThan(0);
  expect(summary.slow.kbps.avg).toBeGreaterThan(30);
  expect(summary.slow.kbps.avg).toBeLessThan(90);
});

/** A recording of four segments of a second each. */
function writeRecording({ directory }: ServerPlace): void {
  const folder = join(directory, 'html/live');
  mkdirSync(folder, { recursive: true });
  const segments = [0, 1, 2, 3].flatMap((number) => ['#EXTINF:1.0,', `${number}.ts`]);
  for (const number of [0, 1, 2, 3]) writeFileSync(join(folder, `${number}.ts`), Buffer.alloc(188 * 100, 0x47));
  const playlist = ['#EXTM3U', '#EXT-X-TARGETDURATION:1', ...segments, '#EXT-X-ENDLIST', ''];
  writeFileSync(join(folder, 'whole.m3u8'), playlist.join('\n'));
  writeFileSync(join(folder, 'frozen.m3u8'), playlist.filter((line) => line !== '#EXT-X-ENDLIST').join('\n'));
  writeFileSync(join(folder, 'broken.m3u8'), playlist.join('\n').replace('1.ts', 'missing.ts'));
}

it('viewers of HLS get each segment when it is due, and what holds them up is told', async () => {
  await using server = await ServerProcess.start({ workers: 'mode single;', top: httpServer });
  writeRecording(server.place);
  const { host, httpServerPort } = server.place;
  const url = `http://${host}:${httpServerPort}/live`;
  const [whole, frozen, broken, rate] = await Promise.all([
    bench('hls', `${url}/whole.m3u8`, '--players 10 --processes 2 --duration 3 --warmup 1'),
    bench('hls', `${url}/frozen.m3u8`, '--players 2 --duration 5 --warmup 0'),
    bench('hls', `${url}/broken.m3u8`, '--players 2 --duration 5 --warmup 0 --ramp 1000'),
    bench('hls', `${url}/whole.m3u8 ${url}/0.ts`, '--rate max --players 4 --duration 2 --warmup 0'),
  ]);
  expect([whole.code, whole.stderr]).toEqual([statusOfFine(whole.summary), '']);
  expect(whole.summary).toMatchObject({
    mode: 'hls',
    players: { wanted: 10, connected: 10, failed: 0, lost: 0 },
    gaps: { frames: 0 },
    wrong: { messages: 0 },
    requests: { failed: 0, stalls: { players: 0 } },
  });
  // One in a second to each; the window ends somewhere between two of them.
  expect(Math.abs(whole.summary.frames / 10 / whole.summary.seconds - 1)).toBeLessThan(0.4);
  expect(undocumented(keysIn(whole.summary))).toEqual([]);

  expect([frozen.code, broken.code]).toEqual([1, 1]);
  expect(frozen.summary.requests).toMatchObject({ failed: 0, stalls: { players: 2, missingSegments: 0, frozenPlaylists: 2 } });
  expect(broken.summary.requests).toMatchObject({
    failures: { 'segment: the server answered 404 Not Found': expect.any(Number) as number },
    stalls: { players: 2, frozenPlaylists: 0 },
  });

  expect(rate.code).toBe(statusOfFine(rate.summary));
  const { count = 0, playlists, segments } = rate.summary.requests ?? {};
  expect(count).toBeGreaterThan(100);
  expect(Math.abs((playlists?.count ?? 0) - (segments?.count ?? 0))).toBeLessThanOrEqual(4);
  expect(rate.summary.frames).toBe(segments?.count);
});

it('a publish as fast as the server takes it is measured by what it has taken', async () => {
  await using server = await ServerProcess.start({ workers: 'mode single;' });
  const { code, summary } = await bench('publish', server.url('live/bench{n}'), '--publishers 3 --speed max --duration 1');
  expect(code).toBe(statusOfFine(summary));
  expect(summary).toMatchObject({ mode: 'publish', publishers: { wanted: 3, connected: 3, failed: 0, lost: 0 } });
  // Ten times real time is little for a loopback.
  expect(summary.kbps.min).toBeGreaterThan(2000);
});

/** Fields of reports that the manual does not name. */
function undocumented(fields: readonly string[]): string[] {
  const manual = readFileSync(join(repositoryRoot, 'docs/srs-bench.md'), 'utf8');
  return [...new Set(fields)].filter((field) => !manual.includes(`\`${field}\``));
}

/** The names of all fields, not those of reasons. */
function keysIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(keysIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...(key === 'failures' ? [] : keysIn(inner))]);
}
