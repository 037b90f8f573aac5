import { createHistogram } from 'node:perf_hooks';
import { Distribution } from '@srs/kernel';
import { expect, test } from 'vitest';
import { addRecorded } from './histogram-ranges.ts';

test('every recorded value is in the range it belongs to', () => {
  // Node keeps three digits: values this small are exact.
  const values = [1, 3, 3, 7, 12, 12, 13, 40, 99, 100, 101, 950, 951];
  const histogram = createHistogram();
  for (const value of values) histogram.record(value);
  const recorded = new Distribution([2, 10, 100, 500]);
  const observed = new Distribution([2, 10, 100, 500]);
  addRecorded(histogram, (value) => value, recorded);
  for (const value of values) observed.observe(value);
  expect(recorded.figures.counts).toEqual(observed.figures.counts);
  expect(recorded.figures.sum).toBeGreaterThan(0.7 * observed.figures.sum);
  expect(recorded.figures.sum).toBeLessThan(1.3 * observed.figures.sum);
});

test('a value that counts as another one is in the range of that', () => {
  const histogram = createHistogram();
  for (const value of [50, 51, 58, 75]) histogram.record(value);
  const late = new Distribution([1, 5, 10]);
  addRecorded(histogram, (value) => value - 50, late);
  expect(late.figures.counts).toEqual([2, 0, 1, 1]);
});

test('nothing recorded is nothing added', () => {
  const distribution = new Distribution([1]);
  addRecorded(createHistogram(), (value) => value, distribution);
  expect(distribution.figures).toEqual({ counts: [0, 0], sum: 0 });
});
