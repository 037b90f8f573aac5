import { embeddedClipFile, readClip } from '@srs/client';
import { frameTypes } from '@srs/kernel';
import { beforeEach, describe, expect, it } from 'vitest';
import { ClipReference, PacketChecker } from './packet-checker.ts';
import { writeStamp } from './stamp.ts';
import { StampedClip } from './stamped-clip.ts';

const clip = readClip(embeddedClipFile);
const stampedClip = new StampedClip(clip, { isStamped: true });
const reference = new ClipReference(clip, stampedClip.nalLengthBytes);
const sounds = clip.frames.filter(({ type }) => type === frameTypes.audio);
const pictures = stampedClip.frames.filter(({ isStamped }) => isStamped);

const fine = { isWrong: false, missingSounds: 0 };
const wrong = { isWrong: true, missingSounds: 0 };

function picture(sequence: number): Buffer {
  const payload = Buffer.from(pictures[sequence % pictures.length]!.payload);
  writeStamp(payload, 4, 0, sequence, 1);
  return payload;
}

describe('a checker', () => {
  let checker: PacketChecker;
  const show = (timestampMs: number, payload: Buffer) => checker.check(frameTypes.video, timestampMs, payload);
  const sound = (timestampMs: number, place: number) =>
    checker.check(frameTypes.audio, timestampMs, sounds[place % sounds.length]!.payload);

  beforeEach(() => {
    checker = new PacketChecker(reference);
    expect(show(0, picture(0))).toEqual(fine);
  });

  it('finds nothing wrong in two rounds of the clip, headers included', () => {
    const another = new PacketChecker(reference);
    for (const { type, payload } of clip.headers) expect(another.check(type, 0, payload)).toEqual(fine);
    let sequence = 0;
    for (let round = 0; round < 2; round++) {
      for (const { type, timeMs, payload } of clip.frames) {
        const shown = type === frameTypes.video ? picture(sequence++) : payload;
        expect(another.check(type, timeMs + round * clip.durationMs, shown)).toEqual(fine);
      }
    }
  });

  it('sees one changed bit of a picture, a sound, a header', () => {
    const damaged = picture(1);
    damaged[damaged.length - 1]! ^= 1;
    expect(show(40, damaged)).toEqual(wrong);
    const damagedSound = Buffer.from(sounds[0]!.payload);
    damagedSound[9]! ^= 1;
    expect(checker.check(frameTypes.audio, 0, damagedSound)).toEqual(wrong);
    const header = clip.headers.find(({ type }) => type === frameTypes.video)!;
    const damagedHeader = Buffer.from(header.payload);
    damagedHeader[damagedHeader.length - 1]! ^= 1;
    expect(checker.check(frameTypes.video, 40, header.payload)).toEqual(fine);
    expect(checker.check(frameTypes.video, 40, damagedHeader)).toEqual(wrong);
  });

  it('sees a picture that has lost its stamp', () => {
    expect(show(40, clip.frames.find(({ type }) => type === frameTypes.video)!.payload)).toEqual(wrong);
  });

  it('counts the sounds that were left out, also over the end of the clip', () => {
    const first = 100;
    expect([sound(0, first), sound(23, first + 1), sound(116, first + 5)]).toEqual([
      fine,
      fine,
      { isWrong: false, missingSounds: 3 },
    ]);
    expect(sound(140, first + 6)).toEqual(fine);
    checker.onGap();
    expect(sound(200, sounds.length - 1)).toEqual(fine);
    expect(sound(223, sounds.length)).toEqual(fine);
  });

  it('takes any sound after a gap in the pictures', () => {
    sound(0, 100);
    checker.onGap();
    expect([sound(500, 300), sound(523, 301)]).toEqual([fine, fine]);
  });

  it('sees time that goes back, of each track for itself', () => {
    sound(1000, 100);
    expect(show(40, picture(1))).toEqual(fine);
    expect(show(39, picture(2))).toEqual(wrong);
    expect(sound(999, 101)).toEqual(wrong);
    expect(sound(1023, 102)).toEqual({ isWrong: false, missingSounds: 1 });
  });

  it('does not hold metadata to anything, nor a stream without stamps to the clip', () => {
    expect(checker.check(frameTypes.data, 0, Buffer.from('anything'))).toEqual(fine);
    const stranger = new PacketChecker(reference);
    expect(stranger.check(frameTypes.audio, 0, Buffer.from('af01ff', 'hex'))).toEqual(fine);
    expect(stranger.check(frameTypes.video, 0, Buffer.from('1701000000ff', 'hex'))).toEqual(fine);
  });
});
