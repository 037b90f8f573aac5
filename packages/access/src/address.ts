/** IP addresses as numbers, so that they can be compared, and back. */

/** An IPv4 address, also where it came mapped into IPv6 (`::ffff:10.0.0.1`), has one word, an IPv6 address four. */
export type AddressWords = readonly [number] | readonly [number, number, number, number];

const MAX_TEXT_LENGTH = 64;
const IPV6_GROUPS = 8;
const MAPPED_PREFIX = 0xffff;

/** @returns undefined when the text is no address. A zone (`fe80::1%eth0`) is left out: it says where, not who. */
export function parseAddress(text: string): AddressWords | undefined {
  if (text.length > MAX_TEXT_LENGTH) return undefined;
  const bare = text.split('%', 1)[0] ?? '';
  if (!bare.includes(':')) {
    const word = parseIpv4(bare);
    return word === undefined ? undefined : [word];
  }
  const groups = parseGroups(bare);
  if (groups === undefined) return undefined;
  const word = (index: number): number => ((groups[2 * index]! << 16) | groups[2 * index + 1]!) >>> 0;
  const words = [word(0), word(1), word(2), word(3)] as const;
  return isMapped(words) ? [words[3]] : words;
}

/** As systems write it: four numbers with dots, or groups in lower case with the longest run of zeros as `::` (RFC 5952). */
export function formatAddress(words: AddressWords): string {
  if (words.length === 1) return [24, 16, 8, 0].map((shift) => (words[0] >>> shift) & 0xff).join('.');
  const groups = words.flatMap((word) => [word >>> 16, word & 0xffff]);
  const { start, length } = longestZeros(groups);
  const text = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':');
  return length < 2 ? text(0, IPV6_GROUPS) : `${text(0, start)}::${text(start + length, IPV6_GROUPS)}`;
}

/** Whether four words are an IPv4 address in the clothes of IPv6. */
function isMapped(words: readonly [number, number, number, number]): boolean {
  return words[0] === 0 && words[1] === 0 && words[2] === MAPPED_PREFIX;
}

function parseIpv4(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let word = 0;
  for (const part of parts) {
    // A leading zero means octal to some programs and nothing to others.
    if (!/^(?:0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    word = word * 256 + Number(part);
  }
  return word;
}

function parseGroups(text: string): readonly number[] | undefined {
  const [head = '', tail, ...more] = text.split('::');
  if (more.length > 0) return undefined;
  const isShort = tail !== undefined;
  const first = parseRun(head, !isShort);
  const last = parseRun(tail ?? '', true);
  if (first === undefined || last === undefined) return undefined;
  const missing = IPV6_GROUPS - first.length - last.length;
  if (isShort ? missing < 1 : missing !== 0) return undefined;
  return [...first, ...Array.from({ length: missing }, () => 0), ...last];
}

/** Groups between colons. @param isEnd the last of them may be an IPv4 address, which counts as two */
function parseRun(text: string, isEnd: boolean): readonly number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (isEnd && index === parts.length - 1 && part.includes('.')) {
      const word = parseIpv4(part);
      if (word === undefined) return undefined;
      groups.push(word >>> 16, word & 0xffff);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

function longestZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let longest = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start += 1) {
    let end = start;
    while (end < groups.length && groups[end] === 0) end += 1;
    if (end - start > longest.length) longest = { start, length: end - start };
  }
  return longest;
}
