/** Writes AMF0 into one buffer of the exact size: a pass that measures, a pass that writes. */
import { SrsError } from '@srs/kernel';
import { amf0Markers, MAX_SHORT_STRING_BYTES } from './amf0-markers.ts';
import { amf3Markers, MAX_U29 } from './amf3-markers.ts';
import { AmfDate, AmfDictionary, AmfObject, type AmfValue, AmfXml } from './value.ts';

/** Far above what readers give; a deeper value is a cycle. */
const MAX_WRITE_DEPTH = 128;

/** Minutes that the signed 16 bits of a date's zone can hold. */
const MAX_ZONE_MINUTES = 0x7fff;

/**
 * The values in AMF0, one behind the other.
 *
 * An ECMA array is written with its true count of entries (SRS writes the count it once read, 0 for its own arrays; readers
 * ignore it). Strings above 65535 bytes take the long form. Lone surrogates become U+FFFD. Bytes, which AMF0 lacks, are
 * written as an AMF3 ByteArray behind the marker that switches to AMF3.
 *
 * @returns a new buffer of exactly the size, owned by the caller
 * @throws SrsError Amf0Encode for a key above 65535 bytes, a dictionary, or a value nested deeper than 128 (a cycle)
 */
export function encodeAmf0(...values: readonly AmfValue[]): Buffer {
  let sizeBytes = 0;
  for (const value of values) sizeBytes += measureValue(value, 0);
  const target = Buffer.allocUnsafe(sizeBytes);
  let offset = 0;
  for (const value of values) offset = writeValue(target, offset, value);
  return target;
}

function measureValue(value: AmfValue, depth: number): number {
  if (depth > MAX_WRITE_DEPTH) throw new SrsError('Amf0Encode', `amf0 nesting exceeds the limit ${MAX_WRITE_DEPTH}`);
  switch (typeof value) {
    case 'number':
      return 9;
    case 'boolean':
      return 2;
    case 'string': {
      const sizeBytes = Buffer.byteLength(value);
      return sizeBytes <= MAX_SHORT_STRING_BYTES ? 3 + sizeBytes : 5 + sizeBytes;
    }
    case 'undefined':
      return 1;
    default:
      return value === null ? 1 : measureObject(value, depth);
  }
}

function measureObject(value: NonNullable<AmfValue> & object, depth: number): number {
  if (value instanceof AmfObject) {
    let sizeBytes = 1 + 3;
    if (value.kind === 'ecma-array') sizeBytes += 4;
    if (value.kind === 'typed') sizeBytes += measureKey(value.className, 'class name');
    for (const [key, entry] of value) sizeBytes += measureKey(key, 'key') + measureValue(entry, depth + 1);
    return sizeBytes;
  }
  if (value instanceof AmfDate || value instanceof Date) return 11;
  if (value instanceof AmfXml) return 5 + Buffer.byteLength(value.text);
  if (value instanceof Uint8Array) return 2 + u29Bytes(byteArrayHeader(value)) + value.length;
  if (value instanceof AmfDictionary) throw new SrsError('Amf0Encode', 'amf0 has no form for a dictionary');
  let sizeBytes = 5;
  for (const entry of value) sizeBytes += measureValue(entry, depth + 1);
  return sizeBytes;
}

function measureKey(key: string, what: string): number {
  const sizeBytes = Buffer.byteLength(key);
  if (sizeBytes > MAX_SHORT_STRING_BYTES) {
    throw new SrsError('Amf0Encode', `amf0 ${what} of ${sizeBytes} bytes must be at most ${MAX_SHORT_STRING_BYTES}`);
  }
  return 2 + sizeBytes;
}

function writeValue(target: Buffer, offset: number, value: AmfValue): number {
  switch (typeof value) {
    case 'number':
      return target.writeDoubleBE(value, target.writeUInt8(amf0Markers.number, offset));
    case 'boolean':
      return target.writeUInt8(value ? 1 : 0, target.writeUInt8(amf0Markers.boolean, offset));
    case 'string':
      return writeString(target, offset, value);
    case 'undefined':
      return target.writeUInt8(amf0Markers.undefined, offset);
    default:
      return value === null ? target.writeUInt8(amf0Markers.null, offset) : writeObject(target, offset, value);
  }
}

function writeString(target: Buffer, offset: number, text: string): number {
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes > MAX_SHORT_STRING_BYTES) return writeLongText(target, offset, amf0Markers.longString, text);
  return writeKey(target, target.writeUInt8(amf0Markers.string, offset), text);
}

function writeLongText(target: Buffer, offset: number, marker: number, text: string): number {
  const textOffset = offset + 5;
  const sizeBytes = target.write(text, textOffset, 'utf8');
  target[offset] = marker;
  target.writeUInt32BE(sizeBytes, offset + 1);
  return textOffset + sizeBytes;
}

function writeKey(target: Buffer, offset: number, key: string): number {
  const sizeBytes = target.write(key, offset + 2, 'utf8');
  target.writeUInt16BE(sizeBytes, offset);
  return offset + 2 + sizeBytes;
}

function writeObject(target: Buffer, offset: number, value: NonNullable<AmfValue> & object): number {
  if (value instanceof AmfObject) return writeProperties(target, offset, value);
  if (value instanceof AmfDate) return writeDate(target, offset, value.timeMs, value.timeZoneMinutes);
  if (value instanceof Date) return writeDate(target, offset, value.getTime(), 0);
  if (value instanceof AmfXml) return writeLongText(target, offset, amf0Markers.xmlDocument, value.text);
  if (value instanceof Uint8Array) return writeByteArray(target, offset, value);
  if (value instanceof AmfDictionary) throw new SrsError('Amf0Encode', 'amf0 has no form for a dictionary');
  let next = target.writeUInt32BE(value.length, target.writeUInt8(amf0Markers.strictArray, offset));
  for (const entry of value) next = writeValue(target, next, entry);
  return next;
}

function writeProperties(target: Buffer, offset: number, object: AmfObject): number {
  let next: number;
  switch (object.kind) {
    case 'object':
      next = target.writeUInt8(amf0Markers.object, offset);
      break;
    case 'ecma-array':
      next = target.writeUInt32BE(object.size, target.writeUInt8(amf0Markers.ecmaArray, offset));
      break;
    case 'typed':
      next = writeKey(target, target.writeUInt8(amf0Markers.typedObject, offset), object.className);
      break;
  }
  for (const [key, entry] of object) next = writeValue(target, writeKey(target, next, key), entry);
  return target.writeUInt8(amf0Markers.objectEnd, target.writeUInt16BE(0, next));
}

function writeDate(target: Buffer, offset: number, timeMs: number, timeZoneMinutes: number): number {
  const next = target.writeDoubleBE(timeMs, target.writeUInt8(amf0Markers.date, offset));
  const zone = Math.max(-MAX_ZONE_MINUTES - 1, Math.min(MAX_ZONE_MINUTES, Math.trunc(timeZoneMinutes)));
  return target.writeInt16BE(zone, next);
}

function byteArrayHeader(bytes: Uint8Array): number {
  const header = bytes.length * 2 + 1;
  if (header > MAX_U29)
    throw new SrsError('Amf0Encode', `amf3 byte array of ${bytes.length} bytes must be at most ${MAX_U29 >>> 1}`);
  return header;
}

function writeByteArray(target: Buffer, offset: number, bytes: Uint8Array): number {
  const next = target.writeUInt8(amf3Markers.byteArray, target.writeUInt8(amf0Markers.amf3, offset));
  const bytesOffset = writeU29(target, next, byteArrayHeader(bytes));
  target.set(bytes, bytesOffset);
  return bytesOffset + bytes.length;
}

function u29Bytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  return value < 0x200000 ? 3 : 4;
}

/** 7 bits a byte with the top bit set on all but the last; the fourth byte carries 8 (AMF3 1.3.1). */
function writeU29(target: Buffer, offset: number, value: number): number {
  const count = u29Bytes(value);
  let shift = count === 4 ? 22 : 7 * (count - 1);
  let next = offset;
  for (; next < offset + count - 1; next++) {
    target[next] = 0x80 | ((value >>> shift) & 0x7f);
    shift -= 7;
  }
  target[next] = count === 4 ? value & 0xff : value & 0x7f;
  return next + 1;
}
