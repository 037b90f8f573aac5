import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyFrameIndex } from './key-frame-index.ts';

function timesOf(index: KeyFrameIndex): number[] {
  return index.entries.filter((_, at) => at % 2 === 0);
}

describe('KeyFrameIndex', () => {
  it('has every key frame while there is room', () => {
    const index = new KeyFrameIndex(4);
    for (const ms of [0, 1000, 2000, 3000]) index.add(ms, ms * 2);
    expect(index.entries).toEqual([0, 0, 1000, 2000, 2000, 4000, 3000, 6000]);
  });

  it('has one of those that are close together', () => {
    const index = new KeyFrameIndex(100);
    for (let ms = 0; ms < 2000; ms += 40) index.add(ms, ms);
    expect(timesOf(index)).toEqual([0, 520, 1040, 1560]);
  });

  it('becomes less dense when it is full, evenly', () => {
    const index = new KeyFrameIndex(4);
    for (let ms = 0; ms <= 9000; ms += 1000) index.add(ms, ms);
    expect(timesOf(index)).toEqual([0, 4000, 8000]);
  });

  it.each([1, 2, 3, 7])('of a week with a key frame each %i s has them at even distances', (gopSeconds) => {
    const index = new KeyFrameIndex(1000);
    const weekSeconds = 7 * 86_400;
    for (let seconds = 0; seconds < weekSeconds; seconds += gopSeconds) index.add(seconds * 1000, seconds);
    const times = timesOf(index);
    const gaps = new Set(times.slice(1).map((time, at) => time - times[at]!));
    expect(gaps.size).toBe(1);
    expect(times.length).toBeGreaterThan(500);
  });

  it('goes on across the wrap of timestamps', () => {
    const index = new KeyFrameIndex(4);
    index.add(0x7fffff00, 1);
    index.add(0x200, 2);
    expect(timesOf(index)).toEqual([0x7fffff00, 0x200]);
  });

  it('covers any recording from its first key frame on, and never has more than it may', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 20 }),
        fc.array(fc.integer({ min: 1, max: 5000 }), { maxLength: 400 }),
        (max, steps) => {
          const index = new KeyFrameIndex(max);
          let ms = 0;
          const all = steps.map((step) => {
            ms += step;
            index.add(ms, ms);
            return ms;
          });
          const times = timesOf(index);
          expect(times.length).toBeLessThanOrEqual(max);
          if (all.length === 0) return;
          expect(times[0]).toBe(all[0]);
          expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
          // As dense as the room allows: what is kept is a selection of what was kept before, so distances double.
          const limit = Math.max(500, (2 * (ms - all[0]!)) / (max - 1)) + 2 * 5000;
          const ends = [...times.slice(1), ms];
          for (const [at, time] of times.entries()) expect(ends[at]! - time).toBeLessThanOrEqual(limit);
        },
      ),
    );
  });
});
