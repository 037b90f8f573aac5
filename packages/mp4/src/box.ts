/** Writes boxes of the ISO base media file format (ISO/IEC 14496-12, 4.2). */

const BOX_HEAD_BYTES = 8;
const TWO_TO_32 = 2 ** 32;

/** `size:32 | type:32 | parts` */
export function box(type: string, ...parts: readonly Uint8Array[]): Buffer {
  let size = BOX_HEAD_BYTES;
  for (const part of parts) size += part.length;
  const bytes = Buffer.allocUnsafe(size);
  writeBoxHead(bytes, 0, size, type);
  let offset = BOX_HEAD_BYTES;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** `size:32 | type:32 | version:8 | flags:24 | parts` */
export function fullBox(type: string, version: number, flags: number, ...parts: readonly Uint8Array[]): Buffer {
  return box(type, u32(version * 2 ** 24 + flags), ...parts);
}

/** @returns the offset behind the head */
export function writeBoxHead(target: Buffer, offset: number, size: number, type: string): number {
  target.writeUInt32BE(size, offset);
  target.write(type, offset + 4, 4, 'latin1');
  return offset + BOX_HEAD_BYTES;
}

export function u8(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values);
}

export function u16(...values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(values.length * 2);
  values.forEach((value, i) => {
    bytes.writeUInt16BE(value, i * 2);
  });
  return bytes;
}

export function u32(...values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(values.length * 4);
  values.forEach((value, i) => {
    bytes.writeUInt32BE(value, i * 4);
  });
  return bytes;
}

/** @param value a whole number below 2^53 */
export function u64(value: number): Buffer {
  return u32(Math.floor(value / TWO_TO_32), value % TWO_TO_32);
}

export function ascii(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

export function zeros(count: number): Buffer {
  return Buffer.alloc(count);
}
