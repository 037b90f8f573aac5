import { describe, expect, it } from 'vitest';
import { fitLine, ratioOf, roundedText, spreadOf, spreadText } from './statistics.ts';

describe('spreadOf', () => {
  it('the median of an odd number is the one in the middle', () => {
    expect(spreadOf([9, 1, 5])).toEqual({ median: 5, min: 1, max: 9, count: 3 });
  });

  it('the median of an even number is the mean of the two in the middle', () => {
    expect(spreadOf([10, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 10, count: 4 });
  });

  it('numbers are sorted as numbers', () => {
    expect(spreadOf([100, 9, 20])?.median).toBe(20);
  });

  it('no values have no median', () => {
    expect(spreadOf([])).toBeUndefined();
  });

  it('the values keep their order', () => {
    const values = [3, 1, 2];
    spreadOf(values);
    expect(values).toEqual([3, 1, 2]);
  });
});

it.each([
  [3, 4, 0.75],
  [0, 4, 0],
  [3, 0, undefined],
  [3, undefined, undefined],
  [undefined, 4, undefined],
])('the ratio of %s to %s is %s', (value, base, ratio) => {
  expect(ratioOf(value, base)).toBe(ratio);
});

it.each([
  [0, '0'],
  [0.01234, '0.0123'],
  [0.00001, '0.0000'],
  [0.5, '0.500'],
  [1.234, '1.23'],
  [12.34, '12.3'],
  [123.4, '123'],
  [99_999.9, '100000'],
  [-12.34, '-12.3'],
])('%s is shown as %s', (value, text) => {
  expect(roundedText(value)).toBe(text);
});

it('a spread over rounds shows its least and most, a single round does not', () => {
  expect(spreadText(spreadOf([1, 2, 3]))).toBe('2.00 (1.00-3.00)');
  expect(spreadText(spreadOf([2]))).toBe('2.00');
  expect(spreadText(undefined)).toBe('-');
});

describe('a line through points', () => {
  it('has the slope of points that lie on it, and no error', () => {
    const { slope, slopeError } = fitLine([
      [1_000, 6_000],
      [2_000, 11_000],
      [4_000, 21_000],
    ])!;
    expect(slope).toBeCloseTo(5);
    expect(slopeError).toBeCloseTo(0);
  });

  it('tells how far the points lie beside it', () => {
    // By hand: means 2 and 4, slope 2, distances -1/3, 2/3, -1/3 of which the squares make 2/3; sqrt(2/3 / 1 / 2).
    const { slope, slopeError } = fitLine([
      [1, 5 / 3],
      [2, 14 / 3],
      [3, 17 / 3],
    ])!;
    expect(slope).toBeCloseTo(2);
    expect(slopeError).toBeCloseTo(Math.sqrt(1 / 3));
  });

  it('is not there for two points, or points above each other', () => {
    expect(
      fitLine([
        [1, 1],
        [2, 2],
      ]),
    ).toBeUndefined();
    expect(
      fitLine([
        [1, 1],
        [1, 2],
        [1, 3],
      ]),
    ).toBeUndefined();
  });
});
