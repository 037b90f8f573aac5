import { SrsError } from '@srs/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { amfShape, amfShapes } from '../../../test/support/amf-shape.ts';
import { failureOf } from '../../../test/support/failure.ts';
import { fuzz } from '../../../test/support/fuzz.ts';
import { Amf0Reader, AmfDate, AmfDictionary, AmfObject, type AmfValue, AmfXml, decodeAmf0, encodeAmf0 } from './index.ts';

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
}

/** Bytes and value, the same in both directions. */
const table: readonly (readonly [name: string, bytes: string, value: AmfValue])[] = [
  ['zero', '00 0000000000000000', 0],
  ['minus zero', '00 8000000000000000', -0],
  ['one', '00 3ff0000000000000', 1],
  ['infinity', '00 7ff0000000000000', Number.POSITIVE_INFINITY],
  ['not a number', '00 7ff8000000000000', Number.NaN],
  ['true', '01 01', true],
  ['false', '01 00', false],
  ['the empty string', '02 0000', ''],
  ['a string', '02 0004 6c697665', 'live'],
  ['a string of several bytes a character', '02 0009 e6b581 c3a9 f09f8e89', '流é🎉'],
  ['a string with NUL', '02 0003 610062', 'a\0b'],
  ['null', '05', null],
  ['undefined', '06', undefined],
  ['an empty object', '03 000009', AmfObject.object()],
  ['an object', '03 0001 61 00 3ff0000000000000 0001 62 02 0001 78 000009', AmfObject.object({ a: 1, b: 'x' })],
  ['an object with an empty key', '03 0000 05 000009', AmfObject.object([['', null]])],
  [
    'an object with keys that are traps',
    '03 0009 5f5f70726f746f5f5f 05 000b 636f6e7374727563746f72 05 000009',
    AmfObject.object([
      ['__proto__', null],
      ['constructor', null],
    ]),
  ],
  ['an ecma array', '08 00000001 0001 61 01 01 000009', AmfObject.ecmaArray({ a: true })],
  ['a typed object', '10 0001 54 0001 61 05 000009', AmfObject.typed('T', { a: null })],
  ['a strict array', '0a 00000003 00 3ff0000000000000 05 0a 00000000', [1, null, []]],
  ['a date', '0b 4276e3e1baee4000 0000', new AmfDate(1_573_000_031_972)],
  ['a date with fraction and zone', '0b 3fe0000000000000 ff88', new AmfDate(0.5, -120)],
  ['an xml document', '0f 00000004 3c612f3e', new AmfXml('<a/>')],
  ['bytes, as AMF3', '11 0c 07 010203', new Uint8Array([1, 2, 3])],
  [
    'objects inside each other',
    '03 0001 6f 08 00000001 0001 70 0a 00000001 03 000009 000009 000009',
    AmfObject.object({ o: AmfObject.ecmaArray({ p: [AmfObject.object()] }) }),
  ],
];

describe('AMF0', () => {
  it.each(table)('%s is read', (_, bytes, value) => {
    expect(amfShapes(decodeAmf0(hex(bytes)))).toEqual([amfShape(value)]);
  });

  it.each(table)('%s is written', (_, bytes, value) => {
    expect(encodeAmf0(value).toString('hex')).toBe(hex(bytes).toString('hex'));
  });

  it('values stand one behind the other', () => {
    const values = table.map(([, , value]) => value);
    expect(amfShapes(decodeAmf0(encodeAmf0(...values)))).toEqual(amfShapes(values));
    expect(decodeAmf0(Buffer.alloc(0))).toEqual([]);
    expect(encodeAmf0()).toHaveLength(0);
  });

  it('are read one by one', () => {
    const reader = new Amf0Reader(encodeAmf0('connect', 1));
    expect(reader.isAtEnd).toBe(false);
    expect(reader.readValue()).toBe('connect');
    expect(reader.offset).toBe(10);
    expect(reader.readValue()).toBe(1);
    expect(reader.isAtEnd).toBe(true);
    expect(failureOf(() => reader.readValue()).message).toBe('amf marker needs 1 bytes at 19, 0 are left');
  });

  it('reads any value but 0 as true', () => {
    expect(decodeAmf0(hex('01 02'))).toEqual([true]);
  });

  it('reads unsupported as undefined', () => {
    expect(decodeAmf0(hex('0d'))).toEqual([undefined]);
  });

  it('writes a Date with zone 0', () => {
    expect(encodeAmf0(new Date(1_573_000_031_972))).toEqual(encodeAmf0(new AmfDate(1_573_000_031_972)));
  });

  it('keeps a property that is set again at the end', () => {
    const [object] = decodeAmf0(hex('03 0001 61 05 0001 62 05 0001 61 06 000009'));
    expect(amfShape(object)).toEqual(
      amfShape(
        AmfObject.object([
          ['b', null],
          ['a', undefined],
        ] as const),
      ),
    );
  });

  it('ignores the count of an ecma array', () => {
    for (const count of ['00000000', 'ffffffff']) {
      expect(amfShapes(decodeAmf0(hex(`08 ${count} 0001 61 05 000009`)))).toEqual([amfShape(AmfObject.ecmaArray({ a: null }))]);
    }
  });

  it('reads and writes strings above 65535 bytes in the long form only', () => {
    const short = 'x'.repeat(65_535);
    const long = 'x'.repeat(65_536);
    expect(encodeAmf0(short).subarray(0, 3)).toEqual(hex('02 ffff'));
    expect(encodeAmf0(long).subarray(0, 5)).toEqual(hex('0c 00010000'));
    expect(decodeAmf0(encodeAmf0(short, long))).toEqual([short, long]);
    expect(decodeAmf0(hex('0c 00000001 61'))).toEqual(['a']);
  });

  it('replaces what is no UTF-8', () => {
    expect(decodeAmf0(hex('02 0003 61ff62'))).toEqual(['a\u{fffd}b']);
    expect(encodeAmf0('\ud800')).toEqual(hex('02 0003 efbfbd'));
  });

  it('accepts an object that ends with the data instead of an end marker', () => {
    const expected = amfShape(AmfObject.object({ a: null, o: AmfObject.ecmaArray({ b: true }) }));
    expect(amfShapes(decodeAmf0(hex('03 0001 61 05 0001 6f 08 00000000 0001 62 01 01')))).toEqual([expected]);
  });

  it('a reference gives the same object', () => {
    // {a: {b: 1}, c: reference 1}
    const [object] = decodeAmf0(hex('03 0001 61 03 0001 62 00 3ff0000000000000 000009 0001 63 07 0001 000009'));
    const outer = object as AmfObject;
    expect(outer.get('c')).toBe(outer.get('a'));
    expect(outer.getObject('c')?.getNumber('b')).toBe(1);
  });

  it('the AMF3 marker switches for one value', () => {
    expect(decodeAmf0(hex('11 06 0361 05 11 04 7f'))).toEqual(['a', null, 127]);
  });

  it('refuses what it cannot write', () => {
    expect(failureOf(() => encodeAmf0(AmfObject.object({ ['k'.repeat(65_536)]: 1 }))).message).toBe(
      'amf0 key of 65536 bytes must be at most 65535',
    );
    expect(failureOf(() => encodeAmf0(new AmfDictionary([]))).errorName).toBe('Amf0Encode');
    const cycle = AmfObject.object();
    cycle.set('self', cycle);
    expect(failureOf(() => encodeAmf0(cycle)).message).toBe('amf0 nesting exceeds the limit 128');
  });
});

describe('hostile AMF0', () => {
  const rows: readonly (readonly [name: string, bytes: Buffer, message: string])[] = [
    ['a string longer than the data', hex('02 0005 6161'), 'amf string needs 5 bytes at 3, 2 are left'],
    ['a long string of 4 GB', hex('0c ffffffff 61'), 'amf long string needs 4294967295 bytes at 5, 1 are left'],
    ['an xml document of 4 GB', hex('0f ffffffff'), 'amf xml needs 4294967295 bytes at 5, 0 are left'],
    ['an array of 2^32-1', hex('0a ffffffff 05'), 'amf0 array count 4294967295 must be at most the 1 bytes that follow'],
    ['a truncated number', hex('00 3ff0'), 'amf number needs 8 bytes at 1, 2 are left'],
    ['an object end outside an object', hex('09'), 'amf0 object end at 0 is outside an object'],
    ['a movie clip', hex('04'), 'amf0 marker 4 at 0 has no value'],
    ['a record set', hex('0e'), 'amf0 marker 14 at 0 has no value'],
    ['an unknown marker', hex('05 12'), 'amf0 marker 18 at 1 has no value'],
    ['a reference to nothing', hex('07 0000'), 'amf reference 0 must be below 0'],
    ['a reference to itself', hex('03 0001 61 07 0000 000009'), 'amf reference 0 makes a cycle'],
    ['an array that holds itself', hex('0a 00000001 07 0000'), 'amf reference 0 makes a cycle'],
    ['arrays 100,000 deep', Buffer.from('0a00000001'.repeat(100_000), 'hex'), 'amf nesting exceeds the limit 64'],
    ['objects 100,000 deep', Buffer.from('03000161'.repeat(100_000), 'hex'), 'amf nesting exceeds the limit 64'],
    ['a million nulls', Buffer.alloc(1_000_000, 5), 'amf values 200001 exceed the limit 200000'],
    [
      'a million objects',
      Buffer.from('03000009'.repeat(1_000_000), 'hex'),
      'amf objects and arrays 10001 exceed the limit 10000',
    ],
  ];

  it.each(rows)('%s is refused', (_, bytes, message) => {
    const error = failureOf(() => decodeAmf0(bytes));
    expect(error.message).toBe(message);
    expect(error.code).toBe(message.includes('marker') ? 2004 : 2003);
  });

  it('references that double at each level are refused before they are worth 2^40 values', () => {
    // Each array holds the one before twice; the references are 0, 1, 2, ... in the order of their beginning.
    const parts = [hex('0a 00000001 05')];
    for (let i = 0; i < 40; i++)
      parts.push(hex(`0a 00000002 07 ${i.toString(16).padStart(4, '0')} 07 ${i.toString(16).padStart(4, '0')}`));
    expect(failureOf(() => decodeAmf0(Buffer.concat(parts))).message).toMatch(/^amf values \d+ exceed the limit 200000$/);
  });

  it('references to a large object are refused before they are worth gigabytes', () => {
    const large = encodeAmf0([`${'x'.repeat(60_000)}`]);
    const references = Buffer.from('070000'.repeat(10_000), 'hex');
    const error = failureOf(() => decodeAmf0(Buffer.concat([large, references])));
    expect(error.message).toMatch(/^amf references expand to \d+ bytes, more than the limit 16777216$/);
  });

  it("the limits are the caller's", () => {
    const bytes = encodeAmf0([[1]], 2);
    expect(failureOf(() => decodeAmf0(bytes, { maxDepth: 1 })).message).toBe('amf nesting exceeds the limit 1');
    expect(failureOf(() => decodeAmf0(bytes, { maxValues: 3 })).message).toBe('amf values 4 exceed the limit 3');
    expect(failureOf(() => decodeAmf0(bytes, { maxContainers: 1 })).message).toBe('amf objects and arrays 2 exceed the limit 1');
    expect(decodeAmf0(bytes, { maxDepth: 2, maxValues: 4, maxContainers: 2 })).toEqual([[[1]], 2]);
  });

  it.each(table)('%s, cut anywhere, is read or refused, never more', (_, bytes) => {
    const whole = hex(bytes);
    for (let length = 0; length < whole.length; length++) {
      try {
        decodeAmf0(whole.subarray(0, length));
      } catch (error) {
        expect(error).toBeInstanceOf(SrsError);
      }
    }
  });
});

const key = fc.string({ unit: 'grapheme', maxLength: 12 });
const { value: arbitraryValue } = fc.letrec<{ value: AmfValue; object: AmfObject; array: AmfValue[] }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constantFrom<AmfValue>(undefined, null, true, false),
    fc.double(),
    fc.string({ unit: 'grapheme' }),
    fc.tuple(fc.double(), fc.integer({ min: -32_768, max: 32_767 })).map(([time, zone]) => new AmfDate(time, zone)),
    fc.string({ unit: 'grapheme' }).map((text) => new AmfXml(text)),
    fc.uint8Array({ maxLength: 300 }),
    tie('object'),
    tie('array'),
  ),
  object: fc
    .tuple(fc.constantFrom('object', 'ecma-array', 'typed'), key, fc.array(fc.tuple(key, tie('value')), { maxLength: 6 }))
    .map(([kind, className, entries]) => {
      if (kind === 'object') return AmfObject.object(entries);
      return kind === 'typed' ? AmfObject.typed(className, entries) : AmfObject.ecmaArray(entries);
    }),
  array: fc.array(tie('value'), { maxLength: 6 }),
}));

it('what is written is read as the same values, and written again as the same bytes', () => {
  fc.assert(
    fc.property(fc.array(arbitraryValue, { maxLength: 5 }), (values) => {
      const bytes = encodeAmf0(...values);
      const again = decodeAmf0(bytes);
      expect(amfShapes(again)).toEqual(amfShapes(values));
      expect(encodeAmf0(...again).equals(bytes)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

it('mutated AMF0 gives values or an SrsError, and what is read can be written', () => {
  const samples = [
    ...table.map(([, bytes]) => hex(bytes)),
    hex('03 0001 61 03 000009 0001 63 07 0001 000009'),
    hex('11 0a 23 03 41 03 61 03 62 06 02 04 01'),
    encodeAmf0(
      'onMetaData',
      AmfObject.ecmaArray({ width: 640, videocodecid: 7, keyframes: AmfObject.object({ times: [0, 1, 2] }) }),
    ),
    Buffer.concat(table.map(([, bytes]) => hex(bytes))),
  ];
  const result = fuzz({ samples, count: 200_000, timeBoxMs: 15_000, maxGrowthBytes: 16 * 1024 * 1024 }, (input) => {
    const values = decodeAmf0(input);
    if (values.length > 0) encodeAmf0(...values);
  });
  expect(result.accepted).toBeGreaterThan(10_000);
  expect(result.refused).toBeGreaterThan(10_000);
}, 30_000);
