/** Real media as fragmented MP4, on disk, in memory and with low latency, read by ffmpeg. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { frameTypes, silentLog, systemClock } from '@srs/kernel';
import { Parser } from 'm3u8-parser';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ffprobe } from '../../../test/support/foreign.ts';
import { type ClipName, canMakeClip, clip, type Packets } from '../../../test/support/media.ts';
import { requires } from '../../../test/support/requires.ts';
import { type HlsFeature, hlsFeature } from './hls-feature.ts';
import { hlsVhost, testStream } from './hls-test-support.ts';
import { readLowLatency } from './ll-checker-test-support.ts';
import { type ClipOptions, endedPlaylist, expectDecodable, feedClip, packetsOf, serveMemory } from './media-test-support.ts';
import { parsePlaylist } from './playlist-text.ts';
import type { SegmentEvent } from './segment-event.ts';

requires('ffmpeg', 'ffprobe');

let directory: string;
let feature: HlsFeature;
let events: SegmentEvent[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'srs-hls-mp4-'));
  events = [];
  feature = newFeature();
});

afterEach(async () => {
  await feature.close();
  await rm(directory, { recursive: true });
});

function newFeature(): HlsFeature {
  const onSegment = (segment: SegmentEvent): void => {
    events.push(segment);
  };
  return hlsFeature({ clock: systemClock, log: silentLog, randomBytes, onSegment });
}

async function publish(name: ClipName, options: string, clipOptions: ClipOptions = {}): Promise<void> {
  const vhost = hlsVhost(`hls_path ${directory}; hls_fragment 2; hls_window 60; ${options}`);
  const consumer = feature.open(testStream(vhost), feature.select(vhost, 'v/live/s')!)!;
  await feedClip(consumer, name, clipOptions);
  await consumer.onEnd('unpublished');
}

async function playlistOnDisk(): Promise<string> {
  return await readFile(join(directory, 'live/livestream.m3u8'), 'utf8');
}

function warningsOf(text: string): readonly string[] {
  const parser = new Parser();
  const warnings: string[] = [];
  parser.on('warn', ({ message }) => warnings.push(message));
  parser.push(text);
  parser.end();
  return warnings;
}

it.for(['h264-aac', 'h264-bframes-aac', 'h264-mp3', 'hevc-aac'] as const)(
  '%s becomes fragmented MP4 that loses nothing',
  async (name, { skip }) => {
    const { can, note } = await canMakeClip(name);
    skip(!can, note);
    await publish(name, 'hls_format fmp4;');
    const playlist = await endedPlaylist(directory);
    await expectDecodable(playlist);
    const [before, after] = [await packetsOf(await clip(name)), await packetsOf(playlist)];
    expect([after.video.length, after.audio.length]).toEqual([before.video.length, before.audio.length]);
    const distance = (packets: Packets): number => packets.video[0]!.ptsMs - packets.audio[0]!.ptsMs;
    expect(Math.abs(distance(after) - distance(before))).toBeLessThanOrEqual(2);
    const text = await playlistOnDisk();
    expect(text).toContain('#EXT-X-VERSION:7\n');
    expect(warningsOf(text)).toEqual([]);
    const { segments } = parsePlaylist(text);
    expect(segments.map(({ uri }) => uri)).toEqual([0, 1, 2, 3, 4].map((number) => `livestream-${number}.m4s`));
    expect(new Set(segments.map(({ initUri }) => initUri))).toEqual(new Set(['livestream-init-0.mp4']));
    expect(events[0]).toMatchObject({ file: `${directory}/live/livestream-0.m4s`, url: 'live/livestream-0.m4s' });
  },
);

it('sound alone becomes fragmented MP4', async () => {
  await publish('aac-only', 'hls_format fmp4;');
  const playlist = await endedPlaylist(directory);
  await expectDecodable(playlist);
  expect((await packetsOf(playlist)).audio).toHaveLength((await packetsOf(await clip('aac-only'))).audio.length);
});

it('encrypted segments of fragmented MP4 are read, before and after another publish', async () => {
  const options = `hls_format fmp4; hls_keys on; hls_fragments_per_key 2; hls_key_file_path ${directory};`;
  await publish('h264-aac', options);
  await expectDecodable(await endedPlaylist(directory));
  await publish('h264-aac', options);
  const playlist = await endedPlaylist(directory);
  await expectDecodable(playlist, '-vsync', 'drop');
  expect((await packetsOf(playlist)).video).toHaveLength(500);
  const { segments } = parsePlaylist(await playlistOnDisk());
  expect(segments.map(({ initUri }) => initUri)).toEqual([
    ...Array.from({ length: 5 }, () => 'livestream-init-0.mp4'),
    ...Array.from({ length: 5 }, () => 'livestream-init-5.mp4'),
  ]);
  expect(segments.every(({ keyUri }) => keyUri !== undefined)).toBe(true);
});

it('a restart goes on with fragmented MP4, and a change to MPEG-TS takes it off the list', async () => {
  await publish('h264-aac', 'hls_format fmp4;');
  await feature.close();
  feature = newFeature();
  await publish('h264-aac', 'hls_format fmp4;');
  expect(parsePlaylist(await playlistOnDisk()).segments).toHaveLength(10);
  await publish('h264-aac', '');
  const text = await playlistOnDisk();
  expect(parsePlaylist(text).segments.map(({ uri }) => uri)).toEqual(
    [10, 11, 12, 13, 14].map((number) => `livestream-${number}.ts`),
  );
  expect(text).not.toContain('EXT-X-MAP');
  await expectDecodable(await endedPlaylist(directory));
});

it.each(['ts', 'fmp4'])('%s in memory is played over HTTP, and nothing is on the disk', async (format) => {
  await publish('h264-aac', `hls_format ${format}; hls_storage memory; hls_keys on;`);
  const server = await serveMemory(feature, true);
  const url = `${server.origin}/live/livestream.m3u8`;
  await expectDecodable(url);
  expect((await packetsOf(url)).video).toHaveLength(250);
  expect(server.answers.filter((line) => !line.startsWith('200 '))).toEqual([]);
  expect(await readdir(directory)).toEqual([]);
  expect(events[0]!.file).toBe(events[0]!.url);
  server.close();
});

it.each([
  ['h264-bframes-aac', undefined, 250, ''],
  ['h264-aac', frameTypes.audio, 0, ''],
  ['h264-mp3', undefined, 250, ''],
  ['h264-aac', undefined, 250, 'hls_keys on; hls_fragments_per_key 2;'],
] as const)('low-latency HLS of %s is played by ffmpeg', async (name, only, pictures, options) => {
  await publish(name, `hls_format ll; ${options}`, only === undefined ? {} : { only });
  const server = await serveMemory(feature, true);
  const url = `${server.origin}/live/livestream.m3u8`;
  await expectDecodable(url);
  const [before, after] = [await packetsOf(await clip(name)), await packetsOf(url)];
  expect([after.video.length, after.audio.length]).toEqual([pictures, before.audio.length]);
  const text = await (await fetch(url)).text();
  expect(warningsOf(text)).toEqual([]);
  expect(await readdir(directory)).toEqual([]);
  server.close();
});

it('the parts of low-latency HLS, one after the other, are the stream and its segments', async () => {
  await publish('h264-aac', 'hls_format ll;');
  const answer = async (name: string): Promise<Buffer> => {
    const got = await feature.answer({ vhost: 'a.com', path: `live/${name}`, query: '', signal: new AbortController().signal });
    if (got.status !== 200) throw new Error(`${name}: ${got.reason}`);
    return got.body;
  };
  const answers = async (names: readonly string[]): Promise<Buffer> => Buffer.concat(await Promise.all(names.map(answer)));
  const text = (await answer('livestream.m3u8')).toString();
  const parts = [...text.matchAll(/^#EXT-X-PART:.*URI="([^"]+)"/gm)].map((match) => match[1]!);
  // The last three segments begin more than three target durations before the end, by the sound behind the last picture.
  expect(parts).toHaveLength(14);
  const media = await answers(parts);
  expect(media.equals(await answers(text.match(/^livestream-\d+\.m4s$/gm)!.slice(-2)))).toBe(true);
  const path = join(directory, 'parts.mp4');
  await writeFile(path, Buffer.concat([await answer(/EXT-X-MAP:URI="([^"]+)"/.exec(text)![1]!), media]));
  await expectDecodable(path);
  expect((await packetsOf(path)).video).toHaveLength(100);
});

it('a player that asks for each part before it is made gets the whole stream', async () => {
  const ask = async (name: string, query = '') =>
    await feature.answer({ vhost: 'a.com', path: `live/${name}`, query, signal: new AbortController().signal });
  const follow = async (): Promise<Buffer> => {
    const got: Buffer[] = [];
    const seen = new Set<string>();
    let query = '';
    for (;;) {
      const playlist = await ask('livestream.m3u8', query);
      // Not yet begun.
      if (playlist.status === 404) await setImmediate();
      if (playlist.status === 503) query = '';
      if (playlist.status !== 200) continue;
      const text = playlist.body.toString();
      const { parts, hint, segments } = readLowLatency(text);
      const init = /EXT-X-MAP:URI="([^"]+)"/.exec(text)![1]!;
      const names = [init, ...parts.map(({ uri }) => uri), ...(hint === undefined ? [] : [hint])];
      for (const name of names.filter((each) => !seen.has(each))) {
        const media = await ask(name);
        if (media.status !== 200) throw new Error(`${name}: ${media.status}`);
        seen.add(name);
        got.push(media.body);
      }
      // No part comes next any more.
      if (hint === undefined) return Buffer.concat(got);
      const { sequence, index } = parts.at(-1)!;
      const isWhole = segments.has(sequence);
      query = isWhole ? `_HLS_msn=${sequence + 1}&_HLS_part=0` : `_HLS_msn=${sequence}&_HLS_part=${index + 1}`;
    }
  };
  const [media] = await Promise.all([follow(), publish('h264-aac', 'hls_format ll;')]);
  const path = join(directory, 'followed.mp4');
  await writeFile(path, media);
  await expectDecodable(path);
  const [before, after] = [await packetsOf(await clip('h264-aac')), await packetsOf(path)];
  expect([after.video.length, after.audio.length]).toEqual([before.video.length, before.audio.length]);
});

it('MP3 that changes its rate in the middle of a segment begins another one with an init segment of its own', async () => {
  const vhost = hlsVhost(`hls_path ${directory}; hls_fragment 2; hls_format fmp4;`);
  const consumer = feature.open(testStream(vhost), vhost.hls)!;
  // Mono, 128 kbps at 44.1 kHz in 417 bytes, and at 32 kHz in 576.
  const frames = [Buffer.from('2ffffb90c4', 'hex'), Buffer.from('2ffffb98c4', 'hex')].map((head, index) =>
    Buffer.concat([head, Buffer.alloc([413, 572][index]!)]),
  );
  for (let at = 0; at < 3000; at += 26) consumer.onFrame(frameTypes.audio, 0, at, 0, frames[at < 1300 ? 0 : 1]!);
  await consumer.onEnd('unpublished');
  const { segments } = parsePlaylist(await playlistOnDisk());
  expect(segments.map(({ isDiscontinuity, durationMs }) => [isDiscontinuity, durationMs])).toEqual([
    [true, 1300],
    [true, 1716],
  ]);
  const [first, second] = await Promise.all(
    segments.map(async ({ uri, initUri }, index) => {
      const parts = await Promise.all([initUri!, uri].map((each) => readFile(join(directory, 'live', each))));
      const path = join(directory, `${index}.mp4`);
      await writeFile(path, Buffer.concat(parts));
      const { streams } = (await ffprobe(['-show_streams', path])) as { streams: { sample_rate: string }[] };
      return [streams[0]!.sample_rate, (await packetsOf(path)).audio.length];
    }),
  );
  expect([first, second]).toEqual([
    ['44100', 50],
    ['32000', 66],
  ]);
});

it('in memory the format may change, and the numbers go on', async () => {
  const ask = async (vhost: string, path: string) =>
    await feature.answer({ vhost, path, query: '', signal: new AbortController().signal });
  const numbers: number[] = [];
  for (const format of ['fmp4', 'll', 'ts', 'll']) {
    await publish('h264-aac', `hls_storage memory; hls_format ${format};`);
    const answer = await ask('a.com', 'live/livestream.m3u8');
    if (answer.status !== 200) throw new Error(answer.reason);
    const text = answer.body.toString();
    expect(text.includes('EXT-X-PART-INF')).toBe(format === 'll');
    expect(text.includes('EXT-X-MAP')).toBe(format !== 'ts');
    numbers.push(Number(/MEDIA-SEQUENCE:(\d+)/.exec(text)![1]) + text.match(/EXTINF/g)!.length);
  }
  expect(numbers.map((number) => number - numbers[0]!)).toEqual([0, 5, 10, 15]);
  expect(await ask('b.com', 'live/livestream.m3u8')).toMatchObject({ status: 404 });
  expect(await ask('a.com', 'live/../live/livestream.m3u8')).toMatchObject({ status: 404 });
});
