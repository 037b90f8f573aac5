/** Reads AMF3 (Action Message Format, AMF 3, January 2013). */
import { SrsError } from '@srs/kernel';
import { amf3Markers } from './amf3-markers.ts';
import { ByteCursor } from './byte-cursor.ts';
import { AmfBudget, type AmfLimits, defaultAmfLimits, ReferenceTable } from './limits.ts';
import { AmfDate, AmfDictionary, AmfObject, type AmfValue, AmfXml } from './value.ts';

/** The shape of a class: its name and the keys whose values come without key. */
interface Traits {
  readonly className: string;
  readonly keys: readonly string[];
  readonly isDynamic: boolean;
  /** What naming the shape by reference saves on the wire. */
  readonly sizeBytes: number;
}

interface StringEntry {
  readonly text: string;
  readonly sizeBytes: number;
}

/**
 * Reads AMF3 values one after the other; they share one set of reference tables, as the values of one message do. What it
 * gives are copies.
 *
 * Vectors are read as arrays, an array with text keys as ECMA array (its dense part under `0`, `1`, ...), a ByteArray as bytes.
 * Externalizable objects are refused: only their class knows where they end. So is a reference to an enclosing value (a cycle).
 */
export class Amf3Reader {
  readonly #cursor: ByteCursor;
  readonly #budget: AmfBudget;
  readonly #references: ReferenceTable<AmfValue>;
  readonly #strings: StringEntry[] = [];
  readonly #traits: Traits[] = [];

  /** @param budget shared with the reader of the surrounding AMF0, if any */
  constructor(cursor: ByteCursor, budget: AmfBudget) {
    this.#cursor = cursor;
    this.#budget = budget;
    this.#references = new ReferenceTable(budget, 'Amf3Decode');
  }

  /** How many bytes have been read. */
  get offset(): number {
    return this.#cursor.offset;
  }

  get isAtEnd(): boolean {
    return this.#cursor.remaining === 0;
  }

  /** @throws SrsError Amf3Decode for truncated data, a cycle, an unknown marker, or more than the limits allow */
  readValue(): AmfValue {
    const cursor = this.#cursor;
    this.#budget.addValues(1, 'Amf3Decode');
    const startOffset = cursor.offset;
    const marker = cursor.u8('marker');
    switch (marker) {
      case amf3Markers.undefined:
        return undefined;
      case amf3Markers.null:
        return null;
      case amf3Markers.false:
        return false;
      case amf3Markers.true:
        return true;
      case amf3Markers.integer:
        // 29 bits with sign.
        return (this.#readU29() << 3) >> 3;
      case amf3Markers.double:
        return cursor.double('double');
      case amf3Markers.string:
        return this.#readString();
      case amf3Markers.xmlDocument:
      case amf3Markers.xml:
        return this.#readReferable(startOffset, (size) => new AmfXml(cursor.utf8(size, 'xml')));
      case amf3Markers.date:
        return this.#readReferable(startOffset, () => new AmfDate(cursor.double('date')));
      case amf3Markers.array:
        return this.#readReferable(startOffset, (count) => this.#readArray(count));
      case amf3Markers.object:
        return this.#readReferable(startOffset, (header) => this.#readObject(header));
      case amf3Markers.byteArray:
        return this.#readReferable(startOffset, (size) => {
          const offset = cursor.take(size, 'byte array');
          return Uint8Array.prototype.slice.call(cursor.bytes, offset, offset + size);
        });
      case amf3Markers.vectorInt:
        return this.#readReferable(startOffset, (count) => this.#readNumbers(count, 4, () => cursor.i32('vector')));
      case amf3Markers.vectorUint:
        return this.#readReferable(startOffset, (count) => this.#readNumbers(count, 4, () => cursor.u32('vector')));
      case amf3Markers.vectorDouble:
        return this.#readReferable(startOffset, (count) => this.#readNumbers(count, 8, () => cursor.double('vector')));
      case amf3Markers.vectorObject:
        return this.#readReferable(startOffset, (count) => {
          cursor.u8('vector fixed flag');
          this.#readString();
          return this.#readValues(count);
        });
      case amf3Markers.dictionary:
        return this.#readReferable(startOffset, (count) => this.#readDictionary(count));
      default:
        throw new SrsError('Amf3Decode', `amf3 marker ${marker} at ${startOffset} must be 0..17`);
    }
  }

  /** 1 to 4 bytes: 7 bits each while the top bit is set, 8 bits in the fourth (AMF3 1.3.1). */
  #readU29(): number {
    let value = 0;
    for (let i = 0; i < 3; i++) {
      const byte = this.#cursor.u8('integer');
      value = (value << 7) | (byte & 0x7f);
      if ((byte & 0x80) === 0) return value;
    }
    return (value << 8) | this.#cursor.u8('integer');
  }

  /** A value whose header's lowest bit tells whether it stands here (1) or was met before (0). */
  #readReferable(startOffset: number, read: (header: number) => AmfValue): AmfValue {
    const header = this.#readU29();
    if ((header & 1) === 0) return this.#references.resolve(header >>> 1);
    this.#budget.enter('Amf3Decode');
    const reference = this.#references.begin(startOffset);
    const value = read(header >>> 1);
    this.#budget.leave();
    return this.#references.complete(reference, value, this.#cursor.offset);
  }

  #readString(): string {
    const header = this.#readU29();
    if ((header & 1) === 0) {
      const entry = this.#strings[header >>> 1];
      if (entry === undefined) {
        throw new SrsError('Amf3Decode', `amf3 string reference ${header >>> 1} must be below ${this.#strings.length}`);
      }
      this.#budget.addExtraBytes(entry.sizeBytes, 'Amf3Decode');
      return entry.text;
    }
    const sizeBytes = header >>> 1;
    const text = this.#cursor.utf8(sizeBytes, 'string');
    // The empty string is never sent by reference (AMF3 1.3.2).
    if (sizeBytes > 0) this.#strings.push({ text, sizeBytes });
    return text;
  }

  #readValues(count: number): AmfValue[] {
    this.#checkCount(count, 1);
    const values: AmfValue[] = [];
    for (let i = 0; i < count; i++) values.push(this.readValue());
    return values;
  }

  #readNumbers(count: number, sizeBytes: number, read: () => number): number[] {
    this.#cursor.u8('vector fixed flag');
    this.#checkCount(count, sizeBytes);
    this.#budget.addValues(count, 'Amf3Decode');
    const numbers: number[] = [];
    for (let i = 0; i < count; i++) numbers.push(read());
    return numbers;
  }

  /** Nothing is read, and so nothing reserved, for elements that cannot be there. */
  #checkCount(count: number, leastBytes: number): void {
    const most = Math.floor(this.#cursor.remaining / leastBytes);
    if (count > most)
      throw new SrsError('Amf3Decode', `amf3 count ${count} must be at most ${most}, which the data has room for`);
  }

  #readArray(count: number): AmfValue {
    this.#checkCount(count, 1);
    const firstKey = this.#readString();
    if (firstKey === '') return this.#readValues(count);
    const array = AmfObject.ecmaArray();
    this.#readMembers(array, firstKey);
    for (let i = 0; i < count; i++) array.set(String(i), this.readValue());
    return array;
  }

  /** Keys and values until the empty key. */
  #readMembers(object: AmfObject, firstKey: string): void {
    for (let key = firstKey; key !== ''; key = this.#readString()) object.set(key, this.readValue());
  }

  #readObject(header: number): AmfObject {
    const traits = this.#readTraits(header);
    const object = traits.className === '' ? AmfObject.object() : AmfObject.typed(traits.className);
    for (const key of traits.keys) object.set(key, this.readValue());
    if (traits.isDynamic) this.#readMembers(object, this.#readString());
    return object;
  }

  /** The header without its lowest bit: inline (1) or reference (0), externalizable, dynamic, count of keys (AMF3 3.12). */
  #readTraits(header: number): Traits {
    if ((header & 1) === 0) {
      const traits = this.#traits[header >>> 1];
      if (traits === undefined) {
        throw new SrsError('Amf3Decode', `amf3 traits reference ${header >>> 1} must be below ${this.#traits.length}`);
      }
      this.#budget.addExtraBytes(traits.sizeBytes, 'Amf3Decode');
      return traits;
    }
    const className = this.#readString();
    if ((header & 2) !== 0) {
      throw new SrsError(
        'Amf3Decode',
        `amf3 class ${JSON.stringify(className.slice(0, 64))} is externalizable, which cannot be read`,
      );
    }
    const count = header >>> 3;
    this.#checkCount(count, 1);
    this.#budget.addValues(count, 'Amf3Decode');
    const keys: string[] = [];
    let sizeBytes = Buffer.byteLength(className);
    for (let i = 0; i < count; i++) {
      const key = this.#readString();
      keys.push(key);
      sizeBytes += Buffer.byteLength(key);
    }
    const traits: Traits = { className, keys, isDynamic: (header & 4) !== 0, sizeBytes };
    this.#traits.push(traits);
    return traits;
  }

  #readDictionary(count: number): AmfDictionary {
    this.#cursor.u8('dictionary weak flag');
    this.#checkCount(count, 2);
    const entries: (readonly [AmfValue, AmfValue])[] = [];
    for (let i = 0; i < count; i++) entries.push([this.readValue(), this.readValue()]);
    return new AmfDictionary(entries);
  }
}

/**
 * All values of an AMF3 message, with common reference tables.
 *
 * @param bytes AMF3 from the first marker to the last byte; not kept
 * @throws SrsError Amf3Decode, see `Amf3Reader.readValue`
 */
export function decodeAmf3(bytes: Buffer, limits: Partial<AmfLimits> = {}): AmfValue[] {
  const budget = new AmfBudget({ ...defaultAmfLimits, ...limits });
  const reader = new Amf3Reader(new ByteCursor(bytes, 0, 'Amf3Decode'), budget);
  const values: AmfValue[] = [];
  while (!reader.isAtEnd) values.push(reader.readValue());
  return values;
}
