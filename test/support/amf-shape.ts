/** AMF values as plain data, so that tests compare what is inside: `AmfObject` keeps its entries private. */
import { AmfDate, AmfDictionary, AmfObject, type AmfValue, AmfXml } from '@srs/amf';

export function amfShape(value: AmfValue): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof AmfObject) {
    return { kind: value.kind, className: value.className, entries: [...value].map(([key, entry]) => [key, amfShape(entry)]) };
  }
  if (value instanceof AmfDate) return { kind: 'date', timeMs: value.timeMs, timeZoneMinutes: value.timeZoneMinutes };
  if (value instanceof Date) return { kind: 'date', timeMs: value.getTime(), timeZoneMinutes: 0 };
  if (value instanceof AmfXml) return { kind: 'xml', text: value.text };
  if (value instanceof Uint8Array) return { kind: 'bytes', hex: Buffer.from(value).toString('hex') };
  if (value instanceof AmfDictionary) {
    return { kind: 'dictionary', entries: value.entries.map(([key, entry]) => [amfShape(key), amfShape(entry)]) };
  }
  return value.map(amfShape);
}

export function amfShapes(values: readonly AmfValue[]): unknown[] {
  return values.map(amfShape);
}
