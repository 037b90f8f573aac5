/** Networks in CIDR form, and whether an address is in one. */
import { type AddressWords, parseAddress } from './address.ts';

export interface Network {
  readonly words: AddressWords;
  /** Bits that an address must share with `words`. */
  readonly bits: number;
}

const IPV4_BITS = 32;
const IPV6_BITS = 128;
/** Bits of IPv6 in front of a mapped IPv4 address. */
const MAPPED_BITS = IPV6_BITS - IPV4_BITS;

/**
 * `10.0.0.0/8`, `2001:db8::/32`, or an address alone, which is a network of one. Bits behind the prefix do not count:
 * `10.1.2.3/8` is `10.0.0.0/8`.
 * @returns undefined when the text is no network
 */
export function parseNetwork(text: string): Network | undefined {
  const [addressText = '', bitsText, ...more] = text.split('/');
  const words = more.length > 0 || addressText.includes('%') ? undefined : parseAddress(addressText);
  if (words === undefined) return undefined;
  const isMappedText = words.length === 1 && addressText.includes(':');
  const ownBits = words.length === 4 || isMappedText ? IPV6_BITS : IPV4_BITS;
  if (bitsText !== undefined && !/^\d{1,3}$/.test(bitsText)) return undefined;
  const bits = bitsText === undefined ? ownBits : Number(bitsText);
  if (bits > ownBits) return undefined;
  if (!isMappedText) return { words, bits };
  // `::ffff:10.0.0.0/104` is 10.0.0.0/8; a shorter prefix is a network of IPv6, which no IPv4 address is in.
  if (bits >= MAPPED_BITS) return { words, bits: bits - MAPPED_BITS };
  return { words: [0, 0, 0xffff, words[0]], bits };
}

/** Addresses of the other family are never inside: `::/0` is all of IPv6 and nothing else. */
export function isInNetwork(address: AddressWords, network: Network): boolean {
  if (address.length !== network.words.length) return false;
  let bits = network.bits;
  for (const [index, word] of network.words.entries()) {
    if (bits <= 0) return true;
    const mask = bits >= 32 ? -1 : ~(2 ** (32 - bits) - 1);
    if (((address[index]! ^ word) & mask) !== 0) return false;
    bits -= 32;
  }
  return true;
}

/** Lists come from a frozen configuration and are asked about for every client: taken apart once. */
const known = new WeakMap<readonly string[], readonly Network[]>();

/** Whether the address is in one of the networks. @param texts a list that never changes; what is no network in it matches nobody */
export function isInNetworks(address: AddressWords | undefined, texts: readonly string[]): boolean {
  if (address === undefined || texts.length === 0) return false;
  let networks = known.get(texts);
  if (networks === undefined) {
    networks = texts.flatMap((text) => parseNetwork(text) ?? []);
    known.set(texts, networks);
  }
  return networks.some((network) => isInNetwork(address, network));
}
