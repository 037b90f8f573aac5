import { SrsError } from '@srs/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BitWriter, withEmulationPrevention } from '../../../test/support/bit-writer.ts';
import { failureOf } from '../../../test/support/failure.ts';
import { BitReader, readHint, withoutEmulationPrevention } from './bit-reader.ts';

function read(bytes: Uint8Array): BitReader {
  return new BitReader(bytes, 'AvcConfig', 'test');
}

describe('BitReader', () => {
  it('reads fields of any width', () => {
    const bits = read(Buffer.from([0b1010_0101, 0xff, 0x00, 0xff, 0x80]));
    expect([bits.bits(0), bits.flag(), bits.bits(3), bits.bits(4), bits.bits(8)]).toEqual([0, true, 0b010, 0b0101, 0xff]);
    expect(bits.bits(17)).toBe(0b0000_0000_1111_1111_1);
    expect(bits.remaining).toBe(7);
  });

  it('reads 32 bits as an unsigned number', () => {
    expect(read(Buffer.from('ffffffff', 'hex')).bits(32)).toBe(4_294_967_295);
  });

  it.each([
    ['1', 0, 0],
    ['010', 1, 1],
    ['011', 2, -1],
    ['00100', 3, 2],
    ['00101', 4, -2],
    ['00110', 5, 3],
    ['00111', 6, -3],
    ['0001000', 7, 4],
  ])('Exp-Golomb %s is %i unsigned and %i signed', (text, unsigned, signed) => {
    const bytes = new BitWriter().bits(text.length, Number.parseInt(text, 2)).toBuffer();
    expect(read(bytes).ue()).toBe(unsigned);
    expect(read(bytes).se() + 0).toBe(signed);
  });

  it('reads what was written', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 2 ** 31 - 2 }), fc.integer({ min: -(2 ** 30), max: 2 ** 30 }))), (pairs) => {
        const writer = new BitWriter();
        for (const [unsigned, signed] of pairs) writer.ue(unsigned).se(signed);
        const bits = read(writer.toBuffer());
        for (const [unsigned, signed] of pairs) {
          expect(bits.ue()).toBe(unsigned);
          expect(bits.se() + 0).toBe(signed);
        }
      }),
    );
  });

  it('refuses to read past the end, and codes that never end', () => {
    expect(failureOf(() => read(Buffer.from([1])).bits(9)).message).toBe('test of 1 bytes ends within a field of 9 bits');
    expect(failureOf(() => read(Buffer.from([0])).ue()).message).toBe('test of 1 bytes ends within a field of 1 bits');
    expect(failureOf(() => read(Buffer.alloc(16)).ue()).message).toBe(
      'test has an Exp-Golomb code of more than 31 leading zeros',
    );
    expect(failureOf(() => read(Buffer.from([0x20])).ueUpTo(2, 'count')).message).toBe('test count 3 must be 0..2');
  });
});

it('emulation prevention bytes are removed, and only those', () => {
  expect(Buffer.from(withoutEmulationPrevention(Buffer.from('000003000003010003', 'hex'))).toString('hex')).toBe(
    '00000000010003',
  );
  fc.assert(
    fc.property(fc.array(fc.constantFrom(0, 0, 1, 3, 255)), (values) => {
      const plain = Buffer.from(values);
      expect(Buffer.from(withoutEmulationPrevention(withEmulationPrevention(plain)))).toEqual(plain);
    }),
  );
});

it('a hint that is cut is none, a fault is thrown', () => {
  expect(readHint(() => 1)).toBe(1);
  expect(readHint(() => read(Buffer.alloc(0)).flag())).toBeUndefined();
  const fault = new TypeError('fault');
  expect(() =>
    readHint(() => {
      throw fault;
    }),
  ).toThrow(fault);
  expect(fault).not.toBeInstanceOf(SrsError);
});
