import { createDecipheriv } from 'node:crypto';
import { expect, it } from 'vitest';
import { ivOf, KeyRotation, segmentCipher } from './encryption.ts';

function rotation(fragmentsPerKey: number) {
  let count = 0;
  const stored: string[] = [];
  const keys = new KeyRotation({
    fragmentsPerKey,
    randomBytes: (size) => Buffer.alloc(size, ++count),
    nameKey: (sequence) => ({ path: `/k/${sequence}.key`, uri: `${sequence}.key` }),
    storeKey: (path, bytes) => stored.push(`${path} ${bytes.toString('hex')}`),
  });
  return { keys, stored };
}

it('a key is for so many segments, named after the first of them and stored once', () => {
  const { keys, stored } = rotation(3);
  const uris = [7, 8, 9, 10, 11, 12, 13].map((sequence) => keys.forSegment(sequence).key.uri);
  expect(uris).toEqual(['7.key', '7.key', '7.key', '10.key', '10.key', '10.key', '13.key']);
  expect(stored).toEqual([`/k/7.key ${'01'.repeat(16)}`, `/k/10.key ${'02'.repeat(16)}`, `/k/13.key ${'03'.repeat(16)}`]);
});

it('a segment whose number comes again keeps the key', () => {
  const { keys, stored } = rotation(1);
  keys.forSegment(7);
  keys.forSegment(7);
  expect(stored).toHaveLength(1);
});

it('the initialization vector is the number of the segment, big-endian', () => {
  expect(ivOf(0x1_0203_0405).toString('hex')).toBe('00000000000000000000000102030405');
});

it('what is encrypted in pieces comes back', () => {
  const key = Buffer.from('0123456789abcdef');
  const plain = Buffer.from('x'.repeat(1000));
  const cipher = segmentCipher(key, 9);
  const secret = Buffer.concat([cipher.update(plain.subarray(0, 7)), cipher.update(plain.subarray(7)), cipher.final()]);
  const decipher = createDecipheriv('aes-128-cbc', key, ivOf(9));
  expect(Buffer.concat([decipher.update(secret), decipher.final()])).toEqual(plain);
});
