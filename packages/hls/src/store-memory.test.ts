import type { SrsError } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { MemoryPool, MemoryStore } from './store-memory.ts';

async function bytesAt(pool: MemoryPool, path: string): Promise<string | undefined> {
  return pool.get(path)?.toString();
}

describe('a store in memory', () => {
  it('has a segment when it is complete', async () => {
    const pool = new MemoryPool();
    const store = new MemoryStore(pool);
    const segment = store.openSegment('/a.ts', () => {});
    segment.write(Buffer.from('one'));
    segment.write(Buffer.from('two'));
    expect([pool.paths, pool.sizeBytes]).toEqual([[], 6]);
    await segment.commit('/b.ts');
    expect([await bytesAt(pool, '/b.ts'), pool.sizeBytes]).toEqual(['onetwo', 6]);
    await store.remove(['/b.ts', '/c.ts']);
    expect([pool.paths, pool.sizeBytes, store.sizeBytes]).toEqual([[], 0, 0]);
  });

  it('counts what was given up, replaced or shared no more', async () => {
    const pool = new MemoryPool();
    const store = new MemoryStore(pool);
    const segment = store.openSegment('/a.ts', () => {});
    segment.write(Buffer.from('gone'));
    await segment.discard();
    await store.replace('/a.m3u8', 'long text');
    await store.replace('/a.m3u8', 'text');
    store.put('/part', Buffer.from('part'));
    store.share('/part', Buffer.from('part'));
    expect(pool.sizeBytes).toBe(4);
    expect(await store.readPlaylist('/a.m3u8')).toBe('text');
    expect([...(await store.present(['/part', '/none']))]).toEqual(['/part']);
    await store.remove(['/a.m3u8', '/part']);
    expect([pool.sizeBytes, store.sizeBytes]).toEqual([0, 0]);
  });

  it.each([
    ['a stream', 10, 100, 'HLS of a stream in memory would be 12 bytes, at most 10'],
    ['all streams', 100, 10, 'HLS of all streams in memory would be 12 bytes, at most 10'],
  ])('refuses more than %s may have, once', async (_, streamBytes, poolBytes, message) => {
    const pool = new MemoryPool(poolBytes);
    const store = new MemoryStore(pool, streamBytes);
    const errors: SrsError[] = [];
    const segment = store.openSegment('/a.ts', (error) => errors.push(error));
    for (let count = 0; count < 4; count++) segment.write(Buffer.alloc(6));
    expect(errors.map((error) => [error.errorName, error.message])).toEqual([['HlsMemory', message]]);
    await expect(segment.commit('/a.ts')).rejects.toBe(errors[0]);
    await segment.discard();
    expect([pool.paths, pool.sizeBytes, store.sizeBytes]).toEqual([[], 0, 0]);
  });
});
