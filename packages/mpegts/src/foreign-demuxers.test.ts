/** Real media, muxed, and what demuxers of other projects make of it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { classifyFrame } from '@srs/codec';
import { FlvReader } from '@srs/flv';
import { type FrameType, frameFlags, TIMESTAMP_MASK } from '@srs/kernel';
import { afterAll, describe, expect, it } from 'vitest';
import { ChildProgram } from '../../../test/support/child-program.ts';
import { runForeign } from '../../../test/support/foreign.ts';
import { type ClipName, clip, type Packets, type ProbedPackets, packetArgs, packetsIn } from '../../../test/support/media.ts';
import { findProgram } from '../../../test/support/programs.ts';
import { requires } from '../../../test/support/requires.ts';
import type { FlvToTs } from './flv-to-ts.ts';
import { hevcHeader, mux, readBack, video, videoFrame } from './mpegts-test-support.ts';
import { NalUnits } from './nal-units.ts';
import { TsReader } from './ts-reader.ts';

const DELAY_MS = 800;
const TIMEOUT = { timeout: 120_000 };
const directory = mkdtempSync(join(tmpdir(), 'srs-mpegts-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

requires('ffmpeg', 'ffprobe');

const sine = (rate: number, seconds = 3) => ['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=${rate}:duration=${seconds}`];
/** FLV files besides the common clips: name to what makes them. */
const recipes: Readonly<Record<string, readonly string[]>> = {
  'aac-7350': [...sine(7350), '-c:a', 'aac'],
  'aac-16000-mono': [...sine(16_000), '-c:a', 'aac', '-ac', '1'],
  'aac-48000': [...sine(48_000), '-c:a', 'aac', '-ac', '2'],
  'aac-96000': [...sine(96_000), '-c:a', 'aac', '-ac', '2'],
  'aac-5.1': [...sine(48_000), '-af', 'aformat=channel_layouts=5.1', '-c:a', 'aac'],
  /** Its channels need a program config element. */
  'aac-quad': [...sine(48_000), '-af', 'aformat=channel_layouts=quad', '-c:a', 'aac'],
  'mp3-22050': [...sine(22_050), '-c:a', 'libmp3lame'],
  'mp3-44100-mono': [...sine(44_100), '-c:a', 'libmp3lame', '-ac', '1'],
  /** Four pictures a second, several slices each. */
  'slow-sliced': [
    '-f',
    'lavfi',
    '-i',
    'testsrc2=size=320x180:rate=4:duration=5',
    ...sine(44_100, 5),
    '-c:v',
    'libx264',
    '-slices',
    '4',
    '-pix_fmt',
    'yuv420p',
    '-c:a',
    'aac',
  ],
};

async function flvFile(name: string): Promise<string> {
  const recipe = recipes[name];
  if (recipe === undefined) return await clip(name as ClipName);
  const path = join(directory, `${name}.flv`);
  const made = await runForeign('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...recipe, path]);
  expect(made).toMatchObject({ code: 0, stderr: '' });
  return path;
}

interface Muxed {
  readonly flv: string;
  readonly ts: string;
  readonly bytes: Buffer;
}

const made = new Map<string, Promise<Muxed>>();

/** The FLV file as files of a transport stream, cut at key frames after 2 s, one behind the other. */
async function muxed(name: string): Promise<Muxed> {
  const promise = made.get(name) ?? muxFile(name);
  made.set(name, promise);
  return await promise;
}

async function muxFile(name: string): Promise<Muxed> {
  const flv = await flvFile(name);
  let fileMs = 0;
  const bytes = mux((ts) => {
    const reader = new FlvReader({
      onTag: (type, timestampMs, payload) => {
        const frameType = type as FrameType;
        const flags = classifyFrame(frameType, payload);
        if ((flags & frameFlags.keyFrame) !== 0 && timestampMs - fileMs >= 2000) {
          ts.flush();
          ts.beginFile();
          fileMs = timestampMs;
        }
        if ((flags & frameFlags.sequenceHeader) !== 0) ts.onHeader(frameType, payload);
        else ts.onFrame(frameType, timestampMs & TIMESTAMP_MASK, payload);
      },
    });
    reader.receive(readFileSync(flv));
    reader.end();
  });
  const path = join(directory, `${name}.ts`);
  writeFileSync(path, bytes);
  return { flv, ts: path, bytes };
}

async function packetsOf(file: string): Promise<Packets> {
  const probed = await runForeign('ffprobe', ['-v', 'warning', '-of', 'json', ...packetArgs, file]);
  expect(probed).toMatchObject({ code: 0, stderr: '' });
  return packetsIn(JSON.parse(probed.stdout) as ProbedPackets);
}

/** Hashes of what a decoder makes of each of the tracks, picture by picture. */
async function decodedTracks(file: string, tracks: readonly string[]): Promise<readonly string[][]> {
  const maps = tracks.flatMap((track) => ['-map', `0:${track}`]);
  const args = ['-nostdin', '-v', 'warning', '-i', file, ...maps, '-fps_mode', 'passthrough', '-f', 'framemd5', '-'];
  const run = await runForeign('ffmpeg', args);
  expect(run).toMatchObject({ code: 0, stderr: '' });
  const rows = run.stdout.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const fields = rows.map((line) => line.split(',').map((field) => field.trim()));
  return tracks.map((_, index) => fields.filter(([stream]) => stream === String(index)).map((row) => row.at(-1)!));
}

async function decoded(file: string, track: string): Promise<readonly string[]> {
  const [hashes] = await decodedTracks(file, [track]);
  return hashes!;
}

const common = ['h264-aac', 'h264-bframes-aac', 'h264-mp3', 'h264-only', 'aac-only', 'mp3-only', 'long-gop'] as const;
const names: readonly string[] = [...common, ...Object.keys(recipes)];
/** Pictures that come in another order, in slices, and with each kind of sound: the others are among them, as far as decoders see. */
const decodedNames = names.filter((name) => !['h264-aac', 'h264-only', 'long-gop'].includes(name));
/** Each kind of track, alone and together: to what reads packets and tables only, one rate is like another. */
const framedNames = ['h264-bframes-aac', 'h264-mp3', 'h264-only', 'aac-5.1', 'mp3-only'];

describe('FFmpeg', () => {
  it.each(names)('finds all packets of %s, with their times', TIMEOUT, async (name) => {
    const { flv, ts } = await muxed(name);
    const [from, to] = [await packetsOf(flv), await packetsOf(ts)];
    expect([to.video.length, to.audio.length]).toEqual([from.video.length, from.audio.length]);
    expect(to.video.map((packet) => [packet.dtsMs - DELAY_MS, packet.ptsMs - DELAY_MS, packet.isKeyFrame])).toEqual(
      from.video.map((packet) => [packet.dtsMs, packet.ptsMs, packet.isKeyFrame]),
    );
    // The times of FLV are whole milliseconds.
    const off = to.audio.map((packet, i) => Math.abs(packet.ptsMs - DELAY_MS - from.audio[i]!.ptsMs));
    expect(Math.max(0, ...off)).toBeLessThanOrEqual(2);
  });

  it.each(decodedNames)('decodes %s as it decodes the FLV', TIMEOUT, async (name) => {
    const { flv, ts, bytes } = await muxed(name);
    const { pictures, sounds } = readBack(bytes);
    const tracks = [...(pictures.length > 0 ? ['v'] : []), ...(sounds.length > 0 ? ['a'] : [])];
    const hashes = await decodedTracks(ts, tracks);
    expect(hashes).toEqual(await decodedTracks(flv, tracks));
    expect(hashes.map(({ length }) => length > 10)).toEqual(tracks.map(() => true));
  });

  it('decodes H.265 that came in an enhanced head', TIMEOUT, async () => {
    const { ts, pictures } = await muxedHevc();
    const { video: packets } = await packetsOf(ts);
    expect(packets).toHaveLength(pictures);
    expect(await decoded(ts, 'v')).toHaveLength(pictures);
  });

  it('follows a change from H.264 to H.265', TIMEOUT, async () => {
    const flv = readFileSync(await clip('h264-aac'));
    const pictures = await hevcPictures();
    const bytes = mux((ts) => {
      const reader = new FlvReader({
        onTag: (type, timestampMs, payload) => {
          if (timestampMs < 2000) ts.onFrame(type as FrameType, timestampMs, payload);
        },
      });
      reader.receive(flv);
      reader.end();
      muxHevc(ts, pictures, 2000);
    });
    const path = join(directory, 'change.ts');
    writeFileSync(path, bytes);
    expect(await decoded(path, 'v:0')).toHaveLength(50);
    expect(await decoded(path, 'v:1')).toHaveLength(pictures.length);
  });

  it('reads on where the 33 bits wrap', TIMEOUT, async () => {
    const flv = readFileSync(await clip('h264-bframes-aac'));
    const startMs = Math.floor(2 ** 33 / 90) - 5000;
    const bytes = mux((ts) => {
      const reader = new FlvReader({
        onTag: (type, timestampMs, payload) => ts.onFrame(type as FrameType, startMs + timestampMs, payload),
      });
      reader.receive(flv);
      reader.end();
    });
    const path = join(directory, 'wrap.ts');
    writeFileSync(path, bytes);
    const { video: packets } = await packetsOf(path);
    expect(packets).toHaveLength(250);
    expect(new Set(packets.slice(1).map((packet, i) => packet.dtsMs - packets[i]!.dtsMs))).toEqual(new Set([40]));
    expect(await decoded(path, 'a')).toEqual(await decoded(await clip('h264-bframes-aac'), 'a'));
  });
});

/** The access units that x265 wrote, told apart by their delimiters, which are left out. */
async function hevcPictures(): Promise<readonly (readonly Buffer[])[]> {
  const raw = join(directory, 'x265.hevc');
  const source = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=2', '-pix_fmt', 'yuv420p'];
  const encoder = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'keyint=25:bframes=0:aud=1:log-level=none'];
  const encoded = await runForeign('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...source, ...encoder, raw]);
  expect(encoded.code).toBe(0);
  const bytes = readFileSync(raw);
  const units = new NalUnits('x265');
  units.readAnnexB(bytes, 0, bytes.length);
  const pictures: Buffer[][] = [];
  for (let i = 0; i < units.count; i++) {
    const unit = bytes.subarray(units.begins[i], units.ends[i]);
    if (hevcType(unit) === 35) pictures.push([]);
    else pictures.at(-1)!.push(unit);
  }
  return pictures;
}

function hevcType(unit: Buffer): number {
  return (unit[0]! >>> 1) & 0x3f;
}

/** The header is of another stream: the parameter sets in the key frames must win. */
function muxHevc(ts: FlvToTs, pictures: readonly (readonly Buffer[])[], fromMs: number): void {
  ts.onHeader(video, hevcHeader());
  for (const [i, nalUnits] of pictures.entries()) {
    const isKey = nalUnits.some((unit) => hevcType(unit) === 32);
    ts.onFrame(video, fromMs + i * 40, videoFrame('hvc1', nalUnits, { isKey }));
  }
}

async function muxedHevc(): Promise<{ readonly ts: string; readonly pictures: number }> {
  const pictures = await hevcPictures();
  const ts = join(directory, 'hevc.ts');
  writeFileSync(
    ts,
    mux((muxer) => muxHevc(muxer, pictures, 0)),
  );
  return { ts, pictures: pictures.length };
}

describe('GStreamer', () => {
  requires('gst-launch-1.0');

  /** Lines of checksumsink: one for each picture or piece of sound that came out. */
  async function decode(ts: string, ...chain: readonly string[]): Promise<number> {
    const elements = chain.flatMap((element) => ['!', element]);
    const run = await runForeign('gst-launch-1.0', [
      '-q',
      'filesrc',
      `location=${ts}`,
      '!',
      'tsdemux',
      ...elements,
      '!',
      'checksumsink',
    ]);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stderr).toBe('');
    return run.stdout.trim().split('\n').length;
  }

  it.each([
    ['h264-bframes-aac', ['h264parse', 'avdec_h264'], 250],
    ['h264-bframes-aac', ['aacparse', 'avdec_aac'], 432],
    ['h264-mp3', ['mpegaudioparse', 'avdec_mp3'], 384],
    ['aac-only', ['aacparse', 'avdec_aac'], 432],
    ['mp3-22050', ['mpegaudioparse', 'avdec_mp3'], 117],
  ] as const)('decodes %s with %s', TIMEOUT, async (name, chain, count) => {
    const { ts } = await muxed(name);
    expect(Math.abs((await decode(ts, ...chain)) - count)).toBeLessThanOrEqual(2);
  });

  it('decodes H.265', TIMEOUT, async () => {
    const { ts, pictures } = await muxedHevc();
    expect(await decode(ts, 'h265parse', 'avdec_h265')).toBe(pictures);
  });
});

describe('tshark', () => {
  requires('tshark');

  /** The packets that it objects to. */
  async function objections(ts: string): Promise<string[]> {
    const filter = '_ws.malformed || _ws.expert || mp2t.cc.drop || mpeg_sect.crc.invalid';
    const check = [
      '-o',
      'mpeg_sect.verify_crc:TRUE',
      '-Y',
      filter,
      '-T',
      'fields',
      '-e',
      'frame.number',
      '-e',
      '_ws.expert.message',
    ];
    // It must not write where the user's settings are.
    const home = join(directory, 'home');
    mkdirSync(home, { recursive: true });
    const run = await ChildProgram.run(findProgram('tshark')!, ['-r', ts, ...check], { env: { HOME: home } });
    expect(run.code, run.stderr).toBe(0);
    return run.stdout.split('\n').filter((line) => line !== '');
  }

  it.each(framedNames)('objects to nothing in %s', TIMEOUT, async (name) => {
    expect(await objections((await muxed(name)).ts)).toEqual([]);
  });

  it('objects to a lost packet and a wrong table', TIMEOUT, async () => {
    const { bytes } = await muxed('h264-aac');
    const lost = join(directory, 'lost.ts');
    writeFileSync(lost, Buffer.concat([bytes.subarray(0, 188 * 9), bytes.subarray(188 * 10)]));
    expect(await objections(lost)).not.toEqual([]);
    const wrong = join(directory, 'wrong.ts');
    const copy = Buffer.from(bytes);
    copy[10]! ^= 1;
    writeFileSync(wrong, copy);
    expect(await objections(wrong)).not.toEqual([]);
  });
});

it('a stream that FFmpeg has muxed is read', TIMEOUT, async () => {
  const path = join(directory, 'ffmpeg.ts');
  const args = ['-nostdin', '-v', 'error', '-y', '-i', await clip('h264-bframes-aac'), '-c', 'copy', '-f', 'mpegts', path];
  expect(await runForeign('ffmpeg', args)).toMatchObject({ code: 0 });
  const bytes = readFileSync(path);
  const found: number[] = [];
  const reader = new TsReader({ onPes: (pes) => found.push(pes.streamType) });
  reader.receive(bytes);
  reader.end();
  expect(found.filter((type) => type === 0x1b)).toHaveLength(250);
  expect(found.filter((type) => type === 0x0f).length).toBeGreaterThan(20);
});
