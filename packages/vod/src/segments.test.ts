import { describe, expect, it } from 'vitest';
import { VodSegments } from './segments.ts';

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
    const [first, second] = await Promise.all([segments.hold('a', 40, make), segments.hold('a', 40, make)]);
    expect(second.bytes).toBe(first.bytes);
    expect((await segments.hold('a', 40, make)).bytes).toBe(first.bytes);
    expect(made()).toBe(1);
  });

  it('lets go of what nobody has asked for the longest', async () => {
    const segments = new VodSegments(limits);
    const { make, made } = maker(40);
    for (const key of ['a', 'b', 'a', 'c']) (await segments.hold(key, 40, make)).release();
    expect(segments.keptBytes).toBe(80);
    expect(made()).toBe(3);
    (await segments.hold('a', 40, make)).release();
    expect(made()).toBe(3);
    (await segments.hold('b', 40, make)).release();
    expect(made()).toBe(4);
  });

  it('does not keep what is larger than all of its memory', async () => {
    const segments = new VodSegments(limits);
    const { make, made } = maker(101);
    for (let time = 0; time < 2; time++) (await segments.hold('a', 101, make)).release();
    expect(made()).toBe(2);
    expect(segments.keptBytes).toBe(0);
  });

  it('makes no more while clients are slow to take what was made', async () => {
    const segments = new VodSegments(limits);
    const { make } = maker(60);
    const first = await segments.hold('a', 40, make);
    const again = await segments.hold('a', 40, make);
    const second = await segments.hold('b', 40, make);
    await expect(segments.hold('c', 40, make)).rejects.toMatchObject({ errorName: 'VodBusy' });
    // What is there is given all the same.
    (await segments.hold('b', 40, make)).release();
    first.release();
    await expect(segments.hold('c', 40, make)).rejects.toThrow();
    again.release();
    (await segments.hold('c', 40, make)).release();
    second.release();
  });

  it('counts what is being made as well, by what the file has of it', async () => {
    const segments = new VodSegments(limits);
    const { make, made } = maker(60);
    const making = [segments.hold('a', 60, make), segments.hold('b', 40, make)];
    await expect(segments.hold('c', 1, make)).rejects.toMatchObject({ errorName: 'VodBusy' });
    expect(made()).toBe(2);
    for (const held of await Promise.all(making)) held.release();
    (await segments.hold('c', 60, make)).release();
  });

  it('makes one that is larger than all of its memory, when there is no other', async () => {
    const segments = new VodSegments(limits);
    const large = await segments.hold('a', 500, maker(500).make);
    await expect(segments.hold('b', 1, maker(1).make)).rejects.toMatchObject({ errorName: 'VodBusy' });
    large.release();
    (await segments.hold('b', 1, maker(1).make)).release();
  });

  it('tries again what has failed', async () => {
    const segments = new VodSegments(limits);
    await expect(segments.hold('a', 100, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect((await segments.hold('a', 100, maker(1).make)).bytes).toHaveLength(1);
  });
});
