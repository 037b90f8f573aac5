import { frameTypes } from '@srs/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TimeCorrection, type TimeJitter } from './time-correction.ts';

const { audio, video, data } = frameTypes;

function correctAll(mode: TimeJitter, timestamps: readonly number[], startTimestampMs = 0): number[] {
  const correction = new TimeCorrection({ mode, startTimestampMs });
  return timestamps.map((timestamp) => correction.correct(video, timestamp, 0));
}

describe('TimeCorrection', () => {
  it.each([
    ['full', [10000, 10040, 9000, 9040, 20000], [40, 80, 120, 160, 200]],
    ['zero', [10000, 10040, 9000, 9040, 20000], [0, 40, 0, 40, 11000]],
    ['off', [10000, 10040, 9000, 9040, 20000], [10000, 10040, 9000, 9040, 20000]],
    ['off', [0x80000001], [1]],
  ] as const)('%s turns %j into %j', (mode, timestamps, expected) => {
    expect(correctAll(mode, timestamps)).toEqual(expected);
  });

  it('goes on from the time of an earlier publish', () => {
    expect(correctAll('full', [0, 40, 80], 5000)).toEqual([5000, 5040, 5080]);
    expect(correctAll('zero', [700, 740], 5000)).toEqual([5000, 5040]);
  });

  it('re-stamps a single outlier and returns to the old timeline', () => {
    expect(correctAll('full', [0, 40, 90_000, 120, 160])).toEqual([0, 40, 80, 120, 160]);
  });

  it('keeps the offset of audio and video over a jump', () => {
    const correction = new TimeCorrection({ mode: 'full', startTimestampMs: 0 });
    const frames = [
      [video, 0],
      [audio, 10],
      [video, 40],
      [audio, 50],
      [video, 500_080],
      [audio, 500_090],
      [video, 500_120],
      [audio, 500_130],
    ] as const;
    const corrected = frames.map(([type, timestamp]) => correction.correct(type, timestamp, 0));
    const lastVideo = corrected[6]!;
    expect(corrected[7]! - lastVideo).toBe(10);
    expect(lastVideo).toBeLessThan(200);
    expect(correction.correctedFrames).toBe(1);
  });

  it('lets a step back of the interleaving pass', () => {
    const correction = new TimeCorrection({ mode: 'full', startTimestampMs: 0 });
    expect(correction.correct(video, 100, 0)).toBe(100);
    expect(correction.correct(audio, 60, 0)).toBe(60);
    expect(correction.correct(video, 140, 0)).toBe(140);
    expect(correction.correctedFrames).toBe(0);
  });

  it('keeps the steps of a stream with one frame in two seconds, which the wall clock confirms', () => {
    const correction = new TimeCorrection({ mode: 'full', startTimestampMs: 0 });
    expect([0, 2000, 4000, 6000].map((ms) => correction.correct(video, ms, ms + 1_000_000))).toEqual([0, 2000, 4000, 6000]);
  });

  it('uses the rates of the metadata for the replaced step', () => {
    const correction = new TimeCorrection({ mode: 'full', startTimestampMs: 0 });
    correction.setRates({ audioSampleRate: 44_100, frameRate: 25 });
    expect(correction.correct(video, 1000, 0)).toBe(40);
    expect(correction.correct(video, 1750, 0)).toBe(70);
    expect(correction.correct(audio, 3000, 0)).toBe(98);
  });

  it('gives data messages the time of the newest frame', () => {
    const correction = new TimeCorrection({ mode: 'full', startTimestampMs: 0 });
    correction.correct(video, 80, 0);
    expect(correction.correct(data, 999_999, 0)).toBe(80);
    expect(correction.correct(video, 120, 0)).toBe(120);
  });

  it.each([0xffffff, 0x7fffffff, 0xffffffff])('runs on smoothly over %i', (edge) => {
    const timestamps = Array.from({ length: 10 }, (_, index) => (edge - 200 + index * 40) & 0x7fffffff);
    const corrected = correctAll('full', timestamps);
    expect(corrected.map((ms) => ms - corrected[0]!)).toEqual(Array.from({ length: 10 }, (_, index) => index * 40));
  });

  it('never lets two tracks with unrelated clocks run faster than one of them', () => {
    const correction = new TimeCorrection({ mode: 'full', startTimestampMs: 0 });
    let last = 0;
    for (let index = 0; index < 1000; index += 1) {
      correction.correct(audio, index * 23, 0);
      last = correction.correct(video, 100_000_000 + index * 23, 0);
    }
    expect(last).toBeLessThan(1000 * 23 + 500);
  });

  it('keeps each track in order whatever comes in', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(audio, video), fc.nat(0x7fffffff))), (frames) => {
        const correction = new TimeCorrection({ mode: 'full', startTimestampMs: 0 });
        const last = new Map<number, number>();
        for (const [type, timestamp] of frames) {
          const corrected = correction.correct(type, timestamp, 0);
          expect(corrected).toBeGreaterThanOrEqual(last.get(type) ?? 0);
          expect(corrected).toBeLessThanOrEqual((last.get(audio) ?? 0) + (last.get(video) ?? 0) + 1000);
          last.set(type, corrected);
        }
      }),
    );
  });
});
