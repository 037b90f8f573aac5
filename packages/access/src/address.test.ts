import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AddressWords, formatAddress, parseAddress } from './address.ts';

const same: readonly (readonly [text: string, words: AddressWords])[] = [
  ['0.0.0.0', [0]],
  ['127.0.0.1', [0x7f000001]],
  ['255.255.255.255', [0xffffffff]],
  ['::', [0, 0, 0, 0]],
  ['::1', [0, 0, 0, 1]],
  ['2001:db8::1', [0x20010db8, 0, 0, 1]],
  ['2001:db8:0:1::', [0x20010db8, 1, 0, 0]],
  ['1:2:3:4:5:6:7:8', [0x00010002, 0x00030004, 0x00050006, 0x00070008]],
  ['1:0:3:4:5:6:7:8', [0x00010000, 0x00030004, 0x00050006, 0x00070008]],
  ['1:0:0:4::8', [0x00010000, 0x00000004, 0, 8]],
  ['fe80::ffff:ffff:ffff:ffff', [0xfe800000, 0, 0xffffffff, 0xffffffff]],
];

describe('an address', () => {
  it.each(same)('%s is read, and written the same', (text, words) => {
    expect(parseAddress(text)).toEqual(words);
    expect(formatAddress(words)).toBe(text);
  });

  it.each([
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::FFFF:0a00:0001', '10.0.0.1'],
    ['64:ff9b::10.0.0.1', '64:ff9b::a00:1'],
    ['FE80::1%eth0', 'fe80::1'],
    ['2001:0DB8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ])('%s is %s', (text, plain) => {
    expect(formatAddress(parseAddress(text)!)).toBe(plain);
  });

  it.each([
    '',
    'unknown',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.-4',
    ' 1.2.3.4',
    '0x7f.1.1.1',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::12345',
    '::g',
    '1.2.3.4::',
    '::1.2.3.4:1',
    '[::1]',
    '::'.padEnd(100, '1'),
  ])('%j is none', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  it('is the same after writing and reading, whatever it is', () => {
    const word = fc.integer({ min: 0, max: 0xffffffff });
    const sparse = fc.oneof(fc.constant(0), word);
    fc.assert(
      fc.property(fc.oneof(fc.tuple(word), fc.tuple(sparse, sparse, sparse, sparse)), (words) => {
        const [, , third, fourth] = words;
        const isMapped = words.length === 4 && words[0] === 0 && words[1] === 0 && third === 0xffff;
        expect(parseAddress(formatAddress(words))).toEqual(isMapped ? [fourth] : words);
      }),
    );
  });

  it('is read as the URL parser of the platform reads it', () => {
    const group = fc.oneof(
      fc.constant('0'),
      fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16)),
    );
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        const text = groups.join(':');
        const words = parseAddress(text);
        if (words?.length !== 4) return;
        expect(`[${formatAddress(words)}]`).toBe(new URL(`http://[${text}]/`).hostname);
      }),
    );
  });
});
