import { frameTypes } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { SequenceChecker, type StampedFrame, StampedSource } from './stamped-media-test-support.ts';

function frames(pictures: number, session = 1, stream = 'live/one'): StampedFrame[] {
  const source = new StampedSource(stream, { session, firstTimestampMs: (session - 1) * 100_000 });
  return [...source.headers(), ...Array.from({ length: pictures }, () => source.nextPicture()).flat()];
}

function checked(...lists: readonly StampedFrame[][]): SequenceChecker {
  const checker = new SequenceChecker('live/one');
  for (const frame of lists.flat()) checker.accept(frame.type, frame.timestampMs, frame.payload);
  return checker;
}

describe('what a player was given', () => {
  it('whole publishes are without complaint', () => {
    const checker = checked(frames(50), frames(10, 2));
    expect(checker.complaint).toBe('');
    expect(checker).toMatchObject({ frames: 180, sessions: [1, 2], headers: { metadata: 2, video: 2, audio: 2 } });
  });

  it('a missing frame is a gap', () => {
    const all = frames(3);
    expect(checked(all.toSpliced(4, 1)).gaps).toEqual([{ session: 1, from: 1, to: 2 }]);
  });

  it('after a gap with headers and a key frame only the gap is noted', () => {
    const all = frames(60);
    const headers = all.slice(0, 3);
    const second = all.findIndex((frame, index) => index > 3 && frame.isKeyFrame);
    const checker = checked(all.slice(0, 30), headers, all.slice(second));
    expect(checker.gaps).toHaveLength(1);
    expect(checker.faults).toEqual([]);
  });

  it.each([
    ['a damaged frame', (all: StampedFrame[]) => (all[5]!.payload[30]! ^= 1), /frame of \d+ bytes after 1 is damaged/],
    [
      'a frame that comes twice',
      (all: StampedFrame[]) => all.splice(5, 0, all[4]!),
      /frame 1 comes again or too late, 2 was due/,
    ],
    ['two that change places', (all: StampedFrame[]) => all.splice(5, 2, all[6]!, all[5]!), /frame 2 comes again or too late/],
    ['a start between key frames', (all: StampedFrame[]) => all.splice(3, 3), /session 1 does not begin with a key frame/],
    ['a start without headers', (all: StampedFrame[]) => all.splice(0, 2), /begins without all headers, only audio/],
    [
      'a damaged header',
      (all: StampedFrame[]) => (all[1] = { ...all[1]!, payload: Buffer.from([0x17, 0, 9]) }),
      /header is damaged/,
    ],
    ['time that goes back', (all: StampedFrame[]) => (all[6] = { ...all[6]!, timestampMs: 0 }), /time goes back from 20 to 0/],
  ])('%s is a fault', (_, spoil, complaint) => {
    const all = frames(3);
    spoil(all);
    expect(checked(all).complaint).toMatch(complaint);
  });

  it('a frame of another stream is a fault', () => {
    expect(checked(frames(1, 1, 'live/other')).complaint).toMatch(/belongs to another stream/);
  });

  it('a finished publish that comes back is a fault', () => {
    expect(checked(frames(1), frames(1, 2), frames(1)).complaint).toMatch(/frames of session 1 come back/);
  });
});

it('25 pictures and 50 sounds a second, a key frame each second', () => {
  const media = frames(50).slice(3);
  expect(media.filter((frame) => frame.type === frameTypes.audio)).toHaveLength(100);
  expect(media.filter((frame) => frame.isKeyFrame).map((frame) => frame.timestampMs)).toEqual([0, 1000]);
});
