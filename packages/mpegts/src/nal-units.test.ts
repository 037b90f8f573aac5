import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure.ts';
import { hex } from './mpegts-test-support.ts';
import { NalUnits } from './nal-units.ts';

function read(bytes: Buffer, lengthBytes: number): Buffer[] {
  const units = new NalUnits('h264 frame');
  units.read(bytes, 0, bytes.length, lengthBytes);
  return Array.from({ length: units.count }, (_, i) => bytes.subarray(units.begins[i], units.ends[i]));
}

function texts(bytes: string, lengthBytes: number): string[] {
  return read(hex(bytes), lengthBytes).map((unit) => unit.toString('hex'));
}

function prefixed(units: readonly Buffer[], lengthBytes: number): Buffer {
  return Buffer.concat(
    units.flatMap((unit) => {
      const length = Buffer.alloc(lengthBytes);
      length.writeUIntBE(unit.length, 0, lengthBytes);
      return [length, unit];
    }),
  );
}

describe('units behind lengths', () => {
  it.each([
    [1, '02 65aa 01 41', ['65aa', '41']],
    [2, '0002 65aa 0001 41', ['65aa', '41']],
    [4, '00000002 65aa 00000001 41', ['65aa', '41']],
    [4, '', []],
    [4, '00000000 00000001 41 00000000', ['41']],
  ])('of %i bytes: %s', (lengthBytes, bytes, units) => {
    expect(texts(bytes, lengthBytes)).toEqual(units);
  });

  it('that look like a start code are lengths when they fit', () => {
    expect(texts('00000001 65', 4)).toEqual(['65']);
    const long = Buffer.concat([hex('0000010a'), Buffer.alloc(0x10a, 0x65)]);
    expect(read(long, 4)).toEqual([long.subarray(4)]);
  });

  it.each([
    ['past the end', 4, '00000003 65aa', 'NAL unit at 0 needs 3 bytes, 2 are left'],
    ['far past the end', 4, '00000002 4142 ffffffff 65', 'NAL unit at 6 needs 4294967295 bytes, 1 are left'],
    ['with a cut length', 4, '00000002 4142 0000', 'ends within the NAL unit length at 6'],
    ['with a start code further on', 4, '00000002 4142 00000001 43 00000141', 'NAL unit at 11 needs 321 bytes, 0 are left'],
  ])('%s are refused', (_, lengthBytes, bytes, message) => {
    expect(failureOf(() => read(hex(bytes), lengthBytes)).message).toBe(`h264 frame ${message}`);
  });

  it('are 1,024 at most', () => {
    const bytes = prefixed(Array<Buffer>(1024).fill(hex('41')), 4);
    expect(read(bytes, 4)).toHaveLength(1024);
    const error = failureOf(() => read(Buffer.concat([bytes, hex('0000000141')]), 4));
    expect([error.message, error.code]).toEqual(['h264 frame has more than 1024 NAL units', 3001]);
  });

  it('that are empty count as none', () => {
    expect(read(prefixed(Array<Buffer>(5000).fill(hex('')), 4), 4)).toEqual([]);
  });
});

describe('units behind start codes where lengths should be', () => {
  it.each([
    [4, '00000001 65aa 00000001 41bb', ['65aa', '41bb']],
    [4, '000001 65aa 000001 41bb 00', ['65aa', '41bb']],
    [4, '00000001 09f0 000001 6788 00000001 68 000001 65000100 0000', ['09f0', '6788', '68', '650001']],
    [4, '000001 65aa 000001 000001 41', ['65aa', '41']],
    [2, '00000001 65aa', ['65aa']],
    [1, '00000001 41', ['41']],
    [1, '000001 41', ['41']],
  ])('are found, lengths of %i bytes: %s', (lengthBytes, bytes, units) => {
    expect(texts(bytes, lengthBytes)).toEqual(units);
  });

  it('are 1,024 at most', () => {
    const bytes = Buffer.concat(Array<Buffer>(1024).fill(hex('0000014141')));
    expect(read(bytes, 4)).toHaveLength(1024);
    expect(failureOf(() => read(Buffer.concat([bytes, hex('0000014141')]), 4)).message).toBe(
      'h264 frame has more than 1024 NAL units',
    );
  });

  it('are believed where lengths fit only with an empty unit', () => {
    const unit = Buffer.alloc(0x142, 0x41);
    expect(read(Buffer.concat([hex('000001'), unit]), 2)).toEqual([unit]);
  });

  it('are believed only at the begin', () => {
    expect(failureOf(() => texts('65 00000001 41 00000001 41', 4)).message).toBe(
      'h264 frame NAL unit at 0 needs 1694498816 bytes, 7 are left',
    );
  });
});

it('only the given range is read', () => {
  const units = new NalUnits('h265 frame');
  units.read(hex('ff 000001 65aa 000001 41 000001 42'), 1, 9, 4);
  expect([units.count, ...units.begins.subarray(0, 1), ...units.ends.subarray(0, 1)]).toEqual([1, 4, 6]);
  units.read(hex('ff 02 4142 01 43'), 1, 4, 1);
  expect([units.count, units.begins[0], units.ends[0]]).toEqual([1, 2, 4]);
});

it('units of any size come back from lengths and start codes', () => {
  const unit = fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes.map((byte) => byte | 0x10)));
  fc.assert(
    fc.property(fc.array(unit, { minLength: 1, maxLength: 20 }), fc.constantFrom(1, 2, 4), (units, lengthBytes) => {
      expect(read(prefixed(units, lengthBytes), lengthBytes)).toEqual(units);
      const annexB = Buffer.concat(units.flatMap((one, i) => [hex(i % 2 === 0 ? '00000001' : '000001'), one]));
      expect(read(annexB, 4)).toEqual(units);
    }),
  );
});
