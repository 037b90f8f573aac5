/** Names of codecs as playlists and browsers want them (RFC 6381, and what each codec's binding adds). */
import type { AudioSpecificConfig } from '@srs/codec';

/** Audio object types that name what a decoder must do beyond the frames themselves (ISO/IEC 14496-3, table 1.17). */
const objectTypes = { sbr: 5, ps: 29 } as const;

/** `hvc1.1.6.L93.90` (ISO/IEC 14496-15, E.3): profile, compatibility flags in reverse, tier and level, constraint bytes. */
export function hevcCodecString(record: Buffer): string {
  const profileByte = record[1]!;
  const space = ['', 'A', 'B', 'C'][profileByte >>> 6]!;
  const compatibility = reverseBits(record.readUInt32BE(2)).toString(16).toUpperCase();
  const tier = (profileByte & 0x20) === 0 ? 'L' : 'H';
  let end = 12;
  while (end > 6 && record[end - 1] === 0) end -= 1;
  const constraints = [...record.subarray(6, end)].map((byte) => `.${byte.toString(16).toUpperCase()}`);
  return `hvc1.${space}${profileByte & 0x1f}.${compatibility}.${tier}${record[12]!}${constraints.join('')}`;
}

/** `av01.0.04M.08` (AV1 codec ISO media file format binding, 5): profile, level and tier, bit depth. */
export function av1CodecString(record: Buffer): string {
  const profile = record[1]! >>> 5;
  const level = record[1]! & 0x1f;
  const flags = record[2]!;
  const tier = (flags & 0x80) === 0 ? 'M' : 'H';
  const isHighDepth = (flags & 0x40) !== 0;
  const depth = isHighDepth ? ((flags & 0x20) === 0 ? 10 : 12) : 8;
  return `av01.${profile}.${twoDigits(level)}${tier}.${twoDigits(depth)}`;
}

/** `mp4a.40.2`; 5 and 29 where SBR and parametric stereo are signalled. */
export function aacCodecString(config: AudioSpecificConfig): string {
  if (config.hasPs) return `mp4a.40.${objectTypes.ps}`;
  return `mp4a.40.${config.hasSbr ? objectTypes.sbr : config.objectType}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

function reverseBits(value: number): number {
  let reversed = 0;
  for (let i = 0; i < 32; i++) reversed = reversed * 2 + ((value >>> i) & 1);
  return reversed;
}
