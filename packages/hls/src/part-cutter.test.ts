import { expect, it } from 'vitest';
import { PartCutter } from './part-cutter.ts';

/** Lengths of the parts that a segment of such pictures is cut into, but for the last. */
function cut(cutter: PartCutter, timestamps: readonly number[], isVideo = true): readonly number[] {
  const parts: number[] = [];
  cutter.begin(isVideo, timestamps[0]!);
  for (const timestamp of timestamps.slice(1)) {
    const durationMs = cutter.step(isVideo, timestamp);
    if (durationMs === 0) continue;
    parts.push(durationMs);
    cutter.cut(timestamp);
  }
  return parts;
}

const every = (ms: number, count: number, fromMs = 0): readonly number[] =>
  Array.from({ length: count }, (_, index) => fromMs + Math.round(index * ms));

it.each([
  [40, 330, 320, 330],
  [1000 / 30, 330, 300, 330],
  [1000 / 24, 330, 333, 334],
  [1000 / 15, 330, 333, 334],
  [100, 330, 300, 330],
  [200, 330, 400, 400],
  [1000, 330, 1000, 330],
])('pictures each %d ms with parts of %d ms make parts of %d ms', (frameMs, partMs, lengthMs, targetMs) => {
  const cutter = new PartCutter(partMs);
  const parts = cut(cutter, every(frameMs, 100));
  for (const part of parts) expect(Math.abs(part - lengthMs)).toBeLessThanOrEqual(1);
  expect(Math.abs(cutter.targetMs - targetMs)).toBeLessThanOrEqual(1);
});

it('across the wrap of the clock parts are as long', () => {
  const timestamps = every(40, 30, 0x7fffffff - 500).map((timestamp) => timestamp & 0x7fffffff);
  expect(cut(new PartCutter(330), timestamps)).toEqual([320, 320, 320]);
});

it('where there are pictures, sound does not end a part', () => {
  const cutter = new PartCutter(200);
  cutter.begin(true, 0);
  expect([20, 220, 420].map((timestamp) => cutter.step(false, timestamp))).toEqual([0, 0, 0]);
  expect(cutter.step(true, 200)).toBe(200);
});

it('a pause makes one long part, and those behind it are as they were', () => {
  const cutter = new PartCutter(200);
  const parts = cut(cutter, [...every(40, 6), ...every(40, 12, 5000)]);
  expect(parts).toEqual([200, 4800, 200, 200].filter((_, index) => index < parts.length));
  expect(cutter.targetMs).toBe(200);
});

it('what is left is the last part', () => {
  const cutter = new PartCutter(200);
  cut(cutter, every(40, 7));
  expect([cutter.givenMs, cutter.rest(280), cutter.rest(200)]).toEqual([200, 80, 1]);
});
