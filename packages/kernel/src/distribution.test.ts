import { expect, test } from 'vitest';
import { Distribution, timeBoundsMs } from './distribution.ts';

test('a value counts in the first range whose bound it does not exceed', () => {
  const distribution = new Distribution([1, 10, 100]);
  for (const value of [0, 1, 1.01, 10, 99, 100, 100.5, 1e9]) distribution.observe(value);
  expect(distribution.figures.counts).toEqual([2, 2, 2, 2]);
  expect(distribution.figures.sum).toBeCloseTo(311.51 + 1e9, 5);
});

test('a value observed several times at once counts as often', () => {
  const distribution = new Distribution([1, 10]);
  distribution.observe(4, 25);
  expect(distribution.figures).toEqual({ counts: [0, 25, 0], sum: 100 });
});

test('the bounds of times ascend', () => {
  expect(timeBoundsMs).toEqual(timeBoundsMs.toSorted((a, b) => a - b));
  expect(new Distribution().figures.counts).toHaveLength(timeBoundsMs.length + 1);
});
