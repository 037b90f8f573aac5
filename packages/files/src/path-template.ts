/** File names made of a template and of names that come from clients. */
import { createHash } from 'node:crypto';

/** What a template can name. A placeholder whose fact is not given stays as it is. */
export interface PathFacts {
  readonly vhost: string;
  /** May hold `/`, as `stream` may: each part becomes a directory. */
  readonly app: string;
  readonly stream: string;
  /** Milliseconds since 1970, for `[timestamp]` and the date. */
  readonly wallMs?: number;
  /** The date is UTC instead of local time. */
  readonly isUtc?: boolean;
  readonly seq?: number;
  readonly durationMs?: number;
}

/** A file name has at most 255 bytes; this leaves room for what writers append (`.tmp`, `-12`). */
const MAX_PART_BYTES = 235;
/** One part of a name that comes from a client; leaves room for what the template adds. */
const MAX_NAME_PART_BYTES = 200;
/** A path has at most 4096 bytes; names come in with 512 at most, so this bounds only what nobody could publish. */
const MAX_NAME_BYTES = 1024;
/** The end of a part that is too long stays, for it has the ending and the number. */
const KEPT_END_BYTES = 64;
const HASH_DIGITS = 12;

/**
 * Fills a template: `[vhost] [app] [stream] [seq] [duration]` (ms) `[timestamp]` (ms since 1970), and the date as Go writes it: `[2006] [01] [02]
 * [15] [04] [05] [999]`.
 *
 * Only the template itself can lead out of its directory: in names, `.` and `-` at the beginning of a part, control characters, backslashes and
 * percent signs that hide such things become `_`, and Unicode is brought to its composed form. A name that was changed or shortened
 * gets a hash of what it was, so that two names never become one. Signs that only look like a dot or slash are kept.
 */
export function expandPath(template: string, facts: PathFacts): string {
  const values = valuesOf(facts);
  const path = template.replaceAll(/\[(\w+)\]/g, (placeholder, word: string) => values.get(word)?.() ?? placeholder);
  return path.split('/').map(shortenPart).join('/');
}

function valuesOf({ vhost, app, stream, wallMs, isUtc = false, seq, durationMs }: PathFacts): Map<string, () => string> {
  const values = new Map<string, () => string>([
    // A vhost has no parts: whatever it holds becomes one name.
    ['vhost', () => safePart(vhost, '/')],
    ['app', () => safeName(app)],
    ['stream', () => safeName(stream)],
  ]);
  if (seq !== undefined) values.set('seq', () => String(seq));
  if (durationMs !== undefined) values.set('duration', () => String(Math.round(durationMs)));
  if (wallMs === undefined) return values;
  values.set('timestamp', () => String(Math.trunc(wallMs)));
  const date = new Date(wallMs);
  const set = (word: string, digits: number, utc: () => number, local: () => number) =>
    values.set(word, () => String(isUtc ? utc() : local()).padStart(digits, '0'));
  set(
    '2006',
    4,
    () => date.getUTCFullYear(),
    () => date.getFullYear(),
  );
  set(
    '01',
    2,
    () => date.getUTCMonth() + 1,
    () => date.getMonth() + 1,
  );
  set(
    '02',
    2,
    () => date.getUTCDate(),
    () => date.getDate(),
  );
  set(
    '15',
    2,
    () => date.getUTCHours(),
    () => date.getHours(),
  );
  set(
    '04',
    2,
    () => date.getUTCMinutes(),
    () => date.getMinutes(),
  );
  set(
    '05',
    2,
    () => date.getUTCSeconds(),
    () => date.getSeconds(),
  );
  set(
    '999',
    3,
    () => date.getUTCMilliseconds(),
    () => date.getMilliseconds(),
  );
  return values;
}

function safeName(name: string): string {
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return safePart(name, '/');
  const safe = name
    .split('/')
    .map((part) => safePart(part))
    .join('/');
  return Buffer.byteLength(safe) > MAX_NAME_BYTES ? safePart(name, '/') : safe;
}

// Control characters, line and paragraph separators, lone surrogates, backslash.
const unsafeCharacters = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\\]/gu;

/** @param alsoUnsafe characters that are no part of this name */
function safePart(part: string, alsoUnsafe = ''): string {
  const composed = part.normalize('NFC');
  let safe = composed.replace(unsafeCharacters, '_');
  for (const character of alsoUnsafe) safe = safe.replaceAll(character, '_');
  // Hidden files, `.` and `..`, and what a command line would take for an option.
  safe = safe.replace(/^(?:[.]+|-)/, (start) => '_'.repeat(start.length));
  if (hidesSomething(safe)) safe = safe.replaceAll('%', '_');
  if (safe === '') safe = '_';
  const isTooLong = Buffer.byteLength(safe) > MAX_NAME_PART_BYTES;
  if (safe === composed && !isTooLong && !looksHashed.test(safe)) return safe;
  return `${startOf(safe, MAX_NAME_PART_BYTES - 1 - HASH_DIGITS)}~${hashOf(part)}`;
}

/** A name that could pass for another one that was changed. */
const looksHashed = new RegExp(`~[0-9a-f]{${HASH_DIGITS}}$`);

/** Whether a program that decodes the name as part of a URL, once or more often, would find what is not allowed in it. */
function hidesSomething(part: string): boolean {
  const decoded = part.replace(/%(?:25)*([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return decoded !== part && (/^[.-]|[\\/]/.test(decoded) || decoded.search(unsafeCharacters) >= 0);
}

/** Bounds what a template has made of several names in one part. */
function shortenPart(part: string): string {
  const bytes = Buffer.byteLength(part);
  if (bytes <= MAX_PART_BYTES) return part;
  const end = endOf(part, KEPT_END_BYTES);
  const room = MAX_PART_BYTES - 1 - HASH_DIGITS - Buffer.byteLength(end);
  return `${startOf(part, room)}~${hashOf(part)}${end}`;
}

/** The longest start of whole characters that has at most `maxBytes` bytes. */
function startOf(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  let length = maxBytes;
  while (length > 0 && isInsideCharacter(bytes[length]!)) length--;
  return bytes.toString('utf8', 0, length);
}

/** As `startOf`, from the end. */
function endOf(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  let from = Math.max(0, bytes.length - maxBytes);
  while (from < bytes.length && isInsideCharacter(bytes[from]!)) from++;
  return bytes.toString('utf8', from);
}

/** UTF-8: 10xxxxxx continues a character. */
function isInsideCharacter(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text, 'utf16le').digest('hex').slice(0, HASH_DIGITS);
}
