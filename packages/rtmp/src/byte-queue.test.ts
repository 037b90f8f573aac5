import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteQueue } from './byte-queue.ts';

describe('ByteQueue', () => {
  it('gives back everything in order, and is empty afterwards', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 30 }), (pieces) => {
        const queue = new ByteQueue(100_000);
        for (const piece of pieces) expect(queue.append(Buffer.from(piece))).toBe(true);
        const all = Buffer.concat(pieces);
        expect(queue.length).toBe(all.length);
        expect(queue.takeAll().equals(all)).toBe(true);
        expect(queue.length).toBe(0);
        expect(queue.takeAll().length).toBe(0);
      }),
    );
  });

  it('takes up to its limit and refuses a piece that passes it', () => {
    const queue = new ByteQueue(5);
    expect(queue.append(Buffer.from('abc'))).toBe(true);
    expect(queue.append(Buffer.from('def'))).toBe(false);
    expect(queue.append(Buffer.from('de'))).toBe(true);
    expect(queue.append(Buffer.from('f'))).toBe(false);
    expect(queue.takeAll().toString()).toBe('abcde');
  });

  it('reserves little more than it holds', () => {
    const queue = new ByteQueue(1024 * 1024);
    for (let i = 0; i < 5000; i++) queue.append(Buffer.of(i));
    expect(queue.takeAll().buffer.byteLength).toBeLessThanOrEqual(8192);
  });
});
