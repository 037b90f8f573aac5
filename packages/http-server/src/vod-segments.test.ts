import { describe, expect, it } from 'vitest';
import { VodSegments } from './vod-segments.ts';

const limits = { keptBytes: 100, heldBytes: 100 };

/** Makes segments of a size, and counts them. */
function maker(sizeBytes: number): { readonly make: () => Promise<Uint8Array<ArrayBuffer>>; readonly made: () => number } {
  let made = 0;
  const make = async (): Promise<Uint8Array<ArrayBuffer>> => {
    made += 1;
    return new Uint8Array(sizeBytes);
  };
  return { make, made: () => made };
}

describe('VodSegments', () => {
  it('makes a segment once for all who ask at the same time, and for those who come later', async () => {
    const segments = new VodSegments(limits);
    const { make, made } = maker(40);
    const [first, second] = await Promise.all([segments.hold('a', make), segments.hold('a', make)]);
    expect(second).toBe(first);
    expect(await segments.hold('a', make)).toBe(first);
    expect(made()).toBe(1);
  });

  it('lets go of what nobody has asked for the longest', async () => {
    const segments = new VodSegments(limits);
    const { make, made } = maker(40);
    for (const key of ['a', 'b', 'a', 'c']) segments.release(await segments.hold(key, make));
    expect(segments.keptBytes).toBe(80);
    expect(made()).toBe(3);
    await segments.hold('a', make);
    expect(made()).toBe(3);
    await segments.hold('b', make);
    expect(made()).toBe(4);
  });

  it('does not keep what is larger than all of its memory', async () => {
    const segments = new VodSegments(limits);
    const { make, made } = maker(101);
    segments.release(await segments.hold('a', make));
    segments.release(await segments.hold('a', make));
    expect(made()).toBe(2);
    expect(segments.keptBytes).toBe(0);
  });

  it('makes no more while clients are slow to take what was made', async () => {
    const segments = new VodSegments(limits);
    const { make } = maker(60);
    const first = await segments.hold('a', make);
    const again = await segments.hold('a', make);
    const second = await segments.hold('b', make);
    await expect(segments.hold('c', make)).rejects.toMatchObject({ statusCode: 503, headers: { 'retry-after': '1' } });
    // What is there is given all the same.
    segments.release(await segments.hold('b', make));
    segments.release(first);
    await expect(segments.hold('c', make)).rejects.toThrow();
    segments.release(again);
    await expect(segments.hold('c', make)).resolves.toHaveLength(60);
    segments.release(second);
  });

  it('tries again what has failed', async () => {
    const segments = new VodSegments(limits);
    await expect(segments.hold('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(segments.hold('a', maker(1).make)).resolves.toHaveLength(1);
  });
});
