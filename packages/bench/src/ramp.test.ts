import { expect, it } from 'vitest';
import { ramp } from './ramp.ts';

it('opens all, in order, at the pace', async () => {
  const opened: number[] = [];
  const startMs = performance.now();
  await ramp(50, 250, new AbortController().signal, (index) => opened.push(index));
  expect(opened).toEqual(Array.from({ length: 50 }, (_, index) => index));
  expect(performance.now() - startMs).toBeGreaterThanOrEqual(180);
});

it('opens no more once it is given up', async () => {
  const stop = new AbortController();
  const opened: number[] = [];
  await ramp(50, 20, stop.signal, (index) => {
    opened.push(index);
    if (index === 2) stop.abort();
  });
  expect(opened).toEqual([0, 1, 2]);
});
