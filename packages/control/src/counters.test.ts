import { timeBoundsMs } from '@srs/kernel';
import { expect, test } from 'vitest';
import { COUNTER_WORDS, counterNames, distributionNames, readCounters, writeCounters } from './counters.ts';

test('counters come back from their words as they were, and every word is another one', () => {
  const words = Float64Array.from({ length: COUNTER_WORDS }, (_, index) => index + 1);
  const counters = readCounters(words);
  const numbers = [
    ...Object.values(counters.counts),
    ...Object.values(counters.distributions).flatMap(({ counts, sum }) => [...counts, sum]),
  ];
  expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from(words));
  expect(Object.keys(counters.counts)).toEqual([...counterNames]);
  expect(Object.keys(counters.distributions)).toEqual([...distributionNames]);
  const again = new Float64Array(COUNTER_WORDS);
  writeCounters(counters, again);
  expect(again).toEqual(words);
});

test('what is not counted is zero', () => {
  const words = new Float64Array(COUNTER_WORDS).fill(7);
  writeCounters({ counts: { clients: 3 } }, words);
  const { counts, distributions } = readCounters(words);
  expect(counts).toMatchObject({ clients: 3, recvBytes: 0, cpuSeconds: 0 });
  expect(distributions.frameAgeMs).toEqual({ counts: Array.from({ length: timeBoundsMs.length + 1 }, () => 0), sum: 0 });
});
