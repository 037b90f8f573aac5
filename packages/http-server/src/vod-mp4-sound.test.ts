import { expect, it } from 'vitest';
import { type SoundTimes, soundTimesOf } from './vod-mp4-sound.ts';
import { aacConfiguration } from './vod-test-support.ts';

const FRAME_TICKS = (1024 * 90_000) / 44_100;

function timesOf(count: number, at: (row: number) => number): SoundTimes {
  return { count, at };
}

const expectedAt = (times: SoundTimes, rows: readonly number[]): number[] =>
  Array.from(soundTimesOf(times, aacConfiguration, rows));

it('segments begin where the count of samples is', () => {
  const regular = timesOf(1000, (row) => row * FRAME_TICKS);
  expect(expectedAt(regular, [0, 258, 517])).toEqual([0, 258, 517].map((row) => Math.round(row * FRAME_TICKS)));
});

it('times that tremble do not make steps', () => {
  const trembling = timesOf(1000, (row) => row * FRAME_TICKS + [0, 4000, -4000][row % 3]!);
  expect(expectedAt(trembling, [0, 259, 518])).toEqual([0, 259, 518].map((row) => Math.round(row * FRAME_TICKS)));
});

it('an odd first frame does not put all others out of step', () => {
  const odd = timesOf(1000, (row) => (row === 0 ? 0 : row * FRAME_TICKS + 5000));
  expect(expectedAt(odd, [0, 300])).toEqual([5000, Math.round(300 * FRAME_TICKS + 5000)]);
});

it('behind a gap the count begins anew', () => {
  const gap = timesOf(1000, (row) => row * FRAME_TICKS + (row < 500 ? 0 : 90_000));
  expect(expectedAt(gap, [0, 400, 500, 600])).toEqual(
    [0, 400, 500, 600].map((row) => Math.round(row * FRAME_TICKS + (row < 500 ? 0 : 90_000))),
  );
});

it('segments without sound have none, and none begins before the file', () => {
  const late = timesOf(10, (row) => row * FRAME_TICKS - 500);
  expect(expectedAt(late, [0, 0, 5, 10, 10])).toEqual([0, 0, Math.round(5 * FRAME_TICKS), Number.NaN, Number.NaN]);
  expect(Array.from(soundTimesOf(late, Buffer.from([0xff]), [0]))).toEqual([Number.NaN]);
});
