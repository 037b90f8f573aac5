/** H.265 decoder configuration: the hvcC record and the sequence parameter set inside it. */
import { SrsError } from '@srs/kernel';
import { isAvcProfile } from './avc.ts';
import { BitReader, withoutEmulationPrevention } from './bit-reader.ts';
import { checkedPictureSize, frameRateOf, type PictureSize, RecordCursor } from './parameter-sets.ts';

export interface HevcDecoderConfiguration {
  /** general_profile_idc, 1 for Main. */
  readonly profile: number;
  readonly profileName: string;
  readonly isHighTier: boolean;
  /** general_level_idc, 93 for level 3.1. */
  readonly level: number;
  readonly levelName: string;
  /** Size of the length in front of each NAL unit: 1, 2 or 4. */
  readonly nalLengthBytes: number;
  /** Video, sequence and picture parameter sets, views of the record. */
  readonly vps: readonly Buffer[];
  readonly sps: readonly Buffer[];
  readonly pps: readonly Buffer[];
  /** Visible pixels; 0 without a sequence parameter set. */
  readonly width: number;
  readonly height: number;
  /** Pictures per second, if the record tells; most encoders leave it out. */
  readonly frameRate?: number;
}

const nalTypes = { vps: 32, sps: 33, pps: 34 } as const;
const RECORD_HEAD_BYTES = 23;
/** More than the 16 + 16 + 64 sets that the standard knows, and some SEI. */
const MAX_NAL_UNITS = 256;
const MAX_SUB_LAYERS_MINUS1 = 6;
const MAX_SPS_ID = 15;
const MAX_DEPTH_MINUS8 = 7;
const PROFILE_TIER_LEVEL_BYTES = 12;
/** Units of avgFrameRate: pictures per 256 seconds. */
const AVERAGE_RATE_SECONDS = 256;

const profileNames: ReadonlyMap<number, string> = new Map([
  [1, 'Main'],
  [2, 'Main10'],
  [3, 'MainStillPicture'],
  [4, 'Rext'],
  [5, 'HighThroughput'],
  [6, 'MultiviewMain'],
  [7, 'ScalableMain'],
  [8, '3dMain'],
  [9, 'SCC'],
  [10, 'ScalableRext'],
  [11, 'HighThroughputSCC'],
]);

/**
 * Whether a record that is labelled H.264 is really an hvcC: some encoders send H.265 as codec 7. The profile byte decides, as
 * no H.264 profile has one of H.265's numbers.
 */
export function looksLikeHevcConfiguration(record: Uint8Array): boolean {
  const profileByte = record[1];
  if (profileByte === undefined || record.length < RECORD_HEAD_BYTES) return false;
  return !isAvcProfile(profileByte) && profileNames.has(profileByte & 0x1f);
}

/**
 * Reads an HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, 8.3.3.1).
 *
 * @param record what follows the head of the video tag; not kept, but the sets that are returned are views of it
 * @throws SrsError HevcConfig for a truncated or impossible record
 */
export function parseHevcDecoderConfiguration(record: Buffer): HevcDecoderConfiguration {
  const cursor = new RecordCursor(record, 'HevcConfig', 'hevc configuration');
  cursor.u8('version');
  const profileByte = cursor.u8('profile');
  const profile = profileByte & 0x1f;
  cursor.slice(10, 'compatibility and constraint flags');
  const level = cursor.u8('level');
  cursor.slice(6, 'segmentation, parallelism, chroma and depth');
  const averageRate = cursor.u16('average frame rate');
  const nalLengthBytes = (cursor.u8('length size') & 0x03) + 1;
  if (nalLengthBytes === 3) throw new SrsError('HevcConfig', 'hevc configuration length size 3 must be 1, 2 or 4');
  const sets = readArrays(cursor);
  const size = sets.sps[0] === undefined ? { width: 0, height: 0 } : parseHevcPictureSize(sets.sps[0]);
  const frameRate = frameRateOf(averageRate, AVERAGE_RATE_SECONDS);
  return {
    profile,
    profileName: profileNames.get(profile) ?? `Other(${profile})`,
    isHighTier: (profileByte & 0x20) !== 0,
    level,
    // Thirty units are one level (H.265 A.4.1).
    levelName: String(Math.round(level / 3) / 10),
    nalLengthBytes,
    ...sets,
    ...size,
    ...(frameRate !== undefined && { frameRate }),
  };
}

function readArrays(cursor: RecordCursor): { vps: Buffer[]; sps: Buffer[]; pps: Buffer[] } {
  const sets: { vps: Buffer[]; sps: Buffer[]; pps: Buffer[] } = { vps: [], sps: [], pps: [] };
  let nalUnits = 0;
  for (let arrays = cursor.u8('array count'); arrays > 0; arrays--) {
    const nalType = cursor.u8('nal unit type') & 0x3f;
    const count = cursor.u16('nal unit count');
    nalUnits += count;
    if (nalUnits > MAX_NAL_UNITS) {
      throw new SrsError('HevcConfig', `hevc configuration nal units ${nalUnits} exceed the limit ${MAX_NAL_UNITS}`);
    }
    const units = cursor.parameterSets(count, 'nal unit');
    if (nalType === nalTypes.vps) sets.vps.push(...units);
    else if (nalType === nalTypes.sps) sets.sps.push(...units);
    else if (nalType === nalTypes.pps) sets.pps.push(...units);
  }
  return sets;
}

/** What a sequence parameter set says. */
export interface HevcSequenceParameterSet extends PictureSize {
  /** 12 bytes, as they stand in a decoder configuration: profile, flags, level. */
  readonly profileTierLevel: Buffer;
  /** 1..7. */
  readonly temporalLayers: number;
  readonly isTemporalIdNested: boolean;
  /** chroma_format_idc, 1 for 4:2:0. */
  readonly chromaFormat: number;
  /** Bits of a sample, 8..15. */
  readonly lumaDepth: number;
  readonly chromaDepth: number;
}

/**
 * The visible size in a sequence parameter set (H.265 7.3.2.2).
 *
 * @param nalUnit the NAL unit with its two header bytes, without start code or length
 * @throws SrsError HevcConfig when it is truncated before the picture size or beyond the standard's ranges
 */
export function parseHevcPictureSize(nalUnit: Uint8Array): PictureSize {
  return readSequenceParameterSet(nalUnit).size;
}

/**
 * What a decoder configuration has to say of a sequence parameter set (H.265 7.3.2.2).
 *
 * @param nalUnit the NAL unit with its two header bytes, without start code or length
 * @throws SrsError HevcConfig when it is truncated before the depth of the samples or beyond the standard's ranges
 */
export function parseHevcSequenceParameterSet(nalUnit: Uint8Array): HevcSequenceParameterSet {
  const { bits, size, ...facts } = readSequenceParameterSet(nalUnit);
  const lumaDepth = 8 + bits.ueUpTo(MAX_DEPTH_MINUS8, 'bit_depth_luma_minus8');
  const chromaDepth = 8 + bits.ueUpTo(MAX_DEPTH_MINUS8, 'bit_depth_chroma_minus8');
  return { ...facts, ...size, lumaDepth, chromaDepth };
}

/** As far as the picture size; `bits` stands behind that. */
function readSequenceParameterSet(nalUnit: Uint8Array) {
  const nalType = ((nalUnit[0] ?? 0) >>> 1) & 0x3f;
  if (nalType !== nalTypes.sps)
    throw new SrsError('HevcConfig', `hevc sps has nal unit type ${nalType}, must be ${nalTypes.sps}`);
  const plain = withoutEmulationPrevention(nalUnit.subarray(2));
  const bits = new BitReader(plain, 'HevcConfig', 'hevc sps');
  bits.skip(4); // sps_video_parameter_set_id
  const subLayersMinus1 = bits.bits(3);
  if (subLayersMinus1 > MAX_SUB_LAYERS_MINUS1) {
    throw new SrsError('HevcConfig', `hevc sps sub layers ${subLayersMinus1} must be 0..${MAX_SUB_LAYERS_MINUS1}`);
  }
  const isTemporalIdNested = bits.flag();
  // They begin at a byte.
  const profileTierLevel = Buffer.from(plain.subarray(1, 1 + PROFILE_TIER_LEVEL_BYTES));
  skipProfileTierLevel(bits, subLayersMinus1);
  bits.ueUpTo(MAX_SPS_ID, 'id');
  const chromaFormat = bits.ueUpTo(3, 'chroma_format_idc');
  const isSeparate = chromaFormat === 3 && bits.flag();
  const codedWidth = bits.ue();
  const codedHeight = bits.ue();
  let width = codedWidth;
  let height = codedHeight;
  if (bits.flag()) {
    // Units of the conformance window (H.265 table 6-1).
    const unitWidth = !isSeparate && (chromaFormat === 1 || chromaFormat === 2) ? 2 : 1;
    const unitHeight = !isSeparate && chromaFormat === 1 ? 2 : 1;
    width -= (bits.ue() + bits.ue()) * unitWidth;
    height -= (bits.ue() + bits.ue()) * unitHeight;
  }
  const size = checkedPictureSize(width, height, 'HevcConfig', 'hevc sps');
  return { bits, size, profileTierLevel, temporalLayers: subLayersMinus1 + 1, isTemporalIdNested, chromaFormat };
}

/** H.265 7.3.3: 88 bits of profile and 8 of level, then what is known of each sub-layer. */
function skipProfileTierLevel(bits: BitReader, subLayersMinus1: number): void {
  bits.skip(88 + 8);
  const hasProfile: boolean[] = [];
  const hasLevel: boolean[] = [];
  for (let i = 0; i < subLayersMinus1; i++) {
    hasProfile.push(bits.flag());
    hasLevel.push(bits.flag());
  }
  if (subLayersMinus1 > 0) bits.skip(2 * (8 - subLayersMinus1));
  for (let i = 0; i < subLayersMinus1; i++) {
    if (hasProfile[i]) bits.skip(88);
    if (hasLevel[i]) bits.skip(8);
  }
}
