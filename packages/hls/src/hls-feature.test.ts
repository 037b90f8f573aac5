import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock, silentLog } from '@srs/kernel';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { hlsFeature } from './hls-feature.ts';
import { Feeder, hlsVhost, testStream } from './hls-test-support.ts';

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
