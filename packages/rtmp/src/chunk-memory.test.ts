import { describe, expect, it } from 'vitest';
import { ChunkMemory } from './chunk-memory.ts';

describe('ChunkMemory', () => {
  it('starts small, doubles, and cuts large buffers to what the message declares', () => {
    const memory = new ChunkMemory(1024 * 1024);
    let buffer = memory.claim(200_000, 100);
    const sizes = [buffer.length];
    while (buffer.length < 200_000) {
      buffer = memory.grow(buffer, buffer.length, 200_000, buffer.length + 1);
      sizes.push(buffer.length);
      expect(memory.usedBytes).toBe(buffer.length);
    }
    expect(sizes).toEqual([4096, 8192, 16_384, 32_768, 65_536, 131_072, 200_000]);
  });

  it('keeps the bytes when it grows', () => {
    const memory = new ChunkMemory(1024 * 1024);
    const buffer = memory.claim(10_000, 4);
    buffer.write('abcd');
    expect(memory.grow(buffer, 4, 10_000, 5000).toString('latin1', 0, 4)).toBe('abcd');
  });

  it('uses a released buffer again, unless it is very large', () => {
    const memory = new ChunkMemory(10 * 1024 * 1024);
    const small = memory.claim(5000, 5000);
    const large = memory.claim(300_000, 300_000);
    memory.release(small);
    memory.release(large);
    expect(memory.usedBytes).toBe(0);
    expect(memory.claim(6000, 100)).toBe(small);
    expect(memory.claim(300_000, 300_000)).not.toBe(large);
  });

  it('keeps nothing for a peer that sends small messages', () => {
    const memory = new ChunkMemory(1024 * 1024);
    const small = memory.claim(300, 128);
    expect(small.length).toBe(512);
    memory.release(small);
    expect(memory.claim(300, 128)).not.toBe(small);
  });

  it('gives the rest of its limit when that is enough, and refuses more', () => {
    const memory = new ChunkMemory(5000);
    memory.claim(4096, 10);
    expect(memory.claim(4096, 10).length).toBe(904);
    expect(memory.usedBytes).toBe(5000);
    expect(() => memory.claim(100, 1)).toThrow('incomplete messages of 5001 bytes in all must have at most 5000');
  });
});
