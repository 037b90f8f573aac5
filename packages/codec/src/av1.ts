/** AV1 decoder configuration: the av1C record and the sequence header inside it. */
import { SrsError } from '@srs/kernel';
import { BitReader } from './bit-reader.ts';
import { checkedPictureSize, frameRateOf, type PictureSize, RecordCursor } from './parameter-sets.ts';

export interface Av1DecoderConfiguration {
  /** seq_profile, 0 for Main. */
  readonly profile: number;
  readonly profileName: string;
  /** seq_level_idx_0, 5 for level 3.1. */
  readonly level: number;
  readonly levelName: string;
  /** Pixels; 0 when the record holds no sequence header. */
  readonly width: number;
  readonly height: number;
  /** Pictures per second, if the sequence header tells. */
  readonly frameRate?: number;
}

const profileNames = ['Main', 'High', 'Professional'] as const;
const SEQUENCE_HEADER_OBU = 1;
const MAX_LEB128_BYTES = 8;

/**
 * Reads an AV1CodecConfigurationRecord (AV1 codec ISO media file format binding, 2.3.3).
 *
 * @param record what follows the FourCC of the video tag; not kept
 * @throws SrsError Av1Config for a truncated or impossible record
 */
export function parseAv1DecoderConfiguration(record: Buffer): Av1DecoderConfiguration {
  const cursor = new RecordCursor(record, 'Av1Config', 'av1 configuration');
  const version = cursor.u8('version');
  if (version !== 0x81) throw new SrsError('Av1Config', `av1 configuration marker and version ${version} must be 129`);
  const profileAndLevel = cursor.u8('profile');
  cursor.slice(2, 'depth and delay');
  const profile = profileAndLevel >>> 5;
  const level = profileAndLevel & 0x1f;
  const sequence = findSequenceHeader(cursor);
  return {
    profile,
    profileName: profileNames[profile] ?? `Other(${profile})`,
    level,
    levelName: `${2 + (level >>> 2)}.${level & 3}`,
    width: 0,
    height: 0,
    ...(sequence !== undefined && parseSequenceHeader(sequence)),
  };
}

/** The payload of the first sequence header among the record's OBUs (AV1 5.3.1). */
function findSequenceHeader(cursor: RecordCursor): Buffer | undefined {
  while (cursor.remaining > 0) {
    const header = cursor.u8('obu header');
    if ((header & 0x04) !== 0) cursor.u8('obu extension');
    const size = (header & 0x02) === 0 ? cursor.remaining : readLeb128(cursor);
    const payload = cursor.slice(size, 'obu');
    if (((header >>> 3) & 0x0f) === SEQUENCE_HEADER_OBU) return payload;
  }
  return undefined;
}

/** Little-endian groups of 7 bits (AV1 4.10.5). */
function readLeb128(cursor: RecordCursor): number {
  let value = 0;
  for (let i = 0; i < MAX_LEB128_BYTES; i++) {
    const byte = cursor.u8('obu size');
    value += (byte & 0x7f) * 2 ** (7 * i);
    if ((byte & 0x80) === 0) return value;
  }
  throw new SrsError('Av1Config', `av1 obu size must end within ${MAX_LEB128_BYTES} bytes`);
}

/** As far as the picture size (AV1 5.5.1). */
function parseSequenceHeader(payload: Buffer): PictureSize & { readonly frameRate?: number } {
  const bits = new BitReader(payload, 'Av1Config', 'av1 sequence header');
  bits.skip(3 + 1); // seq_profile, still_picture
  const isReduced = bits.flag();
  let frameRate: number | undefined;
  if (isReduced) bits.skip(5);
  else frameRate = readOperatingPoints(bits);
  const widthBits = bits.bits(4) + 1;
  const heightBits = bits.bits(4) + 1;
  const width = bits.bits(widthBits) + 1;
  const height = bits.bits(heightBits) + 1;
  return {
    ...checkedPictureSize(width, height, 'Av1Config', 'av1 sequence header'),
    ...(frameRate !== undefined && { frameRate }),
  };
}

function readOperatingPoints(bits: BitReader): number | undefined {
  let frameRate: number | undefined;
  let delayBits = 0;
  if (bits.flag()) {
    const unitsInTick = bits.bits(32);
    const timeScale = bits.bits(32);
    if (bits.flag()) frameRate = frameRateOf(timeScale, unitsInTick * (bits.ue() + 1));
    if (bits.flag()) {
      delayBits = bits.bits(5) + 1;
      bits.skip(32 + 5 + 5); // num_units_in_decoding_tick and two lengths
    }
  }
  const hasDisplayDelay = bits.flag();
  const points = bits.bits(5) + 1;
  for (let i = 0; i < points; i++) {
    bits.skip(12); // operating_point_idc
    if (bits.bits(5) > 7) bits.skip(1); // seq_level_idx, seq_tier
    if (delayBits > 0 && bits.flag()) bits.skip(delayBits * 2 + 1);
    if (hasDisplayDelay && bits.flag()) bits.skip(4);
  }
  return frameRate;
}
