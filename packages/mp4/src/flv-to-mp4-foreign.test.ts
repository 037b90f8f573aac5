import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ffprobe, runForeign } from '../../../test/support/foreign.ts';
import { type ClipName, clip, type Packet, packetHashes } from '../../../test/support/media.ts';
import { requires } from '../../../test/support/requires.ts';
import { complaintsOfFfmpeg, enhancedFramesOf, framesOfFlv, muxToFile } from './foreign-test-support.ts';

const directory = mkdtempSync(join(tmpdir(), 'srs-mp4-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const LIMIT_MS = 60_000;

function write(name: string, bytes: Buffer): string {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
}

/** The same packets, times within a millisecond: sound is counted in samples, which FLV rounds. */
function expectSamePackets(got: readonly Packet[], sent: readonly Packet[], shiftMs = 0): void {
  const facts = ({ hash, isKeyFrame, sizeBytes }: Packet) => ({ hash, isKeyFrame, sizeBytes });
  expect(got.map(facts)).toEqual(sent.map(facts));
  got.forEach((packet, i) => {
    expect(Math.abs(packet.ptsMs - sent[i]!.ptsMs - shiftMs), `pts of packet ${i}`).toBeLessThanOrEqual(1);
    expect(Math.abs(packet.dtsMs - sent[i]!.dtsMs - shiftMs), `dts of packet ${i}`).toBeLessThanOrEqual(1);
  });
}

describe('what ffmpeg has published', () => {
  requires('ffmpeg', 'ffprobe');
  const clips: readonly (readonly [ClipName, string])[] = [
    ['h264-aac', 'avc1.64000d,mp4a.40.2'],
    ['h264-bframes-aac', 'avc1.64000d,mp4a.40.2'],
    ['h264-mp3', 'avc1.64000d,mp4a.6B'],
    ['h264-only', 'avc1.64000d'],
    ['aac-only', 'mp4a.40.2'],
    ['mp3-only', 'mp4a.6B'],
  ];

  it.each(clips)(
    '%s is read back with all packets and times, and decoded without complaint',
    { timeout: LIMIT_MS },
    async (name, codecs) => {
      const source = await clip(name);
      const { file, muxer } = muxToFile(framesOfFlv(source));
      const path = write(`${name}.mp4`, file);
      expect([muxer.codecs, muxer.skippedFrames]).toEqual([codecs, 0]);
      expect(await complaintsOfFfmpeg(path)).toBe('');
      const [got, sent] = [await packetHashes(path), await packetHashes(source)];
      expectSamePackets(got.video, sent.video);
      expectSamePackets(got.audio, sent.audio);
    },
  );

  it('plays on across the wrap of the clock', { timeout: LIMIT_MS }, async () => {
    const startMs = 2 ** 31 - 5000;
    const frames = framesOfFlv(await clip('h264-bframes-aac'));
    const moved = frames.map((frame) => ({ ...frame, timestampMs: (frame.timestampMs + startMs) % 2 ** 31 }));
    const path = write('wrap.mp4', muxToFile(moved).file);
    expect(await complaintsOfFfmpeg(path)).toBe('');
    const [got, sent] = [await packetHashes(path), await packetHashes(await clip('h264-bframes-aac'))];
    expectSamePackets(got.video, sent.video, startMs);
    expectSamePackets(got.audio, sent.audio, startMs);
  });
});

describe('enhanced RTMP', () => {
  requires('ffmpeg', 'ffprobe');
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=3', '-pix_fmt', 'yuv420p', '-g', '25'];
  const sound = ['-f', 'lavfi', '-i', 'sine=duration=3'];
  const encoders = [
    [
      'H.265 and Opus',
      'libx265',
      'hevc',
      [...sound, '-preset', 'ultrafast', '-tag:v', 'hvc1', '-c:a', 'libopus', '-x265-params', 'log-level=none'],
    ],
    ['H.264 and Opus', 'libx264', 'h264', [...sound, '-preset', 'ultrafast', '-bf', '2', '-c:a', 'libopus']],
    ['AV1', 'libsvtav1', 'av1', ['-preset', '12']],
  ] as const;

  it.each(encoders)(
    '%s is read back with all packets and times, and decoded without complaint',
    { timeout: LIMIT_MS },
    async (_, encoder, codec, args) => {
      const source = join(directory, `${encoder}.mp4`);
      const inputs = args[0] === '-f' ? args.slice(0, 4) : [];
      const outputs = args[0] === '-f' ? args.slice(4) : args;
      const made = await runForeign('ffmpeg', [
        '-nostdin',
        '-v',
        'error',
        '-y',
        ...picture.slice(0, 4),
        ...inputs,
        ...picture.slice(4),
        '-c:v',
        encoder,
        ...outputs,
        source,
      ]);
      expect(made.code, made.stderr).toBe(0);
      const { file, muxer } = muxToFile(await enhancedFramesOf(source));
      const path = write(`${encoder}-fragments.mp4`, file);
      expect(muxer.skippedFrames).toBe(0);
      expect(await complaintsOfFfmpeg(path)).toBe('');
      const probed = (await ffprobe(['-show_streams', path])) as {
        streams: { codec_name: string; width?: number; height?: number }[];
      };
      expect(probed.streams[0]).toMatchObject({ codec_name: codec, width: 320, height: 180 });
      const [got, sent] = [await packetHashes(path), await packetHashes(source)];
      const shiftMs = got.video[0]!.dtsMs - sent.video[0]!.dtsMs;
      expectSamePackets(got.video, sent.video, shiftMs);
      expectSamePackets(got.audio, sent.audio, shiftMs);
    },
  );
});

describe('GStreamer', () => {
  requires('gst-launch-1.0', 'ffmpeg');

  it.each([
    ['h264-bframes-aac', 'aacparse ! avdec_aac', 432 * 1024],
    ['h264-mp3', 'mpegaudioparse ! avdec_mp3', 384 * 1152],
  ] as const)('demuxes and decodes %s to the end', { timeout: LIMIT_MS }, async (name, decoder, samples) => {
    const path = write(`gst-${name}.mp4`, muxToFile(framesOfFlv(await clip(name))).file);
    const [pictures, sounds] = [join(directory, `${name}.i420`), join(directory, `${name}.s16`)];
    const video = `d.video_0 ! queue ! h264parse ! avdec_h264 ! videoconvert ! video/x-raw,format=I420 ! filesink location=${pictures}`;
    const audio = `d.audio_0 ! queue ! ${decoder} ! audioconvert ! audio/x-raw,format=S16LE,channels=2 ! filesink location=${sounds}`;
    const pipeline = `filesrc location=${path} ! qtdemux name=d ${video} ${audio}`;
    const { code, stderr } = await runForeign('gst-launch-1.0', ['-q', ...pipeline.split(' ')]);
    expect([code, stderr]).toEqual([0, '']);
    expect(statSync(pictures).size).toBe(250 * 320 * 180 * 1.5);
    // Decoders of sound may keep the first frame to themselves.
    expect(Math.abs(statSync(sounds).size / 4 - samples)).toBeLessThanOrEqual(1152);
  });
});
