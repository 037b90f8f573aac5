/** The CRC-32 at the end of each table section (ISO/IEC 13818-1, annex A): not reflected, not inverted. */

const POLYNOMIAL = 0x04c11db7;

const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit++) value = value < 0 ? (value << 1) ^ POLYNOMIAL : value << 1;
  return value;
});

/**
 * The CRC of `bytes[start..end)`, unsigned. Over a section with its own CRC it is 0.
 */
export function crc32Mpeg(bytes: Uint8Array, start: number, end: number): number {
  let crc = -1;
  for (let at = start; at < end; at++) crc = (crc << 8) ^ table[((crc >>> 24) ^ bytes[at]!) & 0xff]!;
  return crc >>> 0;
}
