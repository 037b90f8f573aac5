import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { blankStamp, checksumOf, STAMP_NAL_BYTES, Stamp, writeStamp } from './stamp.ts';

const picture = Buffer.from('000000056588840021a0', 'hex');

function stamped(nalLengthBytes: number, head = '1701000000'): Buffer {
  return Buffer.concat([Buffer.from(head, 'hex'), blankStamp(nalLengthBytes), picture]);
}

describe.each([1, 2, 4])('a stamp with NAL lengths of %d bytes', (nalLengthBytes) => {
  it('comes back as it was written', () => {
    const payload = stamped(nalLengthBytes);
    writeStamp(payload, nalLengthBytes, 0xabc, 0xfedcba98, 1_795_000_000_123_456);
    const stamp = new Stamp();
    expect(stamp.read(payload, 0, payload.length)).toBe(true);
    expect(stamp).toMatchObject({ stream: 0xabc, sequence: 0xfedcba98, timeUs: 1_795_000_000_123_456, isKeyFrame: true });
    expect(stamp.crc).toBe(checksumOf(payload, nalLengthBytes));
  });

  it('is a NAL unit that every decoder passes over: SEI of unregistered data, without a zero byte', () => {
    const nal = blankStamp(nalLengthBytes);
    expect(nal.readUIntBE(0, nalLengthBytes)).toBe(STAMP_NAL_BYTES);
    expect(nal.length).toBe(nalLengthBytes + STAMP_NAL_BYTES);
    const unit = nal.subarray(nalLengthBytes);
    expect([unit[0], unit[1], unit[2]]).toEqual([6, 5, STAMP_NAL_BYTES - 4]);
    expect(unit.at(-1)).toBe(0x80);
    expect(unit.includes(0)).toBe(false);
  });

  it('covers every byte of the frame but its own digits', () => {
    const payload = stamped(nalLengthBytes);
    writeStamp(payload, nalLengthBytes, 1, 2, 3);
    const crcAt = 5 + nalLengthBytes + 3 + 16 + 4 + 8 + 14;
    const others = Buffer.concat([payload.subarray(0, crcAt), payload.subarray(crcAt + 8)]);
    expect(payload.toString('latin1', crcAt, crcAt + 8)).toBe(crc32(others).toString(16).padStart(8, '0'));
    for (const at of [0, 3, crcAt - 1, crcAt + 8, payload.length - 1]) {
      const damaged = Buffer.from(payload);
      damaged[at]! ^= 1;
      expect([at, checksumOf(damaged, nalLengthBytes)]).not.toEqual([at, checksumOf(payload, nalLengthBytes)]);
    }
  });

  it('is found in the first bytes of a frame, and not when they are too few', () => {
    const payload = stamped(nalLengthBytes);
    writeStamp(payload, nalLengthBytes, 1, 2, 3);
    const stampEnd = 5 + nalLengthBytes + STAMP_NAL_BYTES;
    const stamp = new Stamp();
    expect(stamp.read(payload, 0, stampEnd)).toBe(true);
    for (let length = 0; length < stampEnd - 1; length++)
      expect([length, stamp.read(payload, 0, length)]).toEqual([length, false]);
  });
});

it('a frame inside other bytes is read from where it begins', () => {
  const payload = stamped(4, '2701000000');
  writeStamp(payload, 4, 7, 8, 9);
  const stamp = new Stamp();
  expect(stamp.read(Buffer.concat([Buffer.alloc(11), payload]), 11, payload.length)).toBe(true);
  expect(stamp).toMatchObject({ stream: 7, sequence: 8, timeUs: 9, isKeyFrame: false });
});

it.each([
  ['a frame without one', Buffer.concat([Buffer.from('1701000000', 'hex'), picture, Buffer.alloc(100, 1)])],
  ['a sequence header', stamped(4, '1700000000')],
  ['another codec', stamped(4, '1c01000000')],
  ['an enhanced head', stamped(4, '9761766331')],
  ['a digit that is none', Buffer.from(stamped(4)).fill('x', 40, 41)],
])('%s has no stamp', (_name, payload) => {
  expect(new Stamp().read(payload, 0, payload.length)).toBe(false);
});
