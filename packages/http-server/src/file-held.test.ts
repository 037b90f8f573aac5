import { describe, expect, it } from 'vitest';
import { WholeFileMemory } from './file-held.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

describe('memory for whole files', () => {
  it('is used again', () => {
    const memory = new WholeFileMemory();
    const first = memory.claim(100 * KIB)!;
    expect(first.length).toBe(128 * KIB);
    expect(memory.claim(100 * KIB)).not.toBe(first);
    memory.free(first);
    expect(memory.claim(64 * KIB)).not.toBe(first);
    expect(memory.claim(128 * KIB)).toBe(first);
    expect(memory.claim(128 * KIB)).not.toBe(first);
  });

  it('is not lent to two at a time, and has an end', () => {
    const memory = new WholeFileMemory(4 * MIB);
    const claimed = Array.from({ length: 5 }, () => memory.claim(MIB));
    expect(new Set(claimed).size).toBe(5);
    expect(claimed.map((buffer) => buffer?.length)).toEqual([MIB, MIB, MIB, MIB, undefined]);
    expect(memory.claim(1)).toBeUndefined();
    memory.free(claimed[0]!);
    expect(memory.claim(MIB)).toBe(claimed[0]);
  });

  it('is not for files that are large', () => {
    const memory = new WholeFileMemory();
    expect(memory.claim(MIB + 1)).toBeUndefined();
    expect(memory.claim(0)).toHaveLength(0);
  });

  it('is given back to the system beyond what is worth keeping', () => {
    const memory = new WholeFileMemory();
    const claimed = Array.from({ length: 32 }, () => memory.claim(MIB)!);
    for (const buffer of claimed) memory.free(buffer);
    const again = Array.from({ length: 32 }, () => memory.claim(MIB)!);
    expect(again.filter((buffer) => claimed.includes(buffer))).toHaveLength(16);
  });
});
