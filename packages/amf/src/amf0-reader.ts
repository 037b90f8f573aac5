/** Reads AMF0 (Action Message Format, AMF 0, 2007), value by value. */
import { SrsError } from '@srs/kernel';
import { amf0Markers } from './amf0-markers.ts';
import { Amf3Reader } from './amf3-reader.ts';
import { ByteCursor } from './byte-cursor.ts';
import { AmfBudget, type AmfLimits, defaultAmfLimits, ReferenceTable } from './limits.ts';
import { AmfDate, AmfObject, type AmfValue, AmfXml } from './value.ts';

const OBJECT_END_BYTES = 3;

/**
 * Reads the values of one message one after the other. What it gives are copies: `bytes` may be reused afterwards.
 *
 * All markers are read, except those the specification reserves (MovieClip, RecordSet). `unsupported` reads as undefined. A
 * reference gives the same object again, if that is complete: a reference to an enclosing object (a cycle) is refused. The
 * AMF3 marker switches to AMF3 for that one value. An object without end marker is accepted when the data ends there.
 */
export class Amf0Reader {
  readonly #cursor: ByteCursor;
  readonly #budget: AmfBudget;
  readonly #references: ReferenceTable<AmfValue>;

  constructor(bytes: Buffer, limits: Partial<AmfLimits> = {}) {
    this.#cursor = new ByteCursor(bytes, 0, 'Amf0Decode');
    this.#budget = new AmfBudget({ ...defaultAmfLimits, ...limits });
    this.#references = new ReferenceTable(this.#budget, 'Amf0Decode');
  }

  /** How many bytes have been read. */
  get offset(): number {
    return this.#cursor.offset;
  }

  get isAtEnd(): boolean {
    return this.#cursor.remaining === 0;
  }

  /**
   * The next value.
   * @throws SrsError Amf0Decode for truncated data, a cycle, or more than the limits allow; Amf0Type for a marker that has no
   * value; Amf3Decode inside an AMF3 value
   */
  readValue(): AmfValue {
    const cursor = this.#cursor;
    this.#budget.addValues(1, 'Amf0Decode');
    const startOffset = cursor.offset;
    const marker = cursor.u8('marker');
    switch (marker) {
      case amf0Markers.number:
        return cursor.double('number');
      case amf0Markers.boolean:
        return cursor.u8('boolean') !== 0;
      case amf0Markers.string:
        return cursor.utf8(cursor.u16('string length'), 'string');
      case amf0Markers.longString:
        return cursor.utf8(cursor.u32('long string length'), 'long string');
      case amf0Markers.null:
        return null;
      case amf0Markers.undefined:
      case amf0Markers.unsupported:
        return undefined;
      case amf0Markers.object:
        return this.#readObject(AmfObject.object(), startOffset);
      case amf0Markers.ecmaArray:
        // The count is only a hint, SRS writes 0 whatever follows: the end marker decides.
        cursor.u32('array count');
        return this.#readObject(AmfObject.ecmaArray(), startOffset);
      case amf0Markers.typedObject:
        return this.#readObject(AmfObject.typed(cursor.utf8(cursor.u16('class name length'), 'class name')), startOffset);
      case amf0Markers.strictArray:
        return this.#readStrictArray(startOffset);
      case amf0Markers.reference:
        return this.#references.resolve(cursor.u16('reference'));
      case amf0Markers.date:
        this.#budget.addContainers(1, 'Amf0Decode');
        return new AmfDate(cursor.double('date'), cursor.i16('time zone'));
      case amf0Markers.xmlDocument:
        this.#budget.addContainers(1, 'Amf0Decode');
        return new AmfXml(cursor.utf8(cursor.u32('xml length'), 'xml'));
      case amf0Markers.amf3:
        return this.#readAmf3();
      case amf0Markers.objectEnd:
        throw new SrsError('Amf0Decode', `amf0 object end at ${startOffset} is outside an object`);
      default:
        throw new SrsError('Amf0Type', `amf0 marker ${marker} at ${startOffset} has no value`);
    }
  }

  #readObject(object: AmfObject, startOffset: number): AmfObject {
    this.#budget.enter('Amf0Decode');
    const reference = this.#references.begin(startOffset);
    const cursor = this.#cursor;
    while (cursor.remaining > 0 && !this.#skipObjectEnd()) {
      const key = cursor.utf8(cursor.u16('key length'), 'key');
      object.set(key, this.readValue());
    }
    this.#budget.leave();
    return this.#references.complete(reference, object, cursor.offset);
  }

  /** An empty key and the end marker: 00 00 09. */
  #skipObjectEnd(): boolean {
    const { bytes, offset, remaining } = this.#cursor;
    if (remaining < OBJECT_END_BYTES || bytes[offset + 2] !== amf0Markers.objectEnd) return false;
    if (bytes[offset] !== 0 || bytes[offset + 1] !== 0) return false;
    this.#cursor.skipTo(offset + OBJECT_END_BYTES);
    return true;
  }

  #readStrictArray(startOffset: number): AmfValue[] {
    this.#budget.enter('Amf0Decode');
    const reference = this.#references.begin(startOffset);
    const cursor = this.#cursor;
    const count = cursor.u32('array count');
    if (count > cursor.remaining) {
      throw new SrsError('Amf0Decode', `amf0 array count ${count} must be at most the ${cursor.remaining} bytes that follow`);
    }
    const values: AmfValue[] = [];
    for (let i = 0; i < count; i++) values.push(this.readValue());
    this.#budget.leave();
    return this.#references.complete(reference, values, cursor.offset);
  }

  #readAmf3(): AmfValue {
    const amf3 = new Amf3Reader(new ByteCursor(this.#cursor.bytes, this.#cursor.offset, 'Amf3Decode'), this.#budget);
    const value = amf3.readValue();
    this.#cursor.skipTo(amf3.offset);
    return value;
  }
}

/**
 * All values of a message.
 *
 * @param bytes AMF0 from the first byte to the last; not kept
 * @throws SrsError as `Amf0Reader.readValue`
 */
export function decodeAmf0(bytes: Buffer, limits: Partial<AmfLimits> = {}): AmfValue[] {
  const reader = new Amf0Reader(bytes, limits);
  const values: AmfValue[] = [];
  while (!reader.isAtEnd) values.push(reader.readValue());
  return values;
}
