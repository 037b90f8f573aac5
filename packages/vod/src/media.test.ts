/** Real media, cut, and what players of other projects make of it. */
import { readFileSync, truncateSync } from 'node:fs';
import { accessUnitsOf, type TsAccessUnit, TsReader } from '@srs/mpegts';
import { afterAll, describe, expect, it } from 'vitest';
import type { ClipName } from '../../../test/support/media.ts';
import { requires } from '../../../test/support/requires.ts';
import { planFlv } from './flv-plan.ts';
import { MediaStudies, probe, slowStart, type Times, type Track, type Tracks } from './media-study-test-support.ts';
import { runFfmpeg, TestFiles } from './media-test-support.ts';
import { TestLibrary, withWindow } from './vod-test-support.ts';

const TIMEOUT = { timeout: 60_000 };
/** What the muxer adds to all times. */
const DELAY_MS = 800;
requires('ffmpeg', 'ffprobe');

const vod = new TestLibrary();
const files = new TestFiles(vod);
afterAll(() => vod[Symbol.asyncDispose]());

const clips: readonly ClipName[] = ['h264-aac', 'h264-mp3', 'h264-only', 'aac-only', 'mp3-only', 'long-gop'];
const names = [
  ...clips.map((name) => `${name}.flv`),
  'bframes.flv',
  'indexed.flv',
  'bframes.mp4',
  'negative-offsets.mp4',
  'ntsc.mp4',
  'odd-groups.flv',
  'no-groups.flv',
  'no-groups.mp4',
  'large-pictures.flv',
  'hevc.mp4',
  'fragmented.mp4',
  'audio-only.mp4',
  'mp3.mp4',
  'mono-22050.flv',
  'late-sound.mp4',
];

/** What is the same for all of a kind is looked at with some of them. */
const decoded: ReadonlySet<string> = new Set(['bframes.flv', 'negative-offsets.mp4', 'ntsc.mp4', 'hevc.mp4', 'no-groups.flv']);
const alone: ReadonlySet<string> = new Set([...decoded, 'aac-only.flv', 'h264-mp3.flv', 'odd-groups.flv']);
const sought: ReadonlySet<string> = new Set([
  'bframes.flv',
  'bframes.mp4',
  'aac-only.flv',
  'odd-groups.flv',
  'fragmented.mp4',
  'late-sound.mp4',
]);

const studies = new MediaStudies(vod, files, decoded);

/** The reader refuses streams that are not quite right. */
function unitsOf(segment: Buffer): readonly TsAccessUnit[] {
  const units: TsAccessUnit[] = [];
  const reader = new TsReader({ onPes: (pes) => units.push(...accessUnitsOf(pes)) });
  reader.receive(segment);
  reader.end();
  return units;
}

/** As the segments say. */
function playedTimes(segments: readonly Buffer[]): Tracks<readonly Times[]> {
  const times: Record<Track, Times[]> = { video: [], audio: [] };
  for (const unit of segments.flatMap(unitsOf)) {
    const track = 'nalUnits' in unit ? times.video : times.audio;
    track.push({ ptsMs: unit.pts / 90 - DELAY_MS, dtsMs: unit.dts / 90 - DELAY_MS });
  }
  return times;
}

/** The same distances, but for a first frame that the file gives another length. */
function expectInStep(played: readonly Times[], source: readonly Times[], offsetMs: number, toleranceMs: number): void {
  expect(played).toHaveLength(source.length);
  const errors = played.map(({ ptsMs }, index) => Math.abs(ptsMs - source[index]!.ptsMs - offsetMs));
  expect(Math.max(...errors.slice(1))).toBeLessThanOrEqual(toleranceMs);
  const steps = played.slice(1).map(({ dtsMs }, index) => dtsMs - played[index]!.dtsMs);
  expect(Math.min(...steps)).toBeGreaterThan(0);
}

describe.each(names)('%s', (name) => {
  it('has the packets of the file in its segments, none lost and none twice', TIMEOUT, async () => {
    const { source, sourceHashes, playedHashes } = await studies.of(name);
    for (const track of ['video', 'audio'] as const) {
      const { length } = sourceHashes.packets[track];
      expect(length).toBe(source.times[track].length);
      if (source.codecs[track] !== undefined) expect(length).toBeGreaterThan(20);
    }
    expect(playedHashes.packets).toEqual(sourceHashes.packets);
  });

  if (decoded.has(name))
    it('decodes to the same pictures', TIMEOUT, async () => {
      const { source, sourceHashes, playedHashes } = await studies.of(name);
      expect(sourceHashes.pictures).toHaveLength(source.times.video.length);
      expect(playedHashes.pictures).toEqual(sourceHashes.pictures);
    });

  it('has the times of the file, and sound without a step where segments meet', TIMEOUT, async () => {
    const { source, segments } = await studies.of(name);
    const { video, audio } = source.codecs;
    const played = playedTimes(segments);
    const reference: Track = video === undefined ? 'audio' : 'video';
    const offsetMs = played[reference][1]!.ptsMs - source.times[reference][1]!.ptsMs;
    // FLV has whole milliseconds.
    const toleranceMs = name.endsWith('.flv') ? 1 : 0.1;
    if (video !== undefined) expectInStep(played.video, source.times.video, offsetMs, toleranceMs);
    if (audio === undefined) return;
    expectInStep(played.audio, source.times.audio, offsetMs, toleranceMs + 1);
    if (audio !== 'aac') return;
    const steps = played.audio.slice(1).map(({ ptsMs }, index) => ptsMs - played.audio[index]!.ptsMs);
    expect(Math.max(...steps) - Math.min(...steps)).toBeLessThan(0.03);
  });

  it('is told truly by its playlist', TIMEOUT, async () => {
    const { source, segments } = await studies.of(name);
    const { text, durations } = await vod.playlist(name);
    const sum = durations.reduce((total, seconds) => total + seconds, 0);
    expect(Math.abs(sum - source.seconds)).toBeLessThan(0.15);
    const target = Number(/^#EXT-X-TARGETDURATION:(\d+)$/m.exec(text)![1]);
    expect(target).toBe(Math.max(...durations.map(Math.round)));
    const isIndependent = text.includes('#EXT-X-INDEPENDENT-SEGMENTS\n');
    expect(isIndependent).toBe(!name.startsWith('no-groups'));
    if (!isIndependent || source.codecs.video === undefined) return;
    for (const segment of segments) {
      const first = unitsOf(segment).find((unit) => 'nalUnits' in unit)!;
      expect(first.nalUnits.some((unit) => isKeyUnit(unit, source.codecs.video!))).toBe(true);
    }
  });

  if (alone.has(name))
    it('has a segment that can be played alone', TIMEOUT, async () => {
      await studies.of(name);
      const { text, durations, paths } = await vod.playlist(name);
      const { seconds, codecs, keyFrames } = await probe(vod.path(paths[1]!));
      expect(Math.abs(seconds - durations[1]!)).toBeLessThan(0.6);
      if (codecs.video !== undefined && text.includes('INDEPENDENT')) expect(keyFrames).toBeGreaterThan(0);
    });

  if (sought.has(name))
    it('can be played from its middle', TIMEOUT, async () => {
      const { playlist } = await studies.of(name);
      await runFfmpeg(['-ss', '8', ...slowStart(name), '-i', playlist, '-t', '1', '-f', 'null', '-']);
    });
});

/** A picture that needs no other: IDR of H.264, an IRAP picture of H.265. */
function isKeyUnit(unit: Buffer, codec: string): boolean {
  if (codec === 'h264') return (unit[0]! & 0x1f) === 5;
  const type = (unit[0]! >>> 1) & 0x3f;
  return type >= 16 && type <= 21;
}

it.each([
  { name: 'vp9.mp4', error: 'track 1: vp09 must be avc, hevc, aac or mp3 to be played over hls' },
  { name: 'opus.mp4', error: 'track 2: Opus must be avc, hevc, aac or mp3 to be played over hls' },
])('$name is refused by the name of its codec', TIMEOUT, async ({ name, error }) => {
  await files.path(name);
  await expect(vod.playlist(name)).rejects.toMatchObject({ errorName: 'Mp4File', message: error });
});

it('subtitles of an MP4 file are left out', TIMEOUT, async () => {
  const titles = vod.write('film.srt', '1\n00:00:00,000 --> 00:00:01,000\nHello\n');
  const source = await files.path('negative-offsets.mp4');
  await runFfmpeg(['-i', source, '-i', titles, '-c:v', 'copy', '-c:s', 'mov_text', '-t', '1', vod.path('film.mp4')]);
  expect((await vod.playlist('film.mp4')).durations).toEqual([expect.closeTo(1, 0)]);
});

it('an MP4 file that is cut is refused when its tables tell of more', TIMEOUT, async () => {
  truncateSync(await files.path('faststart.mp4'), 200_000);
  await expect(vod.playlist('faststart.mp4')).rejects.toMatchObject({
    errorName: 'Mp4File',
    message: expect.stringMatching(/^mp4 track \d has samples up to \d+, the file has 200000 bytes$/) as string,
  });
});

it('a fragmented MP4 file that is cut is played as far as it goes', TIMEOUT, async () => {
  const bytes = readFileSync(await files.path('fragmented.mp4'));
  vod.write('cut-fragments.mp4', bytes.subarray(0, bytes.length * 0.7));
  const { durations } = await vod.playlist('cut-fragments.mp4');
  const sum = durations.reduce((total, seconds) => total + seconds, 0);
  expect(sum).toBeGreaterThan(10);
  expect(sum).toBeLessThan(18);
  const { length } = Buffer.concat(await vod.segments('cut-fragments.mp4'));
  expect(length).toBeGreaterThan(bytes.length * 0.6);
});

it('a file that lists its key frames has the same segments, in whatever order they are asked for', TIMEOUT, async () => {
  const bytes = readFileSync(await files.path('indexed.flv'));
  const plan = withWindow(bytes, (window, places) => planFlv(window, places, 0));
  expect(plan.index?.marks.length).toBe(4);
  await using indexed = new TestLibrary({ scannedBytes: 0 });
  indexed.write('indexed.flv', bytes);
  expect((await indexed.playlist('indexed.flv')).durations).toEqual((await vod.playlist('indexed.flv')).durations);
  const scanned = await vod.segments('indexed.flv');
  for (const index of [3, 0, 1, 2]) {
    expect(scanned[index]!.length).toBeGreaterThan(10_000);
    expect((await indexed.segment('indexed.flv', index)).equals(scanned[index]!)).toBe(true);
  }
});
