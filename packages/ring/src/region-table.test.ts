import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failureText } from '../../../test/support/failure.ts';
import { MemoryArena, type Region, RegionTable } from './index.ts';

const MIB = 2 ** 20;
const UNIT = 65_536;

function isZero(arena: MemoryArena, region: Region): boolean {
  return arena.region(region.offset, region.sizeBytes).equals(Buffer.alloc(region.sizeBytes));
}

describe('RegionTable', () => {
  it('hands out regions of whole pages, aligned to their block and inside a window', () => {
    const arena = new MemoryArena(64 * MIB, { windowBytes: 4 * MIB });
    const table = RegionTable.create(arena);
    const sizes = [1, 4096, 4097, UNIT, UNIT + 1, MIB, 4 * MIB, 3 * MIB + 5];
    for (const size of sizes) {
      const region = table.allocate(size)!;
      const block = Math.max(UNIT, 2 ** Math.ceil(Math.log2(size)));
      expect(region.sizeBytes).toBe(Math.ceil(size / 4096) * 4096);
      expect(region.offset % block).toBe(0);
      expect(isZero(arena, region)).toBe(true);
    }
    expect(table.usedBytes).toBe(sizes.reduce((sum, size) => sum + Math.ceil(size / 4096) * 4096, 0));
    expect(table.regionCount).toBe(sizes.length);
  });

  it('says no, and nothing else, when the limit, the table or the arena is full or the size too large', () => {
    const arena = new MemoryArena(16 * MIB, { windowBytes: 4 * MIB });
    expect(RegionTable.create(arena).allocate(4 * MIB + 1)).toBeUndefined();

    const limited = RegionTable.create(arena, { limitBytes: MIB });
    const first = limited.allocate(MIB - 4096)!;
    expect(limited.allocate(4097)).toBeUndefined();
    expect(limited.allocate(4096)).toBeDefined();
    expect(limited.free(first)).toBe(true);
    expect(limited.allocate(MIB - 4096)).toBeDefined();

    const short = RegionTable.create(arena, { maxRegions: 2 });
    expect([short.allocate(1), short.allocate(1)]).not.toContain(undefined);
    expect(short.allocate(1)).toBeUndefined();

    const full = RegionTable.create(arena);
    const regions: Region[] = [];
    for (let region = full.allocate(MIB); region !== undefined; region = full.allocate(MIB)) regions.push(region);
    expect(regions.length).toBe(15);
    for (const each of regions) full.free(each);
    expect(full.allocate(4 * MIB)).toBeDefined();
    for (const size of [0, -1, Number.NaN]) expect(failureText(() => full.allocate(size))).toContain('SharedMemory');
  });

  it('gives memory back as zeros, with a generation that nobody has had', () => {
    const arena = new MemoryArena(4 * MIB, { windowBytes: 4 * MIB });
    const table = RegionTable.create(arena);
    const generations = new Set<number>();
    let last: Region | undefined;
    for (let i = 0; i < 100; i++) {
      const region = table.allocate(MIB, i)!;
      expect(region.offset).toBe(last?.offset ?? region.offset);
      expect(isZero(arena, region)).toBe(true);
      arena.region(region.offset, region.sizeBytes).fill(0xff);
      expect(table.list()).toEqual([{ ...region, tag: i }]);
      generations.add(region.generation);
      expect(table.free(region)).toBe(true);
      expect(table.free(region)).toBe(false);
      last = region;
    }
    expect(generations.size).toBe(100);
    expect(generations.has(0)).toBe(false);
    for (const index of [-1, 4096, 1e9, Number.NaN]) expect(table.free({ ...last!, index })).toBe(false);
    expect([table.usedBytes, table.regionCount]).toEqual([0, 0]);
  });

  it('is found again by the next owner with all it held, whatever was allocated and freed', () => {
    const step = fc.record({
      isFree: fc.boolean(),
      which: fc.nat(),
      size: fc.integer({ min: 1, max: 900_000 }),
      tag: fc.integer(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const arena = new MemoryArena(16 * MIB, { windowBytes: MIB });
        const options = { maxRegions: 40, limitBytes: 12 * MIB };
        let table = RegionTable.open(arena, options);
        const held: (Region & { readonly tag: number })[] = [];
        for (const { isFree, which, size, tag } of steps) {
          const [picked] = isFree && held.length > 0 ? held.splice(which % held.length, 1) : [];
          if (picked !== undefined) {
            expect(table.free(picked)).toBe(true);
          } else {
            const region = table.allocate(size, tag);
            if (region === undefined) continue;
            for (const other of held) {
              expect(region.offset >= other.offset + other.sizeBytes || other.offset >= region.offset + region.sizeBytes).toBe(
                true,
              );
            }
            held.push({ ...region, tag });
          }
          if (which % 5 === 0) table = RegionTable.open(arena, options);
          expect(table.list()).toEqual(held.toSorted((a, b) => a.index - b.index));
          expect(table.usedBytes).toBe(held.reduce((sum, each) => sum + each.sizeBytes, 0));
        }
        for (const each of held) expect(table.free(each)).toBe(true);
        expect(table.usedBytes).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it('gives back what an owner that died while freeing had not', () => {
    const arena = new MemoryArena(4 * MIB, { windowBytes: 4 * MIB });
    const table = RegionTable.create(arena);
    const region = table.allocate(MIB)!;
    arena.region(region.offset, region.sizeBytes).fill(0xff);
    const discard = arena.discard.bind(arena);
    arena.discard = () => {
      throw new Error('died here');
    };
    expect(() => table.free(region)).toThrow('died here');
    arena.discard = discard;
    const next = RegionTable.open(arena);
    expect(next.list()).toEqual([]);
    expect(isZero(arena, region)).toBe(true);
  });

  it('does not take over what cannot be a table', () => {
    const options = { maxRegions: 8 };
    const arena = new MemoryArena(4 * MIB);
    expect(failureText(() => RegionTable.recover(arena, options))).toBe(
      'RingCorrupt: table of regions: magic 0 must be 1397904212',
    );
    const table = RegionTable.open(arena, options);
    const [first, second] = [table.allocate(UNIT)!, table.allocate(UNIT)!];
    expect(failureText(() => RegionTable.open(arena, { maxRegions: 9 }))).toBe(
      'RingCorrupt: table of regions: maxRegions 8 must be 9',
    );
    const bytes = arena.region(0, 8192);
    const entry = (region: Region, word: number) => 4096 + region.index * 32 + word * 4;
    for (const [offset, value] of [
      [0, 5],
      [4, 2],
      [entry(first, 1), second.offset / UNIT],
      [entry(first, 1), -1],
      [entry(first, 1), 0],
      [entry(first, 1), 64],
      [entry(first, 2), 31],
      [entry(first, 2), -1],
      [entry(first, 3), 17],
      [entry(first, 3), 0],
    ] as const) {
      const before = bytes.readInt32LE(offset);
      bytes.writeInt32LE(value, offset);
      expect(
        failureText(() => RegionTable.open(arena, options)),
        `${offset}: ${value}`,
      ).toContain('RingCorrupt: table of regions: ');
      bytes.writeInt32LE(before, offset);
    }
    expect(RegionTable.open(arena, options).list().length).toBe(2);
  });

  it('needs an arena with room for more than the table', () => {
    expect(failureText(() => RegionTable.create(new MemoryArena(UNIT)))).toContain('arena of 65536 bytes must have more than');
    for (const maxRegions of [0, 1.5, 1e7]) {
      expect(failureText(() => RegionTable.create(new MemoryArena(MIB), { maxRegions }))).toContain('must be 1..1000000');
    }
  });
});

describe('MemoryArena', () => {
  it('refuses sizes and ranges that cannot be', () => {
    const arena = new MemoryArena(8192 + 4096, { windowBytes: 8192 });
    expect(failureText(() => new MemoryArena(5000))).toContain('arena size 5000 must be a multiple of 4096');
    expect(failureText(() => new MemoryArena(4096, { windowBytes: 5000 }))).toContain('must be a power of two');
    for (const [offset, size] of [
      [-8, 8],
      [0, -8],
      [0, 12_289],
      [4, 8],
      [Number.NaN, 8],
      [4096, 8192],
    ] as const) {
      expect(
        failureText(() => arena.region(offset, size)),
        `${offset}, ${size}`,
      ).toContain('SharedMemory');
    }
    expect(failureText(() => arena.discard(8, 4096))).toContain('SharedMemory');
    arena.region(4096, 4096).fill(1);
    arena.region(8192, 4096).fill(2);
    arena.discard(4096, 8192);
    expect([arena.region(4096, 1)[0], arena.region(8192, 1)[0]]).toEqual([0, 0]);
    expect(new MemoryArena(4096, { isShared: true }).region(0, 8).buffer).toBeInstanceOf(SharedArrayBuffer);
  });
});
