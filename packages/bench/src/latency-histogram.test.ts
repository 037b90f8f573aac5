import { expect, it } from 'vitest';
import { LatencyHistogram } from './latency-histogram.ts';
import { percentileOf, percentilesOf } from './percentiles.ts';

it('percentiles are within 2 % of the true ones, from microseconds to minutes', () => {
  const values = Array.from({ length: 4000 }, (_, i) => 0.001 * 1.00461 ** i);
  expect(values.at(-1)).toBeGreaterThan(90_000);
  const histogram = new LatencyHistogram();
  for (const value of values) histogram.record(value);
  for (const share of [0.3, 0.5, 0.9, 0.95, 0.99, 0.999, 1]) {
    const truth = percentileOf(values, share);
    expect([share, Math.abs(histogram.percentile(share) - truth) / truth < 0.02]).toEqual([share, true]);
  }
  expect(histogram.percentiles()?.max).toBe(values.at(-1));
});

it('every value falls into the bucket of its size', () => {
  for (let ms = 0.001; ms < 130_000; ms *= 1.013) {
    const histogram = new LatencyHistogram();
    histogram.record(ms);
    histogram.record(ms * 2);
    const first = histogram.percentile(0.5);
    expect([ms, Math.abs(first - ms) <= Math.max(0.001, ms * 0.02)]).toEqual([ms, true]);
  }
});

it('two histograms together are one of all values', () => {
  const [one, two, all] = [new LatencyHistogram(), new LatencyHistogram(), new LatencyHistogram()];
  for (let i = 0; i < 1000; i++) {
    const ms = (i * 37) % 211;
    (i % 3 === 0 ? one : two).record(ms);
    all.record(ms);
  }
  one.add(two.part());
  expect(one.percentiles()).toEqual(all.percentiles());
  expect(one.count).toBe(1000);
});

it('a part is a copy, and a cleared histogram is empty', () => {
  const histogram = new LatencyHistogram();
  histogram.record(5);
  const part = histogram.part();
  histogram.clear();
  expect([histogram.percentiles(), histogram.count]).toEqual([undefined, 0]);
  histogram.add(part);
  expect(histogram.percentile(1)).toBe(5);
});

it('a negative time counts as none, one beyond the range keeps its maximum', () => {
  const histogram = new LatencyHistogram();
  histogram.record(-5);
  histogram.record(500_000);
  expect(histogram.percentile(0.5)).toBe(0);
  expect(histogram.percentiles()?.max).toBe(500_000);
});

it('percentiles of a list are values of the list', () => {
  expect([0, 0.01, 0.5, 0.99, 1].map((share) => percentileOf([4, 1, 3, 2], share))).toEqual([1, 1, 2, 4, 4]);
  expect([percentileOf([], 0.5), percentilesOf([])]).toEqual([0, undefined]);
  expect(percentilesOf([1])).toEqual({ p50: 1, p95: 1, p99: 1, max: 1 });
});
