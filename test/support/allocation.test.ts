import { describe, expect, it } from 'vitest';
import { allocatedBytes } from './allocation.ts';

describe('allocatedBytes', () => {
  it('counts objects that are kept and objects that are thrown away', () => {
    let kept: unknown;
    const keep = (): void => {
      kept = Array.from({ length: 100 }, (_, index) => ({ index }));
    };
    expect(allocatedBytes(keep)).toBeGreaterThan(2_000);
    expect(kept).toHaveLength(100);
    let sum = 0;
    const waste = (): void => {
      for (let index = 0; index < 1000; index += 1) sum += Array.of(index, sum).length;
    };
    expect(allocatedBytes(waste)).toBeGreaterThan(16_000);
  });

  it('counts next to nothing for code that allocates nothing', () => {
    let sum = 0;
    const count = (): void => {
      for (let index = 0; index < 100_000; index += 1) sum = (sum + index) | 0;
    };
    expect(allocatedBytes(count)).toBeLessThan(2_000);
  });
});
