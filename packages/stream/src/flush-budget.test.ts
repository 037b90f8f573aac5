import { ManualClock } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { FlushBudget } from './flush-budget.ts';

/** So many equal streams, each flushing as often as the budget lets it, for some time. */
function run(
  streams: number,
  costMs: number,
): { readonly share: number; readonly intervalMs: number; readonly budget: FlushBudget; readonly clock: ManualClock } {
  const clock = new ManualClock({ nowMs: 0 });
  const budget = new FlushBudget(clock);
  const dueMs = Array.from({ length: streams }, () => 0);
  for (let now = 0; now < 20_000; now += 1) {
    clock.advance(1);
    for (const [index, due] of dueMs.entries()) {
      if (now < due) continue;
      budget.note(costMs, 10, 1000);
      dueMs[index] = now + budget.intervalMs(costMs);
    }
  }
  return { share: budget.load.share, intervalMs: budget.intervalMs(costMs), budget, clock };
}

describe('FlushBudget', () => {
  it('lets a stream alone take an eighth of the time', () => {
    const { share, intervalMs } = run(1, 10);
    expect(intervalMs).toBe(80);
    expect(share).toBeGreaterThan(0.1);
    expect(share).toBeLessThan(0.14);
  });

  it('makes many streams collect for longer until all together take a quarter', () => {
    for (const streams of [4, 16, 60]) {
      const { share } = run(streams, 10);
      expect(share).toBeGreaterThan(0.18);
      expect(share).toBeLessThan(0.32);
    }
  });

  it('leaves a quarter of the time to everything else, even when nothing is to be collected', () => {
    const costMs = 20;
    for (const streams of [1, 5, 40]) {
      const clock = new ManualClock({ nowMs: 0 });
      const budget = new FlushBudget(clock);
      const dueMs = Array.from({ length: streams }, () => 0);
      let spentMs = 0;
      // Sending takes its time here, so that streams wait for each other as they do in a process.
      while (clock.nowMs() < 60_000) {
        clock.advance(1);
        for (const [index, due] of dueMs.entries()) {
          const startMs = clock.nowMs();
          if (startMs < due) continue;
          clock.advance(costMs);
          if (startMs >= 30_000) spentMs += costMs;
          budget.note(costMs, 10, 1000);
          dueMs[index] = startMs + budget.leastIntervalMs(costMs);
        }
      }
      const share = spentMs / 30_000;
      expect(share).toBeGreaterThan(0.65);
      expect(share).toBeLessThan(0.85);
    }
  });

  it('goes back to short intervals when the load has gone', () => {
    const { budget, clock } = run(40, 10);
    expect(budget.load.stretch).toBeGreaterThan(10);
    for (let windows = 0; windows < 20; windows += 1) {
      clock.advance(500);
      budget.note(50, 1, 1);
    }
    expect(budget.load.stretch).toBe(1);
  });

  it('tells writes and bytes per second', () => {
    const clock = new ManualClock({ nowMs: 0 });
    const budget = new FlushBudget(clock);
    clock.advance(500);
    budget.note(5, 100, 2000);
    expect(budget.load).toEqual({ share: 0.01, writesPerSecond: 200, bytesPerSecond: 4000, stretch: 1 });
  });
});
