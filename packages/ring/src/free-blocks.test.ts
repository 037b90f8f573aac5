import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FreeBlocks } from './free-blocks.ts';

function freeUnits(blocks: FreeBlocks): number[] {
  const units: number[] = [];
  blocks.forEach((at, count) => {
    expect(at % count).toBe(0);
    for (let i = 0; i < count; i++) units.push(at + i);
  });
  return units.toSorted((a, b) => a - b);
}

function blockList(blocks: FreeBlocks): string[] {
  const list: string[] = [];
  blocks.forEach((at, count) => {
    list.push(`${at}+${count}`);
  });
  return list;
}

describe('FreeBlocks', () => {
  it('cuts a stretch into the largest aligned blocks', () => {
    expect(blockList(new FreeBlocks(3, 22, 3))).toEqual(['3+1', '20+2', '4+4', '16+4', '8+8']);
  });

  it('uses the lowest block that is large enough', () => {
    const blocks = new FreeBlocks(1, 16, 3);
    expect([0, 0, 1, 2, 3, 3, 0].map((order) => blocks.allocate(order))).toEqual([1, 2, 4, 8, undefined, undefined, 3]);
  });

  it('never gives out a unit twice, and all is one again when all has been released', () => {
    const step = fc.record({ order: fc.nat(6), isRelease: fc.boolean(), which: fc.nat(), at: fc.nat(300) });
    fc.assert(
      fc.property(
        fc.nat(20),
        fc.integer({ min: 21, max: 260 }),
        fc.array(step, { size: 'max', maxLength: 150 }),
        (from, to, steps) => {
          const blocks = new FreeBlocks(from, to, 5);
          const whole = blockList(blocks);
          const held = new Map<number, number>();
          const isFree = (at: number, order: number) => {
            if (at < from || at + 2 ** order > to) return false;
            for (const [start, size] of held) if (start < at + 2 ** order && at < start + 2 ** size) return false;
            return true;
          };
          for (const { order, isRelease, which, at } of steps) {
            const starts = Array.from(held.keys());
            const start = starts[which % Math.max(starts.length, 1)];
            if (isRelease && start !== undefined) {
              blocks.release(start, held.get(start)!);
              held.delete(start);
            } else if (which % 3 === 0) {
              const aligned = at - (at % 2 ** order);
              const wasFree = order <= 5 && isFree(aligned, order);
              expect(blocks.reserve(aligned, order)).toBe(wasFree);
              if (wasFree) held.set(aligned, order);
            } else {
              const got = blocks.allocate(order);
              if (got === undefined) continue;
              expect(got % 2 ** order).toBe(0);
              expect(isFree(got, order)).toBe(true);
              held.set(got, order);
            }
            let heldUnits = 0;
            for (const size of held.values()) heldUnits += 2 ** size;
            expect(freeUnits(blocks).length + heldUnits).toBe(to - from);
          }
          for (const [start, order] of held) blocks.release(start, order);
          expect(blockList(blocks)).toEqual(whole);
        },
      ),
      { numRuns: 200 },
    );
  });
});
