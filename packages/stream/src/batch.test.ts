import { describe, expect, it } from 'vitest';
import { Batch } from './batch.ts';

function append(batch: Batch, text: string): void {
  const bytes = Buffer.from(text);
  const offset = batch.reserve(bytes.length);
  bytes.copy(batch.slab, offset);
  batch.commit(bytes.length);
}

describe('Batch', () => {
  it('hands out what was appended since the last time, in one piece', () => {
    const batch = new Batch();
    append(batch, 'one');
    append(batch, 'two');
    expect(batch.take().bytes.toString()).toBe('onetwo');
    append(batch, 'three');
    expect(batch.take().bytes.toString()).toBe('three');
    expect(batch.length).toBe(0);
  });

  it('does not touch bytes that a socket may still hold, however much follows', () => {
    const batch = new Batch();
    append(batch, 'held');
    const held = batch.take();
    for (let index = 0; index < 2000; index += 1) {
      append(batch, 'x'.repeat(1000));
      batch.take();
    }
    expect(held.bytes.toString()).toBe('held');
  });

  it('writes again where nobody holds the bytes any more', () => {
    const batch = new Batch();
    append(batch, 'first');
    const first = batch.take();
    batch.reuse(first);
    append(batch, 'again');
    const again = batch.take();
    expect(again.address).toBe(first.address);
    expect(again.bytes.buffer).toBe(first.bytes.buffer);
  });

  it('does not reuse bytes when others were appended behind them', () => {
    const batch = new Batch();
    append(batch, 'first');
    const first = batch.take();
    append(batch, 'second');
    batch.reuse(first);
    append(batch, '!');
    expect(batch.take().bytes.toString()).toBe('second!');
    expect(first.bytes.toString()).toBe('first');
  });

  it('grows for a batch larger than a slab and keeps its beginning', () => {
    const batch = new Batch();
    append(batch, 'a'.repeat(200_000));
    append(batch, 'b'.repeat(300_000));
    const { bytes } = batch.take();
    expect(bytes.length).toBe(500_000);
    expect(bytes.subarray(199_999, 200_001).toString()).toBe('ab');
  });

  it('forgets what is rolled back', () => {
    const batch = new Batch();
    append(batch, 'good');
    const length = batch.length;
    append(batch, 'torn');
    batch.truncate(length);
    append(batch, '!');
    expect(batch.take().bytes.toString()).toBe('good!');
  });
});
