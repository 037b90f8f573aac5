import { embeddedClipFile, FlvClip, readClip } from '@srs/client';
import { encodeFlvHeader, encodeFlvTag } from '@srs/flv';
import { frameTypes } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure.ts';
import { Stamp, writeStamp } from './stamp.ts';
import { StampedClip } from './stamped-clip.ts';

const clip = readClip(embeddedClipFile);

/** The NAL unit types of a picture; the lengths must end where the payload ends. */
function nalTypes(payload: Buffer, nalLengthBytes: number): number[] {
  const types: number[] = [];
  let at = 5;
  while (at < payload.length) {
    const length = payload.readUIntBE(at, nalLengthBytes);
    at += nalLengthBytes;
    types.push(payload[at]! & 0x1f);
    at += length;
  }
  expect(at).toBe(payload.length);
  return types;
}

describe('a clip made ready', () => {
  it('has a stamp first in each picture and nowhere else', () => {
    const stampedClip = new StampedClip(clip, { isStamped: true });
    expect(stampedClip.frames).toHaveLength(clip.frames.length);
    stampedClip.frames.forEach((frame, index) => {
      const before = clip.frames[index]!;
      expect(frame.isStamped).toBe(before.type === frameTypes.video);
      if (!frame.isStamped) {
        expect(frame.payload).toBe(before.payload);
        return;
      }
      expect(nalTypes(frame.payload, 4)).toEqual([6, ...nalTypes(before.payload, 4)]);
      writeStamp(frame.payload, stampedClip.nalLengthBytes, 1, index, 1);
      const stamp = new Stamp();
      expect(stamp.read(frame.payload, 0, frame.payload.length)).toBe(true);
    });
    expect(stampedClip.headers.map(({ payload }) => payload)).toEqual(clip.headers.map(({ payload }) => payload));
  });

  it.each([300, 500, 2000])('is filled up to %d kbps, in every group of pictures', (kbps) => {
    const filled = new StampedClip(clip, { isStamped: true, kbps });
    expect(filled.kbps).toBeGreaterThan(kbps * 0.999);
    expect(filled.kbps).toBeLessThan(kbps * 1.001);
    const pictures = filled.frames.filter(({ type }) => type === frameTypes.video);
    const types = pictures.map(({ payload }) => nalTypes(payload, 4));
    expect(types.filter((each) => each.at(-1) === 12).length).toBeGreaterThan(pictures.length * 0.9);
    const starts = pictures.flatMap(({ payload, timeMs }) => (payload[0]! >> 4 === 1 ? [timeMs] : []));
    expect(starts.length).toBeGreaterThan(4);
    for (let group = 1; group < starts.length; group++) {
      const [fromMs, toMs] = [starts[group - 1]!, starts[group]!];
      const inside = filled.frames.filter(({ timeMs }) => timeMs >= fromMs && timeMs < toMs);
      const groupKbps = (inside.reduce((sum, { payload }) => sum + payload.length, 0) * 8) / (toMs - fromMs);
      expect([fromMs, Math.abs(groupKbps / kbps - 1) < 0.05]).toEqual([fromMs, true]);
    }
    const [largest] = pictures.toSorted((a, b) => b.payload.length - a.payload.length);
    expect(largest!.payload[0]! >> 4).toBe(1);
  });

  it('without stamps and filling is the clip as it is', () => {
    const plain = new StampedClip(clip, { isStamped: false });
    expect(plain.frames.map(({ payload }) => payload)).toEqual(clip.frames.map(({ payload }) => payload));
    expect(plain.frames.some(({ isStamped }) => isStamped)).toBe(false);
  });
});

describe('a clip that cannot be made ready', () => {
  it('has more than the bitrate asked for', () => {
    const failure = failureOf(() => new StampedClip(clip, { isStamped: true, kbps: 100 }));
    expect(failure.message).toMatch(/^100 kbps must be at least \d+, which the clip has of its own$/);
  });

  it('has no H.264', () => {
    const sound = FlvClip.read(
      Buffer.concat([
        encodeFlvHeader({ hasAudio: true, hasVideo: false }),
        encodeFlvTag(frameTypes.audio, 0, Buffer.from('af001190', 'hex')),
        encodeFlvTag(frameTypes.audio, 0, Buffer.from('af0101', 'hex')),
        encodeFlvTag(frameTypes.audio, 23, Buffer.from('af0102', 'hex')),
      ]),
    );
    const failure = failureOf(() => new StampedClip(sound, { isStamped: true }));
    expect(failure.message).toBe('clip has no H.264 pictures: they carry the stamps and the filling');
    expect(new StampedClip(sound, { isStamped: false }).frames).toHaveLength(2);
  });
});
