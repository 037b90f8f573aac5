/** Real media, cut, and what players of other projects make of it. */
import { copyFileSync, readFileSync, renameSync, truncateSync } from 'node:fs';
import { accessUnitsOf, TsReader } from '@srs/mpegts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ffprobe, runForeign } from '../../../test/support/foreign.ts';
import { type ClipName, clip } from '../../../test/support/media.ts';
import { requires } from '../../../test/support/requires.ts';
import { planFlv } from './vod-flv-plan.ts';
import { TestVod, withWindow } from './vod-test-support.ts';

const TIMEOUT = { timeout: 120_000 };
/** What the muxer adds to all times. */
const DELAY_MS = 800;
requires('ffmpeg', 'ffprobe');

let vod: TestVod;
beforeAll(async () => {
  vod = await TestVod.start();
});
afterAll(() => vod[Symbol.asyncDispose]());

const picture = (seconds: number, rate = '25') => ['-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=${rate}:duration=${seconds}`];
const tone = "aevalsrc='0.2*sin(2*PI*(220+40*t)*t)+0.02*random(0)':sample_rate";
const sound = (seconds: number, rate = 44_100) => ['-f', 'lavfi', '-i', `${tone}=${rate}:duration=${seconds}`];
const h264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p'];
const x265 = 'keyint=50:bframes=2:log-level=none';
const hevc = ['-c:v', 'libx265', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-x265-params', x265];
const aac = ['-c:a', 'aac'];
const fragmented = ['-movflags', 'frag_keyframe+empty_moov', '-frag_duration', '500000'];

/** Files besides the common clips: name to what makes them. */
const recipes: Readonly<Record<string, readonly string[]>> = {
  'bframes.flv': [...picture(20), ...sound(20), ...h264, '-bf', '3', '-g', '50', ...aac],
  'indexed.flv': [...picture(28), ...sound(28), ...h264, '-bf', '2', '-g', '50', ...aac, '-flvflags', 'add_keyframe_index'],
  'bframes.mp4': [...picture(20), ...sound(20), ...h264, '-bf', '3', '-g', '50', ...aac],
  // Offsets of either sign instead of an edit list.
  'negative-offsets.mp4': [...picture(20), ...h264, '-bf', '3', '-g', '50', '-movflags', 'negative_cts_offsets'],
  'ntsc.mp4': [...picture(20, '30000/1001'), ...sound(20, 48_000), ...h264, '-bf', '2', '-g', '60', ...aac],
  'odd-groups.flv': [
    ...picture(25),
    ...sound(25),
    ...h264,
    '-bf',
    '2',
    '-force_key_frames',
    'expr:if(isnan(prev_forced_t),1,gte(t,prev_forced_t*1.7+0.3))',
    '-g',
    '1000',
    ...aac,
  ],
  'no-groups.flv': [...picture(40), ...sound(40), ...h264, '-bf', '2', '-g', '5000', '-sc_threshold', '0', ...aac],
  'no-groups.mp4': [...picture(40), ...sound(40), ...h264, '-bf', '2', '-g', '5000', '-sc_threshold', '0', ...aac],
  'large-pictures.flv': [
    '-f',
    'lavfi',
    '-i',
    'testsrc2=size=1280x720:rate=5:duration=13',
    '-vf',
    'noise=alls=60:allf=t',
    ...h264,
    '-qp',
    '20',
    '-bf',
    '0',
    '-g',
    '5',
  ],
  'hevc.mp4': [...picture(14), ...sound(14), ...hevc, '-tag:v', 'hvc1', ...aac],
  'fragmented.mp4': [...picture(20), ...sound(20), ...h264, '-bf', '2', '-g', '50', ...aac, ...fragmented],
  'audio-only.mp4': [...sound(20), ...aac],
  'mp3.mp4': [...picture(14), ...sound(14), ...h264, '-g', '50', '-c:a', 'libmp3lame'],
  'mono-22050.flv': [...sound(20, 22_050), ...aac, '-ac', '1'],
  'late-sound.mp4': ['-itsoffset', '7.3', ...sound(10), ...picture(14), ...h264, '-g', '50', ...aac],
};
const clips: readonly ClipName[] = ['h264-aac', 'h264-mp3', 'h264-only', 'aac-only', 'mp3-only', 'long-gop'];
const names = [...clips.map((name) => `${name}.flv`), ...Object.keys(recipes)];

/** What is the same for all of a kind is looked at with some of them. */
const decoded: ReadonlySet<string> = new Set(['bframes.flv', 'negative-offsets.mp4', 'ntsc.mp4', 'hevc.mp4', 'no-groups.flv']);
const sought: ReadonlySet<string> = new Set([
  'bframes.flv',
  'bframes.mp4',
  'aac-only.flv',
  'odd-groups.flv',
  'fragmented.mp4',
  'late-sound.mp4',
]);

const made = new Map<string, Promise<string>>();

/** @returns where the file is that is served under this name */
function fileOf(name: string): Promise<string> {
  let path = made.get(name);
  path ??= makeFile(name);
  made.set(name, path);
  return path;
}

async function makeFile(name: string): Promise<string> {
  // Some have one name with either ending, and one playlist would stand for both.
  const path = vod.path(`www/${name.replace('.', '-')}${name.slice(name.indexOf('.'))}`);
  const recipe = recipes[name];
  if (recipe === undefined) {
    copyFileSync(await clip(name.replace('.flv', '') as ClipName), path);
    return path;
  }
  const unfinished = path.replace(/\.\w+$/, (ending) => `.tmp${ending}`);
  const run = await runForeign('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...recipe, unfinished]);
  expect(run).toMatchObject({ code: 0, stderr: '' });
  renameSync(unfinished, path);
  return path;
}

/** Hashes of what ffmpeg makes of a track, packet by packet or picture by picture; it must have nothing to complain about. */
async function hashesOf(args: readonly string[]): Promise<readonly string[]> {
  const run = await runForeign('ffmpeg', ['-nostdin', '-v', 'warning', ...args, '-f', 'framemd5', '-']);
  expect(run).toMatchObject({ code: 0, stderr: '' });
  return run.stdout
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(',')[5]!.trim());
}

interface Times {
  readonly ptsMs: number;
  readonly dtsMs: number;
}

type Track = 'video' | 'audio';

/** As the file says. */
async function sourceTimes(path: string, track: Track): Promise<readonly Times[]> {
  const select = ['-select_streams', track[0]!, '-show_entries', 'packet=pts_time,dts_time'];
  const { packets } = (await ffprobe([...select, path])) as { packets: { pts_time: string; dts_time: string }[] };
  return packets.map(({ pts_time, dts_time }) => ({ ptsMs: Number(pts_time) * 1000, dtsMs: Number(dts_time) * 1000 }));
}

/** As the segments say; the reader refuses streams that are not quite right. */
async function playedTimes(playlist: string): Promise<Record<Track, readonly Times[]>> {
  const times: Record<Track, Times[]> = { video: [], audio: [] };
  for (const url of (await vod.playlist(playlist)).urls) {
    const reader = new TsReader({
      onPes: (pes) => {
        for (const unit of accessUnitsOf(pes)) {
          const track = 'nalUnits' in unit ? times.video : times.audio;
          track.push({ ptsMs: unit.pts / 90 - DELAY_MS, dtsMs: unit.dts / 90 - DELAY_MS });
        }
      },
    });
    reader.receive((await vod.ask(url)).bytes);
    reader.end();
  }
  return times;
}

interface Tracks {
  readonly video: 'h264' | 'hevc' | undefined;
  readonly audio: 'aac' | 'mp3' | undefined;
}

async function tracksOf(path: string): Promise<Tracks> {
  const probe = await runForeign('ffprobe', ['-v', 'error', '-show_entries', 'stream=codec_name', '-of', 'csv=p=0', path]);
  const codecs = probe.stdout.split(/\s+/);
  return {
    video: (['h264', 'hevc'] as const).find((codec) => codecs.includes(codec)),
    audio: (['aac', 'mp3'] as const).find((codec) => codecs.includes(codec)),
  };
}

/** Brings pictures of either container into one form: start codes, without parameter sets, delimiters and remarks. */
const pictureFilters = {
  h264: 'filter_units=remove_types=7|8|9',
  hevc: 'filter_units=remove_types=32|33|34|35|39|40',
} as const;

/** The same distances, but for a first frame that the file gives another length. */
function expectInStep(played: readonly Times[], source: readonly Times[], offsetMs: number, toleranceMs: number): void {
  expect(played).toHaveLength(source.length);
  const errors = played.map(({ ptsMs }, index) => Math.abs(ptsMs - source[index]!.ptsMs - offsetMs));
  expect(Math.max(...errors.slice(1))).toBeLessThanOrEqual(toleranceMs);
  const steps = played.slice(1).map(({ dtsMs }, index) => dtsMs - played[index]!.dtsMs);
  expect(Math.min(...steps)).toBeGreaterThan(0);
}

describe.each(names)('%s', (name) => {
  const playlist = `/${name.replace('.', '-')}.m3u8`;

  it('has the packets of the file in its segments, none lost and none twice', TIMEOUT, async () => {
    const path = await fileOf(name);
    const { video, audio } = await tracksOf(path);
    const input = [...slowStart(name), '-i', vod.url(playlist)];
    if (video !== undefined) {
      const filter = pictureFilters[video];
      const source = await hashesOf(['-i', path, '-map', '0:v', '-c', 'copy', '-bsf:v', `${video}_mp4toannexb,${filter}`]);
      expect(source.length).toBeGreaterThan(50);
      expect(await hashesOf([...input, '-map', '0:v', '-c', 'copy', '-bsf:v', filter])).toEqual(source);
    }
    if (audio !== undefined) {
      const filter = audio === 'aac' ? ['-bsf:a', 'aac_adtstoasc'] : [];
      const source = await hashesOf(['-i', path, '-map', '0:a', '-c', 'copy']);
      expect(await hashesOf([...input, '-map', '0:a', '-c', 'copy', ...filter])).toEqual(source);
    }
  });

  if (decoded.has(name))
    it('decodes to the same pictures', TIMEOUT, async () => {
      const path = await fileOf(name);
      const picturesOf = (input: readonly string[]): Promise<readonly string[]> =>
        hashesOf([...input, '-map', '0:v', '-fps_mode', 'passthrough']);
      expect(await picturesOf(['-i', vod.url(playlist)])).toEqual(await picturesOf(['-i', path]));
    });

  it('has the times of the file, and sound without a step where segments meet', TIMEOUT, async () => {
    const path = await fileOf(name);
    const { video, audio } = await tracksOf(path);
    const played = await playedTimes(playlist);
    const source = { video: await sourceTimes(path, 'video'), audio: await sourceTimes(path, 'audio') };
    const reference: Track = video === undefined ? 'audio' : 'video';
    const offsetMs = played[reference][1]!.ptsMs - source[reference][1]!.ptsMs;
    // FLV has whole milliseconds.
    const toleranceMs = name.endsWith('.flv') ? 1 : 0.1;
    if (video !== undefined) expectInStep(played.video, source.video, offsetMs, toleranceMs);
    if (audio === undefined) return;
    expectInStep(played.audio, source.audio, offsetMs, toleranceMs + 1);
    if (audio !== 'aac') return;
    const steps = played.audio.slice(1).map(({ ptsMs }, index) => ptsMs - played.audio[index]!.ptsMs);
    expect(Math.max(...steps) - Math.min(...steps)).toBeLessThan(0.03);
  });

  it('is told truly by its playlist', TIMEOUT, async () => {
    const path = await fileOf(name);
    const { text, durations, urls } = await vod.playlist(playlist);
    const { format } = (await ffprobe(['-show_entries', 'format=duration', path])) as { format: { duration: string } };
    const sum = durations.reduce((total, seconds) => total + seconds, 0);
    expect(Math.abs(sum - Number(format.duration))).toBeLessThan(0.15);
    const target = Number(/^#EXT-X-TARGETDURATION:(\d+)$/m.exec(text)![1]);
    expect(target).toBe(Math.max(...durations.map(Math.round)));
    const isIndependent = text.includes('#EXT-X-INDEPENDENT-SEGMENTS\n');
    expect(isIndependent).toBe(!name.startsWith('no-groups'));
    for (const index of new Set([1, urls.length - 1])) await expectPlayable(urls[index]!, durations[index]!, isIndependent);
  });

  if (sought.has(name))
    it('can be played from its middle', TIMEOUT, async () => {
      await fileOf(name);
      const args = ['-ss', '8', ...slowStart(name), '-i', vod.url(playlist), '-t', '1', '-f', 'null', '-'];
      const run = await runForeign('ffmpeg', ['-nostdin', '-v', 'warning', ...args]);
      expect(run).toMatchObject({ code: 0, stderr: '' });
    });
});

it.each([
  {
    name: 'VP9',
    codecs: ['-c:v', 'libvpx-vp9', '-c:a', 'aac'],
    error: 'track 1: vp09 must be avc, hevc, aac or mp3 to be played over hls',
  },
  {
    name: 'Opus',
    codecs: ['-c:v', 'libx264', '-c:a', 'libopus'],
    error: 'track 2: Opus must be avc, hevc, aac or mp3 to be played over hls',
  },
])('an MP4 file with $name is refused by its name', TIMEOUT, async ({ name, codecs, error }) => {
  const path = vod.path(`www/${name}.mp4`);
  const args = ['-nostdin', '-v', 'error', '-y', ...picture(1), ...sound(1, 48_000), '-strict', '-2', ...codecs, path];
  expect(await runForeign('ffmpeg', args)).toMatchObject({ code: 0 });
  expect(await vod.ask(`/${name}.m3u8`)).toMatchObject({ status: 415, body: { code: 3076, data: { error } } });
});

it('subtitles of an MP4 file are left out', TIMEOUT, async () => {
  vod.write('film.srt', '1\n00:00:00,000 --> 00:00:01,000\nHello\n');
  const inputs = [...picture(1), '-i', vod.path('film.srt')];
  const args = ['-nostdin', '-v', 'error', '-y', ...inputs, ...h264, '-c:s', 'mov_text', vod.path('www/film.mp4')];
  expect(await runForeign('ffmpeg', args)).toMatchObject({ code: 0, stderr: '' });
  expect((await vod.playlist('/film.m3u8')).durations).toEqual([1]);
});

it('an MP4 file that is cut is refused when its tables tell of more', TIMEOUT, async () => {
  const path = await fileOf('bframes.mp4');
  const moved = vod.path('www/cut.mp4');
  const args = ['-nostdin', '-v', 'error', '-y', '-i', path, '-c', 'copy', '-movflags', '+faststart', moved];
  expect(await runForeign('ffmpeg', args)).toMatchObject({ code: 0, stderr: '' });
  truncateSync(moved, 200_000);
  const { status, body } = await vod.ask('/cut.m3u8');
  expect(status).toBe(415);
  expect(body).toMatchObject({
    data: { error: expect.stringMatching(/^mp4 track \d has samples up to \d+, the file has 200000 bytes$/) as string },
  });
});

it('a fragmented MP4 file that is cut is played as far as it goes', TIMEOUT, async () => {
  const path = await fileOf('fragmented.mp4');
  const bytes = readFileSync(path);
  vod.write('www/cut-fragments.mp4', bytes.subarray(0, bytes.length * 0.7));
  const { durations } = await vod.playlist('/cut-fragments.m3u8');
  const sum = durations.reduce((total, seconds) => total + seconds, 0);
  expect(sum).toBeGreaterThan(10);
  expect(sum).toBeLessThan(18);
  const { length } = await vod.segments('/cut-fragments.m3u8');
  expect(length).toBeGreaterThan(bytes.length * 0.6);
});

it('a file that lists its key frames has the same segments, in whatever order they are asked for', TIMEOUT, async () => {
  const name = 'indexed.flv';
  const path = await fileOf(name);
  const plan = withWindow(readFileSync(path), (window, places) => planFlv(window, places, 0));
  expect(plan.index?.marks.length).toBe(5);
  await using indexed = await TestVod.start({ limits: { scannedBytes: 0 } });
  copyFileSync(path, indexed.path('www/indexed-flv.flv'));
  const byIndex = await indexed.playlist('/indexed-flv.m3u8');
  const scanned = await vod.playlist('/indexed-flv.m3u8');
  expect(byIndex.durations).toEqual(scanned.durations);
  for (const index of [3, 0, 4, 1, 2]) {
    const { bytes } = await indexed.ask(byIndex.urls[index]!);
    expect(bytes.length).toBeGreaterThan(10_000);
    expect(bytes.equals((await vod.ask(scanned.urls[index]!)).bytes)).toBe(true);
  }
});

/** FFmpeg looks for each track for five seconds only. */
function slowStart(name: string): readonly string[] {
  return name.startsWith('late-') ? ['-analyzeduration', '20000000', '-probesize', '100000000'] : [];
}

/** A segment by itself. */
async function expectPlayable(url: string, seconds: number, isIndependent: boolean): Promise<void> {
  const path = vod.write('segment.ts', (await vod.ask(url)).bytes);
  const { packets, format } = (await ffprobe([
    '-show_entries',
    'packet=codec_type,flags',
    '-show_entries',
    'format=duration',
    path,
  ])) as { packets: { codec_type: string; flags: string }[]; format: { duration: string } };
  if (isIndependent) {
    const first = packets.find(({ codec_type }) => codec_type === 'video') ?? packets[0];
    expect(first!.flags).toContain('K');
  }
  expect(Math.abs(Number(format.duration) - seconds)).toBeLessThan(0.6);
}
