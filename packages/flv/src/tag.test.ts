import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure.ts';
import {
  decodeFlvHeader,
  decodeFlvTagHeader,
  encodeFlvHeader,
  encodeFlvTag,
  flvTagBytes,
  writeFlvTag,
  writeFlvTagHeader,
} from './index.ts';

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
}

const headers = [
  ['464c5601 05 00000009 00000000', { hasAudio: true, hasVideo: true }],
  ['464c5601 04 00000009 00000000', { hasAudio: true, hasVideo: false }],
  ['464c5601 01 00000009 00000000', { hasAudio: false, hasVideo: true }],
  ['464c5601 00 00000009 00000000', { hasAudio: false, hasVideo: false }],
] as const;

const tags = [
  ['an audio tag', '08 000003 000010 00 000000 af0121 0000000e', 8, 16, 'af0121'],
  ['an empty tag', '09 000000 000000 00 000000 0000000b', 9, 0, ''],
  ['the last time of 24 bits', '12 000001 ffffff 00 000000 02 0000000c', 18, 0xffffff, '02'],
  ['the first time beyond', '12 000001 000000 01 000000 02 0000000c', 18, 0x1000000, '02'],
  ['the last time of 31 bits', '09 000001 ffffff 7f 000000 17 0000000c', 9, 0x7fffffff, '17'],
  ['the last time of 32 bits', '09 000001 ffffff ff 000000 17 0000000c', 9, 0xffffffff, '17'],
] as const;

describe('an FLV header', () => {
  it.each(headers)('%s', (bytes, header) => {
    expect(encodeFlvHeader(header)).toEqual(hex(bytes));
    expect(decodeFlvHeader(hex(bytes))).toEqual({ ...header, headerBytes: 9 });
  });

  it('is refused when it is cut', () => {
    expect(failureOf(() => decodeFlvHeader(hex('464c5601 05 000000'))).message).toBe('flv header of 8 bytes must have 9');
  });
});

describe('an FLV tag', () => {
  it.each(tags)('%s', (_, bytes, type, timestampMs, payload) => {
    expect(encodeFlvTag(type, timestampMs, hex(payload))).toEqual(hex(bytes));
    expect(decodeFlvTagHeader(hex(bytes), 0)).toEqual({ type, isFiltered: false, payloadBytes: payload.length / 2, timestampMs });
  });

  it('is written where it is told to, and nothing else is', () => {
    const target = Buffer.alloc(40, 0xee);
    expect(writeFlvTag(target, 10, 8, 16, hex('af0121'))).toBe(28);
    expect(target.subarray(0, 10)).toEqual(Buffer.alloc(10, 0xee));
    expect(target.subarray(10, 28)).toEqual(hex(tags[0][1]));
    expect(target.subarray(28)).toEqual(Buffer.alloc(12, 0xee));
    expect(flvTagBytes(3)).toBe(18);
  });

  it('its head is read at any offset and time', () => {
    fc.assert(
      fc.property(
        fc.nat(20),
        fc.constantFrom(8, 9, 18),
        fc.nat({ max: 0xffffffff }),
        fc.nat({ max: 0xffffff }),
        (offset, type, timestampMs, payloadBytes) => {
          const target = Buffer.alloc(40);
          expect(writeFlvTagHeader(target, offset, type, timestampMs, payloadBytes)).toBe(offset + 11);
          expect(decodeFlvTagHeader(target, offset)).toEqual({ type, isFiltered: false, payloadBytes, timestampMs });
        },
      ),
    );
  });

  it('takes the low 32 bits of a time', () => {
    for (const [timestampMs, written] of [
      [0x1_0000_0005, 5],
      [-1, 0xffffffff],
    ] as const) {
      expect(decodeFlvTagHeader(encodeFlvTag(8, timestampMs, Buffer.alloc(0)), 0).timestampMs).toBe(written);
    }
  });

  it('is refused when it does not fit', () => {
    expect(failureOf(() => writeFlvTag(Buffer.alloc(20), 3, 8, 0, hex('af0121'))).message).toBe(
      'flv tag needs 18 bytes, 17 are left',
    );
    expect(failureOf(() => writeFlvTagHeader(Buffer.alloc(11), 0, 8, 0, 0x1000000)).message).toBe(
      'flv tag of 16777216 bytes must be at most 16777215',
    );
  });
});
