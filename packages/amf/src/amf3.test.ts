import { SrsError } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { amfShape, amfShapes } from '../../../test/support/amf-shape.ts';
import { failureOf } from '../../../test/support/failure.ts';
import { fuzz } from '../../../test/support/fuzz.ts';
import { AmfDate, AmfDictionary, AmfObject, type AmfValue, AmfXml, decodeAmf3 } from './index.ts';

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
}

const table: readonly (readonly [name: string, bytes: string, values: readonly AmfValue[]])[] = [
  ['undefined, null, false, true', '00 01 02 03', [undefined, null, false, true]],
  ['integers of one byte', '04 00 04 7f', [0, 127]],
  ['integers of two bytes', '04 8100 04 ff7f', [128, 16_383]],
  ['integers of three bytes', '04 818000 04 ffff7f', [16_384, 2_097_151]],
  ['integers of four bytes', '04 80c08000 04 bfffffff', [2_097_152, 268_435_455]],
  ['negative integers', '04 ffffffff 04 c0808000', [-1, -268_435_456]],
  ['a double', '05 3ff8000000000000', [1.5]],
  ['strings', '06 01 06 03 61 06 07 e6b581', ['', 'a', '流']],
  ['a string by reference, the empty string not counted', '06 01 06 03 61 06 00', ['', 'a', 'a']],
  ['xml documents', '07 09 3c612f3e 0b 09 3c622f3e', [new AmfXml('<a/>'), new AmfXml('<b/>')]],
  ['a date, and again by reference', '08 01 3ff0000000000000 08 00', [new AmfDate(1), new AmfDate(1)]],
  ['a dense array', '09 05 01 04 01 06 03 61', [[1, 'a']]],
  [
    'an array whose keys come first',
    '09 03 03 6b 04 07 01 03',
    [
      AmfObject.ecmaArray([
        ['k', 7],
        ['0', true],
      ]),
    ],
  ],
  ['an object without class, dynamic', '0a 0b 01 03 61 04 01 01', [AmfObject.object({ a: 1 })]],
  ['an object of a class', '0a 23 03 43 03 61 03 62 04 01 04 02', [AmfObject.typed('C', { a: 1, b: 2 })]],
  [
    'objects of one class, traits and keys by reference',
    '0a 13 03 43 03 61 04 01 0a 01 04 02 06 02',
    [AmfObject.typed('C', { a: 1 }), AmfObject.typed('C', { a: 2 }), 'a'],
  ],
  [
    'an object of a class with more members',
    '0a 1b 03 43 03 61 04 01 03 78 04 02 01',
    [
      AmfObject.typed('C', [
        ['a', 1],
        ['x', 2],
      ]),
    ],
  ],
  ['an object by reference', '0a 0b 01 01 0a 00', [AmfObject.object(), AmfObject.object()]],
  ['bytes', '0c 07 010203 0c 00', [new Uint8Array([1, 2, 3]), new Uint8Array([1, 2, 3])]],
  ['a vector of int', '0d 05 00 ffffffff 00000001', [[-1, 1]]],
  ['a vector of uint', '0e 05 01 ffffffff 00000001', [[4_294_967_295, 1]]],
  ['a vector of double', '0f 03 00 3ff8000000000000', [[1.5]]],
  ['a vector of objects', '10 05 00 03 43 0a 0b 01 01 01', [[AmfObject.object(), null]]],
  [
    'a dictionary',
    '11 05 00 06 03 61 04 01 04 05 03',
    [
      new AmfDictionary([
        ['a', 1],
        [5, true],
      ] as const),
    ],
  ],
];

describe('AMF3', () => {
  it.each(table)('%s', (_, bytes, values) => {
    expect(amfShapes(decodeAmf3(hex(bytes)))).toEqual(amfShapes(values));
  });

  it.each(table)('%s, cut anywhere, is read or refused, never more', (_, bytes) => {
    const whole = hex(bytes);
    for (let length = 0; length < whole.length; length++) {
      try {
        decodeAmf3(whole.subarray(0, length));
      } catch (error) {
        expect(error).toBeInstanceOf(SrsError);
      }
    }
  });

  it('bytes are a copy', () => {
    const wire = hex('0c 03 01');
    const [bytes] = decodeAmf3(wire);
    wire.fill(9);
    expect(amfShape(bytes)).toEqual({ kind: 'bytes', hex: '01' });
  });

  it('replaces what is no UTF-8', () => {
    expect(decodeAmf3(hex('06 03 ff'))).toEqual(['\u{fffd}']);
  });
});

describe('hostile AMF3', () => {
  const rows: readonly (readonly [name: string, bytes: Buffer, message: string])[] = [
    ['an unknown marker', hex('12'), 'amf3 marker 18 at 0 must be 0..17'],
    ['a string of 268 MB', hex('06 ffffffff'), 'amf string needs 268435455 bytes at 5, 0 are left'],
    ['an array of 268 million', hex('09 ffffffff 01'), 'amf3 count 268435455 must be at most 1, which the data has room for'],
    ['a vector of 268 million', hex('0f ffffffff 00'), 'amf3 count 268435455 must be at most 0, which the data has room for'],
    ['a class of 33 million keys', hex('0a fffffffb 01'), 'amf3 count 33554431 must be at most 0, which the data has room for'],
    ['a dictionary of 268 million', hex('11 ffffffff 00'), 'amf3 count 268435455 must be at most 0, which the data has room for'],
    ['an externalizable object', hex('0a 07 05 4142'), 'amf3 class "AB" is externalizable, which cannot be read'],
    ['a string reference to nothing', hex('06 02'), 'amf3 string reference 1 must be below 0'],
    ['a traits reference to nothing', hex('0a 01'), 'amf3 traits reference 0 must be below 0'],
    ['an object reference to nothing', hex('0a 02'), 'amf reference 1 must be below 0'],
    ['an array that holds itself', hex('09 03 01 09 00'), 'amf reference 0 makes a cycle'],
    ['arrays 100,000 deep', Buffer.from('090301'.repeat(100_000), 'hex'), 'amf nesting exceeds the limit 64'],
    ['a million nulls', Buffer.alloc(1_000_000, 1), 'amf values 200001 exceed the limit 200000'],
  ];

  it.each(rows)('%s is refused', (_, bytes, message) => {
    const error = failureOf(() => decodeAmf3(bytes));
    expect(error.message).toBe(message);
    expect(error.code).toBe(2003);
  });

  it('a large string named many times is refused before it is worth gigabytes', () => {
    const large = Buffer.concat([hex('06 87ff7f'), Buffer.alloc(0xffff, 0x61)]);
    const error = failureOf(() => decodeAmf3(Buffer.concat([large, Buffer.from('0600'.repeat(100_000), 'hex')])));
    expect(error.message).toMatch(/^amf references expand to \d+ bytes, more than the limit 16777216$/);
  });

  it('a class with a large key used many times is refused before it is worth gigabytes', () => {
    const object = Buffer.concat([hex('0a 13 01 87ff7f'), Buffer.alloc(0xffff, 0x61), hex('01')]);
    const error = failureOf(() => decodeAmf3(Buffer.concat([object, Buffer.from('0a0101'.repeat(5000), 'hex')])));
    expect(error.message).toMatch(/^amf references expand to \d+ bytes, more than the limit 16777216$/);
  });
});

it('mutated AMF3 gives values or an SrsError', () => {
  const samples = [...table.map(([, bytes]) => hex(bytes)), Buffer.concat(table.map(([, bytes]) => hex(bytes)))];
  const result = fuzz({ samples, count: 200_000, timeBoxMs: 15_000, maxGrowthBytes: 16 * 1024 * 1024 }, (input) => {
    decodeAmf3(input);
  });
  expect(result.accepted).toBeGreaterThan(10_000);
  expect(result.refused).toBeGreaterThan(10_000);
}, 30_000);
