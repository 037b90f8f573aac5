import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runForeign } from '../../../test/support/foreign.ts';
import { requires } from '../../../test/support/requires.ts';
import { type ProbedPacket, probePackets } from './foreign-test-support.ts';
import { type Mp4Index, type Mp4Track, readMp4Index } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'srs-mp4-index-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const LIMIT_MS = 60_000;

function indexOf(path: string): Mp4Index {
  const descriptor = openSync(path, 'r');
  try {
    const readAt = (offset: number, length: number): Buffer => {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(descriptor, bytes, 0, length, offset));
    };
    return readMp4Index(readAt, fstatSync(descriptor).size);
  } finally {
    closeSync(descriptor);
  }
}

/** Place, size, times and key-frame mark of each sample, as ffprobe tells them. */
function rowsOf(track: Mp4Track) {
  const { count, offsets, sizes, dts, compositionOffsets, isSync } = track.samples;
  return Array.from({ length: count }, (_, i) => ({
    pos: offsets[i],
    size: sizes[i],
    pts: dts[i]! + compositionOffsets[i]!,
    dts: dts[i],
    isKey: isSync[i] === 1,
  }));
}

function rowsOfFfprobe(packets: readonly ProbedPacket[], stream: number) {
  return packets
    .filter((packet) => packet.stream_index === stream)
    .map(({ pos, size, pts, dts, flags }) => ({ pos: Number(pos), size: Number(size), pts, dts, isKey: flags.includes('K') }));
}

const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=2'];
const sound = ['-f', 'lavfi', '-i', 'sine=duration=2:sample_rate=44100'];
const encode = [...picture, ...sound, '-pix_fmt', 'yuv420p', '-preset', 'ultrafast', '-g', '25'];
const avc = ['-c:v', 'libx264', '-bf', '2'];
const aac = ['-c:a', 'aac'];
const hevc = ['-c:v', 'libx265', '-x265-params', 'log-level=none'];

describe('the index of a file of ffmpeg tells what ffprobe tells', () => {
  requires('ffmpeg', 'ffprobe');

  it.each([
    ['moov at the end', 'mp4', [...avc, ...aac], ['avc', 'aac']],
    ['moov at the start', 'mp4', [...avc, ...aac, '-movflags', '+faststart'], ['avc', 'aac']],
    ['no B-frames', 'mp4', ['-c:v', 'libx264', '-bf', '0', ...aac], ['avc', 'aac']],
    ['H.265 as hvc1 and MP3', 'mp4', [...hevc, '-tag:v', 'hvc1', '-c:a', 'libmp3lame'], ['hevc', 'mp3']],
    ['H.265 as hev1', 'mp4', [...hevc, '-tag:v', 'hev1', ...aac], ['hevc', 'aac']],
    ['QuickTime', 'mov', [...avc, ...aac], ['avc', 'aac']],
    ['video that begins later', 'mp4', [...avc, ...aac, '-vf', 'setpts=PTS+0.5/TB'], ['avc', 'aac']],
    [
      'variable frame rate',
      'mp4',
      [...avc, ...aac, '-vf', "select='not(mod(n,3))+eq(mod(n,7),1)'", '-vsync', 'vfr'],
      ['avc', 'aac'],
    ],
    ['fragments', 'mp4', [...avc, ...aac, '-movflags', '+frag_keyframe+empty_moov+default_base_moof'], ['avc', 'aac']],
    ['fragments with explicit bases', 'mp4', [...avc, ...aac, '-movflags', '+frag_keyframe+empty_moov'], ['avc', 'aac']],
    [
      'fragments without bases',
      'mp4',
      [...avc, ...aac, '-movflags', '+frag_keyframe+empty_moov+omit_tfhd_offset'],
      ['avc', 'aac'],
    ],
    [
      'fragments of one track',
      'mp4',
      [...avc, ...aac, '-movflags', '+frag_keyframe+empty_moov+separate_moof+default_base_moof'],
      ['avc', 'aac'],
    ],
    ['fragments behind samples of moov', 'mp4', [...avc, ...aac, '-movflags', '+frag_keyframe'], ['avc', 'aac']],
    ['CMAF', 'mp4', ['-c:v', 'libx264', '-bf', '0', ...aac, '-movflags', '+cmaf', '-frag_duration', '500000'], ['avc', 'aac']],
    ['audio alone', 'mp4', ['-vn', ...aac], ['aac']],
  ] as const)('%s', { timeout: LIMIT_MS }, async (name, format, args, codecs) => {
    const path = join(directory, `${name}.${format}`);
    const made = await runForeign('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...encode, ...args, path]);
    expect(made.code, made.stderr).toBe(0);
    const packets = await probePackets(path);
    const { tracks, isFragmented, isCut } = indexOf(path);
    expect(tracks.map(({ codec }) => codec)).toEqual(codecs);
    expect([isFragmented, isCut]).toEqual([args.some((arg) => /frag_|cmaf/.test(arg)), false]);
    tracks.forEach((track, stream) => {
      expect(rowsOf(track)).toEqual(rowsOfFfprobe(packets, stream));
    });
  });

  it('negative composition offsets, but for decoding times, which ffprobe moves', { timeout: LIMIT_MS }, async () => {
    const path = join(directory, 'negative.mp4');
    const args = [...avc, ...aac, '-movflags', '+negative_cts_offsets'];
    const made = await runForeign('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...encode, ...args, path]);
    expect(made.code, made.stderr).toBe(0);
    const [track] = indexOf(path).tracks as [Mp4Track];
    expect([...track.samples.compositionOffsets].some((offset) => offset < 0)).toBe(true);
    const withoutDts = (row: object) => ({ ...row, dts: undefined });
    expect(rowsOf(track).map(withoutDts)).toEqual(rowsOfFfprobe(await probePackets(path), 0).map(withoutDts));
  });
});

describe('the index of a file of GStreamer tells what ffprobe tells', () => {
  requires('gst-launch-1.0', 'ffprobe');

  it.each([
    ['progressive', 'mp4mux name=m'],
    ['with moov at the start', 'mp4mux name=m faststart=true'],
    ['fragmented', 'mp4mux name=m fragment-duration=500'],
    ['of QuickTime', 'qtmux name=m'],
  ])('%s', { timeout: LIMIT_MS }, async (name, muxer) => {
    const path = join(directory, `gst ${name}.mp4`);
    const video =
      'videotestsrc num-buffers=75 ! video/x-raw,width=320,height=180,framerate=25/1 ! x264enc bframes=2 key-int-max=25 ! h264parse ! m.';
    const audio = 'audiotestsrc num-buffers=130 ! audio/x-raw,rate=44100,channels=2 ! voaacenc ! aacparse ! m.';
    const args = [...muxer.split(' '), '!', 'filesink', `location=${path}`, ...video.split(' '), ...audio.split(' ')];
    const made = await runForeign('gst-launch-1.0', ['-q', '-e', ...args]);
    expect(made.code, made.stderr).toBe(0);
    const packets = await probePackets(path);
    const { tracks } = indexOf(path);
    expect(tracks.map(({ codec }) => codec).sort()).toEqual(['aac', 'avc']);
    tracks.forEach((track, stream) => {
      expect(rowsOf(track)).toEqual(rowsOfFfprobe(packets, stream));
    });
  });
});
