import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { frameFlags, frameTypes, ManualClock, silentLog } from '@srs/kernel';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { hlsFeature } from './hls-feature.ts';
import { Feeder, hlsVhost, testStream } from './hls-test-support.ts';
import { parsePlaylist } from './playlist-text.ts';

let directory: string;
const clock = new ManualClock();
const feature = hlsFeature({ clock, log: silentLog, randomBytes: (size) => Buffer.alloc(size), onSegment: () => {} });

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'srs-hls-feature-'));
});

afterEach(async () => {
  await feature.close();
  await rm(directory, { recursive: true });
});

it('wants what has hls enabled', () => {
  const vhost = hlsVhost();
  expect(feature.select(vhost, 'v/live/s')).toBe(vhost.hls);
  expect(feature.select({ ...vhost, hls: { ...vhost.hls, enabled: false } }, 'v/live/s')).toBeNull();
});

it('two streams do not write one playlist at the same time, one after the other may', async () => {
  const vhost = hlsVhost(`hls_path ${directory}; hls_m3u8_file live.m3u8;`);
  const first = feature.open(testStream(vhost, 'first'), vhost.hls)!;
  const other = testStream(vhost, 'second');
  expect(feature.open(other, vhost.hls)).toBeUndefined();
  expect(other.lines.map((line) => line.text)).toEqual([
    `hls: ${directory}/live.m3u8 is left to a.com/live/first, which is being written there; hls_m3u8_file must tell streams apart`,
  ]);
  await first.onEnd('unpublished');
  await feature.open(other, vhost.hls)!.onEnd('unpublished');
});

it('a segment may be larger than what may wait for the disk at once', async () => {
  const vhost = hlsVhost(`hls_path ${directory}; hls_format fmp4;`);
  const stream = testStream(vhost);
  const consumer = feature.open(stream, vhost.hls)!;
  const give = (flags: number, at: number, payload: Buffer): void => consumer.onFrame(frameTypes.audio, flags, at, 0, payload);
  give(frameFlags.sequenceHeader, 0, Buffer.from('af001210', 'hex'));
  const mib = 1024 * 1024;
  const sizeOf = async (name: string): Promise<number> => (await stat(join(directory, 'live', name))).size / mib;
  const sound = Buffer.concat([Buffer.from('af01', 'hex'), Buffer.alloc(mib)]);
  for (let count = 0; count < 20; count++) {
    give(0, count * 400, sound);
    // The disk keeps pace with what comes.
    if (count % 8 === 0 && count > 0) await expect.poll(() => sizeOf('livestream-0.m4s.tmp')).toBeGreaterThan(count);
  }
  await consumer.onEnd('unpublished');
  expect(stream.lines.filter(({ level }) => level !== 'trace')).toEqual([]);
  expect(await sizeOf('livestream-0.m4s')).toBeGreaterThan(20);
});

it('numbers go on also when the format takes the stream into memory and back', async () => {
  // MP3 needs no header in any format.
  const sound = Buffer.concat([Buffer.from('2ffffb90c4', 'hex'), Buffer.alloc(413)]);
  const path = join(directory, 'live/livestream.m3u8');
  const textOf = async (isMemory: boolean): Promise<string> => {
    if (!isMemory) return await readFile(path, 'utf8');
    const { signal } = new AbortController();
    const answer = await feature.answer({ vhost: 'a.com', path: 'live/livestream.m3u8', query: '', signal });
    return answer.status === 200 ? answer.body.toString() : answer.reason;
  };
  const next: number[] = [];
  for (const format of ['ts', 'll', 'ts', 'fmp4']) {
    const vhost = hlsVhost(`hls_path ${directory}; hls_format ${format}; hls_fragment 1;`);
    const consumer = feature.open(testStream(vhost), vhost.hls)!;
    // The old list must not be seen again before there is a new one.
    if (next.length === 2) await expect.poll(() => existsSync(path)).toBe(false);
    for (let at = 0; at < 3000; at += 26) consumer.onFrame(frameTypes.audio, 0, at, 0, sound);
    await consumer.onEnd('reconfigured');
    const { mediaSequence, segments } = parsePlaylist(await textOf(format === 'll'));
    next.push(mediaSequence + segments.length);
  }
  expect(next.map((number) => number - next[1]!)).toEqual([3 - next[1]!, 0, 3, 6]);
});

it('a directory that cannot be written to ends HLS of the stream, which is told once', async () => {
  await writeFile(join(directory, 'live'), 'a file in the place of a directory');
  const vhost = hlsVhost(`hls_path ${directory};`);
  const stream = testStream(vhost);
  const consumer = feature.open(stream, vhost.hls)!;
  const feed = new Feeder(consumer, clock);
  feed.sounds(0, 500);
  await expect(consumer.onEnd('unpublished')).rejects.toMatchObject({ errorName: 'FileRead', cause: { code: 'ENOTDIR' } });
  expect(stream.dismissals).toEqual([]);
});
