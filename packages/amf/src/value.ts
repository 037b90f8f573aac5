/** The values that AMF carries, as this program holds them. */

/**
 * One AMF value. Numbers are doubles; a readonly array is a strict (dense) array; bytes are AMF3's ByteArray.
 * A `Date` is accepted for writing; readers give an `AmfDate`, which also keeps the time zone.
 */
export type AmfValue =
  | undefined
  | null
  | boolean
  | number
  | string
  | Date
  | AmfDate
  | AmfXml
  | AmfDictionary
  | Uint8Array
  | AmfObject
  | readonly AmfValue[];

/** What an `AmfObject` can be made of: a record, or pairs of key and value in order. */
export type AmfEntries = Readonly<Record<string, AmfValue>> | Iterable<readonly [string, AmfValue]>;

/** How an `AmfObject` is marked on the wire. */
export type AmfObjectKind = 'object' | 'ecma-array' | 'typed';

/** A point in time exactly as the wire has it: `Date` would lose fractions of a millisecond and the zone. */
export class AmfDate {
  /** Milliseconds since 1970, UTC. May be NaN when the peer sent that. */
  readonly timeMs: number;
  /** Offset from UTC in minutes. AMF0 2.13 reserves it (0) and tells readers to ignore it. */
  readonly timeZoneMinutes: number;

  constructor(timeMs: number, timeZoneMinutes = 0) {
    this.timeMs = timeMs;
    this.timeZoneMinutes = timeZoneMinutes;
  }

  toDate(): Date {
    return new Date(this.timeMs);
  }
}

/** The text of an XML document; it is carried, never parsed. */
export class AmfXml {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** AMF3's Dictionary: keys may be any value, in the order of the wire. AMF0 has no form for it. */
export class AmfDictionary {
  readonly entries: readonly (readonly [AmfValue, AmfValue])[];

  constructor(entries: Iterable<readonly [AmfValue, AmfValue]>) {
    this.entries = [...entries];
  }
}

/**
 * An object, an ECMA array (associative array) or an object with a class name: keys and values in the order in which they were
 * set. Keys are data: `__proto__` or `constructor` are keys like any other.
 */
export class AmfObject {
  readonly kind: AmfObjectKind;
  /** The class of a typed object, `''` for the other kinds. */
  readonly className: string;
  readonly #entries = new Map<string, AmfValue>();

  private constructor(kind: AmfObjectKind, className: string, entries: AmfEntries) {
    this.kind = kind;
    this.className = className;
    const pairs = Symbol.iterator in entries ? (entries as Iterable<readonly [string, AmfValue]>) : Object.entries(entries);
    for (const [key, value] of pairs) this.set(key, value);
  }

  static object(entries: AmfEntries = []): AmfObject {
    return new AmfObject('object', '', entries);
  }

  static ecmaArray(entries: AmfEntries = []): AmfObject {
    return new AmfObject('ecma-array', '', entries);
  }

  static typed(className: string, entries: AmfEntries = []): AmfObject {
    return new AmfObject('typed', className, entries);
  }

  get size(): number {
    return this.#entries.size;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  get(key: string): AmfValue {
    return this.#entries.get(key);
  }

  /** The value of `key` if it is a string. */
  getString(key: string): string | undefined {
    const value = this.#entries.get(key);
    return typeof value === 'string' ? value : undefined;
  }

  /** The value of `key` if it is a number. */
  getNumber(key: string): number | undefined {
    const value = this.#entries.get(key);
    return typeof value === 'number' ? value : undefined;
  }

  /** The value of `key` if it is a boolean. */
  getBoolean(key: string): boolean | undefined {
    const value = this.#entries.get(key);
    return typeof value === 'boolean' ? value : undefined;
  }

  /** The value of `key` if it is an object of any kind. */
  getObject(key: string): AmfObject | undefined {
    const value = this.#entries.get(key);
    return value instanceof AmfObject ? value : undefined;
  }

  /** Sets a property; one that exists already moves to the end, as in SRS (metadata is appended this way). */
  set(key: string, value: AmfValue): this {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return this;
  }

  /** @returns whether there was such a property */
  delete(key: string): boolean {
    return this.#entries.delete(key);
  }

  keys(): IterableIterator<string> {
    return this.#entries.keys();
  }

  entries(): IterableIterator<[string, AmfValue]> {
    return this.#entries.entries();
  }

  [Symbol.iterator](): IterableIterator<[string, AmfValue]> {
    return this.#entries.entries();
  }

  /** The same properties, in the same order, as another kind: metadata that arrives as ECMA array leaves as object. */
  as(kind: 'object' | 'ecma-array'): AmfObject {
    return new AmfObject(kind, '', this.#entries);
  }

  /** For logs, JSON and tests, see `amfToJson`. */
  toJSON(): unknown {
    return amfToJson(this);
  }
}

/** The deepest nesting that `amfToJson` follows; readers never give more. */
const MAX_JSON_DEPTH = 128;

/**
 * A plain value for `JSON.stringify`, logs and tests: objects without prototype, dates as ISO text (or null), bytes and
 * dictionaries as a short text. Properties that are undefined stay, with that value.
 */
export function amfToJson(value: AmfValue, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_JSON_DEPTH) return '...';
  if (value instanceof AmfObject) {
    const plain = Object.create(null) as Record<string, unknown>;
    for (const [key, entry] of value) plain[key] = amfToJson(entry, depth + 1);
    return plain;
  }
  if (value instanceof AmfXml) return value.text;
  if (value instanceof AmfDate) return value.toDate().toJSON();
  if (value instanceof Date) return value.toJSON();
  if (value instanceof Uint8Array) return `(${value.length} bytes)`;
  if (value instanceof AmfDictionary) return `(dictionary of ${value.entries.length})`;
  return value.map((entry) => amfToJson(entry, depth + 1));
}
