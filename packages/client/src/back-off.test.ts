import { expect, it } from 'vitest';
import { BackOff } from './back-off.ts';

it('doubles up to its limit, and starts over after a reset', () => {
  const backOff = new BackOff({ firstMs: 100, maxMs: 500, random: () => 0 });
  expect([1, 2, 3, 4, 5].map(() => backOff.next())).toEqual([100, 200, 400, 500, 500]);
  backOff.reset();
  expect(backOff.next()).toBe(100);
});

it('takes off up to a quarter at random', () => {
  const backOff = new BackOff({ firstMs: 100, maxMs: 100, random: () => 1 });
  expect(backOff.next()).toBe(75);
});
