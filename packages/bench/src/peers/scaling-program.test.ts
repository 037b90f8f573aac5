import { expect, it } from 'vitest';
import { figures } from './peers-test-support.ts';
import { type ScalingRun, scaleOf } from './scaling-program.ts';

function run(workers: number, players: number, cpuPercent: number, isValid = true): ScalingRun {
  return { workers, players, round: 1, playersByWorker: [], figures: figures({ cpuPercent }), isValid, complaints: [] };
}

it('two workers that need as much for each player as one serve twice as many', () => {
  expect(scaleOf([run(1, 1_000, 10), run(2, 2_000, 20)], 2)).toBeCloseTo(2);
});

it('two workers that need a quarter more serve 1.6 times as many', () => {
  expect(scaleOf([run(1, 1_000, 10), run(2, 2_000, 25)], 2)).toBeCloseTo(1.6);
});

it('without a valid run of both there is no scale', () => {
  expect(scaleOf([run(1, 1_000, 10), run(2, 2_000, 20, false)], 2)).toBeUndefined();
  expect(scaleOf([run(1, 1_000, 10)], 2)).toBeUndefined();
});
