import type { ServerAddress } from '@srs/config';
import { ManualClock } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { OriginPool } from './origin-pool.ts';

const [a, b, c] = ['a', 'b', 'c'].map((host): ServerAddress => ({ host, port: 1935 })) as [
  ServerAddress,
  ServerAddress,
  ServerAddress,
];
const all = [a, b, c];

function poolAt(): { readonly pool: OriginPool; readonly clock: ManualClock } {
  const clock = new ManualClock();
  return { pool: new OriginPool({ clock, random: () => 0 }), clock };
}

describe('a pool of origins', () => {
  it('begins with the first, and each stream takes its turns for itself', () => {
    const { pool } = poolAt();
    expect(pool.next('live/s', all)).toBe(a);
    pool.passOver('live/s', a);
    expect(pool.next('live/s', all)).toBe(b);
    expect(pool.next('live/other', all)).toBe(a);
    pool.passOver('live/s', b);
    expect(pool.next('live/s', all)).toBe(c);
    pool.passOver('live/s', c);
    expect(pool.next('live/s', all)).toBe(a);
  });

  it('begins anew after a list of others, and 30 s after the last turn', () => {
    const { pool, clock } = poolAt();
    pool.passOver('live/s', a);
    expect(pool.next('live/s', [b, c])).toBe(b);
    clock.advance(29_999);
    expect(pool.next('live/s', all)).toBe(b);
    clock.advance(1);
    expect(pool.next('live/s', all)).toBe(a);
  });

  it('passes those that rest, and takes the one that is ready first when all do', () => {
    const { pool, clock } = poolAt();
    pool.failed(b);
    pool.passOver('live/s', a);
    expect(pool.next('live/s', all)).toBe(c);
    expect(pool.inOrder(all)).toEqual([a, c, b]);
    clock.advance(100);
    pool.failed(c);
    clock.advance(100);
    pool.failed(a);
    expect(pool.next('live/s', all)).toBe(b);
    pool.worked(c);
    expect(pool.next('live/s', all)).toBe(c);
  });

  it('remembers the turns of the newest 10 000 streams', () => {
    const { pool } = poolAt();
    pool.passOver('live/first', a);
    pool.passOver('live/second', a);
    for (let count = 0; count < 9_998; count += 1) pool.passOver(`live/${count}`, a);
    expect(pool.next('live/first', all)).toBe(b);
    pool.passOver('live/one-more', a);
    expect(pool.next('live/first', all)).toBe(a);
    expect(pool.next('live/second', all)).toBe(b);
  });
});
