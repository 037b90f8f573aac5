import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAddress, parseAddress } from './address.ts';
import { isInNetwork, isInNetworks, parseNetwork } from './network.ts';

describe('a network', () => {
  it.each([
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.1.2.3/8', '10.9.9.9', true],
    ['192.168.1.1', '192.168.1.1', true],
    ['192.168.1.1', '192.168.1.2', false],
    ['192.168.1.0/31', '192.168.1.1', true],
    ['192.168.1.0/31', '192.168.1.2', false],
    ['0.0.0.0/0', '255.255.255.255', true],
    ['0.0.0.0/0', '::1', false],
    ['::/0', '::1', true],
    ['::/0', '10.0.0.1', false],
    ['::/0', '::ffff:10.0.0.1', false],
    ['10.0.0.0/8', '::ffff:10.0.0.1', true],
    ['::ffff:10.0.0.0/104', '10.200.0.1', true],
    ['::ffff:10.0.0.0/104', '11.0.0.1', false],
    ['::ffff:10.0.0.1', '10.0.0.1', true],
    ['::ffff:0:0/96', '1.2.3.4', true],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['2001:db8::/33', '2001:db8:8000::', false],
    ['2001:db8::/127', '2001:db8::1', true],
    ['2001:db8::/127', '2001:db8::2', false],
    ['::1', '::1', true],
    ['::1', '0:0:0:0:0:0:0:1', true],
    ['128.0.0.0/1', '200.0.0.1', true],
    ['128.0.0.0/1', '100.0.0.1', false],
  ])('%s has %s: %s', (network, address, expected) => {
    expect(isInNetwork(parseAddress(address)!, parseNetwork(network)!)).toBe(expected);
  });

  it.each([
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0.0/8x',
    '/8',
    'all',
    'fe80::1%eth0/64',
    '',
  ])('%j is none', (text) => {
    expect(parseNetwork(text)).toBeUndefined();
  });

  it('has whoever shares its first bits, bit by bit', () => {
    const word = fc.integer({ min: 0, max: 0xffffffff });
    const pairs = fc.oneof(
      fc.tuple(fc.tuple(word), fc.tuple(word), fc.integer({ min: 0, max: 32 })),
      fc.tuple(fc.tuple(word, word, word, word), fc.tuple(word, word, word, word), fc.integer({ min: 0, max: 128 })),
    );
    const bitsOf = (words: readonly number[]) => words.map((value) => value.toString(2).padStart(32, '0')).join('');
    // Two random addresses seldom share more than a bit or two: the second one takes over a prefix of the first.
    const mixed = (from: readonly number[], to: readonly number[], shared: number) => {
      const text = bitsOf(from).slice(0, shared) + bitsOf(to).slice(shared);
      return from.map((_, index) => Number.parseInt(text.slice(index * 32, index * 32 + 32), 2));
    };
    fc.assert(
      fc.property(pairs, fc.integer({ min: 0, max: 128 }), ([first, second, bits], shared) => {
        const other = mixed(first, second, Math.min(shared, first.length * 32)) as unknown as typeof first;
        const network = parseNetwork(`${formatAddress(first)}/${bits}`);
        const expected = bitsOf(first).slice(0, bits) === bitsOf(other).slice(0, bits);
        expect(isInNetwork(other, network!)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('in a list: one that fits is enough, an address that cannot be read is in none', () => {
    const list = ['10.0.0.0/8', 'all', '::1'];
    expect(isInNetworks(parseAddress('::1'), list)).toBe(true);
    expect(isInNetworks(parseAddress('11.0.0.1'), list)).toBe(false);
    expect(isInNetworks(undefined, ['0.0.0.0/0'])).toBe(false);
  });
});
