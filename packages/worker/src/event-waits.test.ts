import { expect, it } from 'vitest';
import { longestWaitMs } from './event-waits.ts';

const TICK_MS = 50;

it('is nothing for a process that is never late, or has not ticked', () => {
  expect(longestWaitMs([], TICK_MS, 0.99)).toBe(0);
  expect(longestWaitMs([0, 0, 0], TICK_MS, 0.99)).toBe(0);
});

it('shows one stall of two seconds in ten, which is one tick of 160', () => {
  const ticks = [...Array.from({ length: 159 }, () => 0), 2000];
  // A fifth of the events come during the stall; the last hundredth of all waits for 1.9 s or more.
  expect(longestWaitMs(ticks, TICK_MS, 0.99)).toBeCloseTo(1900, 0);
  expect(longestWaitMs(ticks, TICK_MS, 0.9)).toBeCloseTo(1000, 0);
  expect(longestWaitMs(ticks, TICK_MS, 0.5)).toBe(0);
});

it('is just below the lateness when every tick is late', () => {
  const ticks = Array.from({ length: 100 }, () => 50);
  expect(longestWaitMs(ticks, TICK_MS, 0.99)).toBeCloseTo(49, 0);
  expect(longestWaitMs(ticks, TICK_MS, 0.5)).toBeCloseTo(0, 0);
});
