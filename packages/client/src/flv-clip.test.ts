import { readFileSync } from 'node:fs';
import { frameTypes } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure.ts';
import { fuzz } from '../../../test/support/fuzz.ts';
import { ClipRounds } from './clip-rounds.ts';
import { FlvClip } from './flv-clip.ts';
import { aacHeader, avcEnd, avcHeader, flvFile, keyFrame, metadata, sound, type Tag } from './flv-test-support.ts';

const clipOf = (...tags: readonly Tag[]) => FlvClip.read(flvFile(tags));

/** Type, time and timestamp of the first `count` frames. */
function sequence(clip: FlvClip, count: number): (readonly [number, number, number])[] {
  const rounds = new ClipRounds(clip);
  return Array.from({ length: count }, () => {
    const item = [rounds.frame.type, rounds.dueMs, rounds.timestampMs] as const;
    rounds.advance();
    return item;
  });
}

describe('a clip', () => {
  it('keeps headers apart from pictures and sound', () => {
    const clip = clipOf(metadata, avcHeader, aacHeader, keyFrame(0), sound(10), keyFrame(40));
    expect(clip.headers.map((frame) => frame.payload)).toEqual([metadata, avcHeader, aacHeader].map(([, , payload]) => payload));
    expect(clip.frames.map((frame) => [frame.type, frame.timeMs])).toEqual([
      [9, 0],
      [8, 10],
      [9, 40],
    ]);
    expect(clip.changesHeaders).toBe(false);
  });

  it('takes the header of a track that stands behind the first frame of the other one', () => {
    const clip = clipOf(avcHeader, keyFrame(0), aacHeader, sound(0), keyFrame(40));
    expect(clip.headers.map((frame) => frame.payload)).toEqual([avcHeader[2], aacHeader[2]]);
    expect(clip.frames).toHaveLength(3);
  });

  it('leaves out an AAC header without configuration', () => {
    const clip = clipOf([frameTypes.audio, 0, Buffer.of(0xaf, 0)], aacHeader, sound(0), sound(20));
    expect(clip.headers.map((frame) => frame.payload)).toEqual([aacHeader[2]]);
  });

  it('keeps data that comes between pictures in its place', () => {
    const clip = clipOf(avcHeader, keyFrame(0), metadata, keyFrame(40));
    expect(clip.headers).toHaveLength(1);
    expect(clip.frames.map((frame) => frame.type)).toEqual([9, 18, 9]);
    expect(clip.changesHeaders).toBe(false);
  });

  it('owns its bytes', () => {
    const bytes = flvFile([keyFrame(0, 5), keyFrame(40, 6)]);
    const clip = FlvClip.read(bytes);
    bytes.fill(0);
    expect(clip.frames.map((frame) => frame.payload.at(-1))).toEqual([5, 6]);
  });

  it('counts from its first frame, wherever the file begins', () => {
    const clip = clipOf(
      [...metadata.slice(0, 1), 5000, metadata[2]] as unknown as Tag,
      keyFrame(5020),
      sound(5000),
      keyFrame(5060),
    );
    expect(clip.headers[0]?.timeMs).toBe(0);
    expect(clip.frames.map((frame) => frame.timeMs)).toEqual([20, 0, 60]);
  });

  it('leaves out the end of a sequence, which players take for the end', () => {
    const clip = clipOf(avcHeader, keyFrame(0), keyFrame(40), avcEnd(40));
    expect(clip.frames).toHaveLength(2);
    expect(clip.durationMs).toBe(80);
  });

  it.each([
    ['the mean step of its frames after the last one', [keyFrame(0), keyFrame(40), keyFrame(80)], 120],
    ['as long as its longest track', [keyFrame(0), keyFrame(40), sound(0), sound(60)], 120],
    ['as its other track when one has a single frame', [keyFrame(0), sound(0), sound(50), sound(100)], 150],
    ['up to a frame that stands alone at the end', [sound(0), sound(20), keyFrame(500)], 500],
  ] as const)('lasts %s', (_what, tags, durationMs) => {
    expect(clipOf(...tags).durationMs).toBe(durationMs);
  });

  it.each([
    ['no frames', [metadata, avcHeader], 'flv clip has no audio or video frame'],
    ['one frame only', [avcHeader, keyFrame(0)], 'flv clip of 0 ms must last 1..86400000 ms'],
    ['a jump of days', [keyFrame(0), keyFrame(90_000_000)], 'flv clip of 180000000 ms must last 1..86400000 ms'],
  ] as const)('is refused when it has %s', (_what, tags, message) => {
    expect(failureOf(() => clipOf(...tags))).toMatchObject({ errorName: 'FlvTag', message });
  });

  it('is refused when it is cut or no FLV', () => {
    expect(failureOf(() => FlvClip.read(Buffer.from('no flv at all'))).errorName).toBe('FlvHeader');
    expect(failureOf(() => FlvClip.read(flvFile([keyFrame(0), keyFrame(40)]).subarray(0, -8))).errorName).toBe('FlvTag');
  });

  it('of the embedded file lasts exactly 20.48 s', () => {
    const clip = FlvClip.read(readFileSync(new URL('../assets/clip.flv', import.meta.url)));
    expect(clip.durationMs).toBe(20_480);
    expect(clip.headers.map((frame) => frame.type)).toEqual([frameTypes.data, frameTypes.video, frameTypes.audio]);
    expect(clip.changesHeaders).toBe(false);
    expect(clip.frames.filter((frame) => frame.type === frameTypes.video)).toHaveLength(512);
    expect(clip.frames.filter((frame) => frame.type === frameTypes.audio)).toHaveLength(960);
  });
});

describe('the rounds of a clip', () => {
  it('go on in time, with the headers at the start only', () => {
    expect(sequence(clipOf(metadata, avcHeader, keyFrame(0), sound(10), keyFrame(40)), 8)).toEqual([
      [18, 0, 0],
      [9, 0, 0],
      [9, 0, 0],
      [8, 10, 10],
      [9, 40, 40],
      [9, 80, 80],
      [8, 90, 90],
      [9, 120, 120],
    ]);
  });

  it('repeat the headers when they change within the clip', () => {
    const otherHeader: Tag = [frameTypes.video, 40, Buffer.from('17000000000142001e', 'hex')];
    const clip = clipOf(avcHeader, keyFrame(0), otherHeader, keyFrame(40));
    expect(clip.changesHeaders).toBe(true);
    expect(clipOf(avcHeader, keyFrame(0), avcHeader, keyFrame(40)).changesHeaders).toBe(false);
    const rounds = new ClipRounds(clip);
    const payloads = Array.from({ length: 8 }, () => {
      const { payload } = rounds.frame;
      rounds.advance();
      return payload;
    });
    expect(payloads.slice(4)).toEqual(payloads.slice(0, 4));
    expect(payloads[4]).toEqual(avcHeader[2]);
  });

  it('count timestamps in 31 bits, as RTMP does', () => {
    const day = 86_400_000;
    const clip = clipOf(keyFrame(0), keyFrame(day / 2));
    const items = sequence(clip, 52);
    expect(items.every(([, dueMs, timestampMs]) => timestampMs === dueMs % 2 ** 31)).toBe(true);
    expect(items.at(-1)).toEqual([9, 25.5 * day, 25.5 * day - 2 ** 31]);
  });

  it('of the embedded file have steps of one frame everywhere, at the seam too', () => {
    const clip = FlvClip.read(readFileSync(new URL('../assets/clip.flv', import.meta.url)));
    const items = sequence(clip, 3 + 3 * (512 + 960)).slice(3);
    const stepsOf = (type: number) => {
      const times = items.filter((item) => item[0] === type).map((item) => item[1]);
      return [...new Set(times.slice(1).map((time, index) => time - times[index]!))].sort((one, other) => one - other);
    };
    expect(stepsOf(frameTypes.video)).toEqual([40]);
    expect(stepsOf(frameTypes.audio)).toEqual([21, 22]);
  });
});

it('whatever a file holds, it is a clip that goes on in time, or an SrsError', () => {
  const samples = [
    flvFile([metadata, avcHeader, aacHeader, keyFrame(0), sound(0), sound(20), keyFrame(40), sound(40), avcEnd(40)]),
    flvFile([aacHeader, sound(5000), sound(5020), sound(5040)]),
    flvFile([keyFrame(0), avcHeader, keyFrame(33), keyFrame(66)]),
  ];
  const { accepted, refused } = fuzz(
    { samples, count: 100_000, timeBoxMs: 20_000, maxGrowthBytes: 16 * 1024 * 1024 },
    (input) => {
      const clip = FlvClip.read(input);
      const rounds = new ClipRounds(clip);
      const starts: number[] = [];
      for (let count = 2 * (clip.headers.length + clip.frames.length); count > 0; count--) {
        if (rounds.frame === clip.frames[0]) starts.push(rounds.dueMs);
        const isInRange = rounds.dueMs >= 0 && rounds.timestampMs >= 0 && rounds.timestampMs < 2 ** 31;
        if (!isInRange) throw new Error(`frame due at ${rounds.dueMs} ms has timestamp ${rounds.timestampMs}`);
        rounds.advance();
      }
      if (starts.length < 2 || starts[1]! - starts[0]! !== clip.durationMs)
        throw new Error(`rounds begin at ${starts.join(', ')}`);
    },
  );
  expect(accepted).toBeGreaterThan(1_000);
  expect(refused).toBeGreaterThan(1_000);
});
