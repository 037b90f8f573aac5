/** Real media on a real disk, read by ffmpeg. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, systemClock } from '@srs/kernel';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ffprobe } from '../../../test/support/foreign.ts';
import { type ClipName, clip } from '../../../test/support/media.ts';
import { requires } from '../../../test/support/requires.ts';
import { hlsFeature } from './hls-feature.ts';
import { hlsVhost, testStream } from './hls-test-support.ts';
import { endedPlaylist, expectDecodable, feedClip, inputOptions, packetsOf } from './media-test-support.ts';
import { parsePlaylist } from './playlist-text.ts';
import { checkPlaylists } from './rfc8216-checker-test-support.ts';
import type { SegmentEvent } from './segment-event.ts';

requires('ffmpeg', 'ffprobe');

let directory: string;
let events: SegmentEvent[];
/** The text of the playlist after each segment. */
let texts: Promise<string>[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'srs-hls-'));
  events = [];
  texts = [];
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

function newFeature() {
  const onSegment = (event: SegmentEvent): void => {
    events.push(event);
    texts.push(readFile(event.m3u8, 'utf8'));
  };
  return hlsFeature({ clock: systemClock, log: silentLog, randomBytes, onSegment });
}

async function publish(feature: ReturnType<typeof newFeature>, name: ClipName, options = ''): Promise<void> {
  const vhost = hlsVhost(`hls_path ${directory}; hls_fragment 2; hls_window 60; ${options}`);
  const consumer = feature.open(testStream(vhost), feature.select(vhost, 'v/live/s')!)!;
  await feedClip(consumer, name);
  await consumer.onEnd('unpublished');
}

async function codecsOf(path: string): Promise<readonly string[]> {
  const probed = (await ffprobe(['-show_streams', ...inputOptions(path), path])) as { streams: { codec_name: string }[] };
  return probed.streams.map((stream) => stream.codec_name).sort();
}

async function listed() {
  const { segments } = parsePlaylist(await readFile(join(directory, 'live/livestream.m3u8'), 'utf8'));
  return segments;
}

async function expectValidSeries(): Promise<void> {
  const versions = (await Promise.all(texts)).map((text, index) => ({ text, atMs: index * 2000 }));
  expect(checkPlaylists(versions)).toEqual([]);
}

it.each([
  ['h264-aac', 'aac'],
  ['h264-bframes-aac', 'aac'],
  ['h264-mp3', 'mp3'],
] as const)('%s becomes segments that begin with key frames and lose nothing', async (name, sound) => {
  const feature = newFeature();
  await publish(feature, name);
  const playlist = await endedPlaylist(directory);
  await expectDecodable(playlist);
  expect(await codecsOf(playlist)).toEqual([sound, 'h264'].sort());

  const segments = await listed();
  expect(segments).toHaveLength(5);
  for (const { uri, durationMs } of segments) {
    // The sound of the last one is a little longer than its pictures.
    expect(Math.abs(durationMs - 2000)).toBeLessThanOrEqual(100);
    const { video } = await packetsOf(join(directory, 'live', uri));
    expect([video.length, video.filter((packet) => packet.isKeyFrame).length, video[0]!.isKeyFrame]).toEqual([50, 2, true]);
  }
  const [before, after] = [await packetsOf(await clip(name)), await packetsOf(playlist)];
  expect([after.video.length, after.audio.length]).toEqual([before.video.length, before.audio.length]);
  const distance = (packets: typeof before): number => packets.video[0]!.ptsMs - packets.audio[0]!.ptsMs;
  expect(Math.abs(distance(after) - distance(before))).toBeLessThanOrEqual(2);
  expect(events.map(({ url, sequence }) => `${sequence} ${url}`)).toEqual(
    segments.map(({ uri }, index) => `${index} live/${uri}`),
  );
  await expectValidSeries();
  await feature.close();
});

it.each([
  ['aac-only', 'aac'],
  ['mp3-only', 'mp3'],
] as const)('%s is cut at each fragment', async (name, codec) => {
  const feature = newFeature();
  await publish(feature, name);
  const playlist = await endedPlaylist(directory);
  await expectDecodable(playlist);
  expect(await codecsOf(playlist)).toEqual([codec]);
  expect(await codecsOf(join(directory, 'live/livestream-0.ts'))).toEqual([codec]);
  const segments = await listed();
  expect(segments).toHaveLength(5);
  for (const { durationMs } of segments.slice(0, -1)) expect(Math.abs(durationMs - 2000)).toBeLessThanOrEqual(60);
  await feature.close();
});

it('pictures alone, and key frames that come too late', async () => {
  const feature = newFeature();
  await publish(feature, 'h264-only');
  await expectDecodable(await endedPlaylist(directory));
  expect(await codecsOf(join(directory, 'live/livestream-0.ts'))).toEqual(['h264']);
  await publish(feature, 'long-gop');
  await expectDecodable(await endedPlaylist(directory));
  const durations = (await listed()).slice(5).map(({ durationMs }) => Math.round(durationMs / 100) / 10);
  expect(durations).toEqual([4.2, 4.2, 1.6, 4.2, 4.2, 1.6]);
  await feature.close();
});

it('a republish, and a restart of the server, go on with the playlist', async () => {
  const first = newFeature();
  await publish(first, 'h264-aac');
  await publish(first, 'h264-bframes-aac');
  await first.close();
  await writeFile(join(directory, 'live/livestream-15.ts.tmp'), 'half a segment');
  const second = newFeature();
  await publish(second, 'h264-aac');
  await second.close();

  const segments = await listed();
  expect(segments.map(({ uri }) => uri)).toEqual(Array.from({ length: 15 }, (_, index) => `livestream-${index}.ts`));
  expect(segments.flatMap(({ sequence, isDiscontinuity }) => (isDiscontinuity ? [sequence] : []))).toEqual([0, 5, 10]);
  expect(existsSync(join(directory, 'live/livestream-15.ts.tmp'))).toBe(false);
  const playlist = await endedPlaylist(directory);
  // The time begins anew with each publish, which ffmpeg does not take into account where it writes.
  await expectDecodable(playlist, '-vsync', 'drop');
  expect((await packetsOf(playlist)).video).toHaveLength(750);
  await expectValidSeries();
});

it('encrypted segments are read with the keys that the playlist names', async () => {
  const feature = newFeature();
  await publish(feature, 'h264-aac', `hls_keys on; hls_fragments_per_key 2; hls_key_file_path ${directory};`);
  const playlist = await endedPlaylist(directory);
  await expectDecodable(playlist);
  expect((await packetsOf(playlist)).video).toHaveLength(250);
  const names = await readdir(join(directory, 'live'));
  expect(names.filter((name) => name.endsWith('.key')).sort()).toEqual([0, 2, 4].map((number) => `livestream-${number}.key`));
  await feature.close();
});

it('names with any signs in them are found by their URIs', async () => {
  const feature = newFeature();
  await publish(feature, 'aac-only', "hls_ts_file '[app]/直播 #1?%41/[stream]&\"+[seq].ts';");
  await endedPlaylist(directory);
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url!, 'http://localhost').pathname);
    createReadStream(join(directory, path))
      .on('error', () => response.writeHead(404).end())
      .pipe(response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await expectDecodable(`http://127.0.0.1:${port}/live/ended.m3u8`);
  server.close();
  expect(await readdir(join(directory, 'live'))).toContain('直播 #1?%41');
  await feature.close();
});
