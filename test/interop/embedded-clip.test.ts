/** The clip of `npm start` keeps what its loop relies on (see packages/client/assets/make-clip.sh). */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ffprobe } from '../support/foreign.ts';
import { packetHashes } from '../support/media.ts';
import { requires } from '../support/requires.ts';

const clip = resolve(import.meta.dirname, '../../packages/client/assets/clip.flv');
const LOOP_MS = 20_480;

it('the embedded clip is smaller than 500 KB', () => {
  expect(statSync(clip).size).toBeLessThan(500_000);
});

describe('the embedded clip', () => {
  requires('ffprobe');

  it('is H.264 without reordering and AAC-LC, which every player takes', async () => {
    const { streams } = (await ffprobe(['-show_streams', clip])) as { streams: unknown };
    expect(streams).toMatchObject([
      { codec_name: 'h264', profile: 'Main', width: 640, height: 360, pix_fmt: 'yuv420p', has_b_frames: 0, r_frame_rate: '25/1' },
      { codec_name: 'aac', profile: 'LC', sample_rate: '48000', channels: 2 },
    ]);
  });

  it('has pictures and sound of exactly 20.48 s, in groups of 1.28 s', async () => {
    const { video, audio } = await packetHashes(clip);
    expect(video.length * 40).toBe(LOOP_MS);
    expect((audio.length * 1024) / 48).toBe(LOOP_MS);
    expect(video.map((packet) => packet.dtsMs)).toEqual(video.map((_, index) => index * 40));
    expect(video.every((packet) => packet.ptsMs === packet.dtsMs)).toBe(true);
    expect(audio.map((packet) => packet.dtsMs)).toEqual(audio.map((_, index) => Math.round((index * 1024) / 48)));
    const keyFrames = video.flatMap((packet, index) => (packet.isKeyFrame ? [index] : []));
    expect(keyFrames).toEqual(Array.from({ length: 16 }, (_, group) => group * 32));
  });
});
