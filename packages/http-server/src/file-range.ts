/** The header `Range` (RFC 9110, section 14). */

/** Bytes from `first` to the one before `end`. */
export interface ByteRange {
  readonly first: number;
  readonly end: number;
}

const SINGLE_RANGE = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i;

/**
 * One range is understood. Who asks for several gets the whole: to put thousands of pieces together costs the server much and an
 * attacker nothing. What is malformed is ignored, as the standard has it.
 *
 * @returns undefined for the whole; `unsatisfiable` for what lies behind the end
 */
export function parseRange(header: string, sizeBytes: number): ByteRange | 'unsatisfiable' | undefined {
  const [, first, last] = SINGLE_RANGE.exec(header) ?? [];
  if (first === undefined || last === undefined) return undefined;
  if (first === '') return last === '' ? undefined : suffixRange(Number(last), sizeBytes);
  const range: ByteRange = { first: Number(first), end: last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes) };
  if (last !== '' && Number(last) < range.first) return undefined;
  return range.first >= sizeBytes ? 'unsatisfiable' : range;
}

/** The last bytes. */
function suffixRange(lengthBytes: number, sizeBytes: number): ByteRange | 'unsatisfiable' | undefined {
  if (lengthBytes === 0) return 'unsatisfiable';
  // Of an empty file these are all, but a range cannot say so.
  if (sizeBytes === 0) return undefined;
  return { first: Math.max(0, sizeBytes - lengthBytes), end: sizeBytes };
}
