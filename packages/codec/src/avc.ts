/** H.264 decoder configuration: the avcC record and the sequence parameter set inside it. */
import { SrsError } from '@srs/kernel';
import { BitReader, readHint, withoutEmulationPrevention } from './bit-reader.ts';
import { checkedPictureSize, frameRateOf, RecordCursor } from './parameter-sets.ts';

export interface AvcDecoderConfiguration {
  /** profile_idc, 100 for High. */
  readonly profile: number;
  /** As SRS prints it: `High`, `Baseline(Constrained)`. */
  readonly profileName: string;
  /** level_idc, 31 for level 3.1. */
  readonly level: number;
  /** `3.1`, `4`, `1b`. */
  readonly levelName: string;
  /** profile_idc, constraint flags and level_idc in hexadecimal, as in `avc1.64001f`. */
  readonly codecString: string;
  /** Size of the length in front of each NAL unit: 1, 2 or 4. */
  readonly nalLengthBytes: number;
  /** Sequence parameter sets, views of the record. May be empty when they are sent with the pictures. */
  readonly sps: readonly Buffer[];
  /** Picture parameter sets, views of the record. */
  readonly pps: readonly Buffer[];
  /** Visible pixels; 0 without a sequence parameter set. */
  readonly width: number;
  readonly height: number;
  /** Pictures per second, if the sequence parameter set tells. */
  readonly frameRate?: number;
}

export interface AvcSequenceParameterSet {
  readonly profile: number;
  readonly constraints: number;
  readonly level: number;
  readonly width: number;
  readonly height: number;
  readonly frameRate?: number;
}

const SPS_NAL_TYPE = 7;
const EXTENDED_SAR = 255;
const MAX_SPS_ID = 31;
const MAX_POC_CYCLE = 255;
/** Macroblocks of 16 pixels a side, far enough above the limit that the check of the size gives the message. */
const MAX_MACROBLOCKS = 0xffff;

/** Profiles whose sequence parameter sets carry chroma format and scaling lists (H.264 7.3.2.1.1). */
const profilesWithChroma = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);

const profileNames: ReadonlyMap<number, string> = new Map([
  [44, 'CAVLC444'],
  [66, 'Baseline'],
  [77, 'Main'],
  [83, 'Scalable Baseline'],
  [86, 'Scalable High'],
  [88, 'Extended'],
  [100, 'High'],
  [110, 'High(10)'],
  [118, 'Multiview High'],
  [122, 'High(422)'],
  [128, 'Stereo High'],
  [134, 'MFC High'],
  [135, 'MFC Depth High'],
  [138, 'Multiview Depth High'],
  [139, 'Enhanced Multiview Depth High'],
  [144, 'High(444)'],
  [244, 'High(444+Predictive)'],
]);

const CONSTRAINT_SET1 = 0x40;
const CONSTRAINT_SET3 = 0x10;

export function isAvcProfile(profile: number): boolean {
  return profileNames.has(profile);
}

function avcProfileName(profile: number, constraints: number): string {
  const name = profileNames.get(profile) ?? `Other(${profile})`;
  if (profile === 66 && (constraints & CONSTRAINT_SET1) !== 0) return 'Baseline(Constrained)';
  if ((profile === 110 || profile === 122) && (constraints & CONSTRAINT_SET3) !== 0) return name.replace(')', '+Intra)');
  return name;
}

function avcLevelName(level: number, profile: number, constraints: number): string {
  const isLowProfile = profile === 66 || profile === 77 || profile === 88;
  if (level === 9 || (level === 11 && isLowProfile && (constraints & CONSTRAINT_SET3) !== 0)) return '1b';
  return String(level / 10);
}

/**
 * Reads an AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1).
 *
 * ```
 * version=1 | profile | constraints | level | 111111 lengthSize-1 | 111 spsCount | (length16 sps)* | ppsCount | (length16 pps)*
 * ```
 *
 * @param record what follows the 5-byte head of a video tag of codec 7; not kept, but the sets that are returned are views of it
 * @throws SrsError AvcConfig for a truncated or impossible record
 */
export function parseAvcDecoderConfiguration(record: Buffer): AvcDecoderConfiguration {
  const cursor = new RecordCursor(record, 'AvcConfig', 'avc configuration');
  // Some encoders leave the version at 0; nothing depends on it.
  cursor.u8('version');
  const profile = cursor.u8('profile');
  const constraints = cursor.u8('constraint flags');
  const level = cursor.u8('level');
  const nalLengthBytes = (cursor.u8('length size') & 0x03) + 1;
  if (nalLengthBytes === 3) throw new SrsError('AvcConfig', 'avc configuration length size 3 must be 1, 2 or 4');
  const sps = cursor.parameterSets(cursor.u8('sps count') & 0x1f, 'sps');
  const pps = cursor.parameterSets(cursor.u8('pps count'), 'pps');
  const first = sps[0] === undefined ? undefined : parseAvcSequenceParameterSet(sps[0]);
  return {
    profile,
    profileName: avcProfileName(profile, constraints),
    level,
    levelName: avcLevelName(level, profile, constraints),
    codecString: `avc1.${record.toString('hex', 1, 4)}`,
    nalLengthBytes,
    sps,
    pps,
    width: first?.width ?? 0,
    height: first?.height ?? 0,
    ...(first?.frameRate !== undefined && { frameRate: first.frameRate }),
  };
}

/**
 * Reads the facts of a sequence parameter set (H.264 7.3.2.1.1).
 *
 * @param nalUnit the NAL unit with its header byte, without start code or length
 * @throws SrsError AvcConfig when it is truncated before the picture size or beyond the standard's ranges
 */
export function parseAvcSequenceParameterSet(nalUnit: Uint8Array): AvcSequenceParameterSet {
  const nalType = (nalUnit[0] ?? 0) & 0x1f;
  if (nalType !== SPS_NAL_TYPE) throw new SrsError('AvcConfig', `avc sps has nal unit type ${nalType}, must be ${SPS_NAL_TYPE}`);
  const bits = new BitReader(withoutEmulationPrevention(nalUnit.subarray(1)), 'AvcConfig', 'avc sps');
  const profile = bits.bits(8);
  const constraints = bits.bits(8);
  const level = bits.bits(8);
  bits.ueUpTo(MAX_SPS_ID, 'id');
  const chroma = profilesWithChroma.has(profile) ? readChroma(bits) : { format: 1, isSeparate: false };
  bits.ueUpTo(12, 'log2_max_frame_num_minus4');
  skipPictureOrderCount(bits);
  bits.ue(); // max_num_ref_frames
  bits.flag(); // gaps_in_frame_num_value_allowed_flag
  const widthInMacroblocks = bits.ueUpTo(MAX_MACROBLOCKS, 'width in macroblocks') + 1;
  const heightInMapUnits = bits.ueUpTo(MAX_MACROBLOCKS, 'height in map units') + 1;
  const isFrameOnly = bits.flag();
  if (!isFrameOnly) bits.flag(); // mb_adaptive_frame_field_flag
  bits.flag(); // direct_8x8_inference_flag
  const fieldFactor = isFrameOnly ? 1 : 2;
  const crop = bits.flag() ? readCrop(bits) : { horizontal: 0, vertical: 0 };
  // Luma samples per unit of cropping (H.264 table 6-1, equations 7-19 to 7-22).
  const hasSubsampledWidth = !chroma.isSeparate && (chroma.format === 1 || chroma.format === 2);
  const hasSubsampledHeight = !chroma.isSeparate && chroma.format === 1;
  const width = widthInMacroblocks * 16 - crop.horizontal * (hasSubsampledWidth ? 2 : 1);
  const height = (heightInMapUnits * 16 - crop.vertical * (hasSubsampledHeight ? 2 : 1)) * fieldFactor;
  const size = checkedPictureSize(width, height, 'AvcConfig', 'avc sps');
  const frameRate = readHint(() => readFrameRate(bits));
  return { profile, constraints, level, ...size, ...(frameRate !== undefined && { frameRate }) };
}

function readChroma(bits: BitReader): { format: number; isSeparate: boolean } {
  const format = bits.ueUpTo(3, 'chroma_format_idc');
  const isSeparate = format === 3 && bits.flag();
  bits.ueUpTo(6, 'bit_depth_luma_minus8');
  bits.ueUpTo(6, 'bit_depth_chroma_minus8');
  bits.flag(); // qpprime_y_zero_transform_bypass_flag
  if (bits.flag()) {
    const listCount = format === 3 ? 12 : 8;
    for (let i = 0; i < listCount; i++) {
      if (bits.flag()) skipScalingList(bits, i < 6 ? 16 : 64);
    }
  }
  return { format, isSeparate };
}

/** H.264 7.3.2.1.1.1. */
function skipScalingList(bits: BitReader, size: number): void {
  let last = 8;
  for (let i = 0; i < size; i++) {
    const next = (last + bits.se()) & 0xff;
    if (next === 0) return;
    last = next;
  }
}

function skipPictureOrderCount(bits: BitReader): void {
  const type = bits.ueUpTo(2, 'pic_order_cnt_type');
  if (type === 0) {
    bits.ueUpTo(12, 'log2_max_pic_order_cnt_lsb_minus4');
  } else if (type === 1) {
    bits.flag(); // delta_pic_order_always_zero_flag
    bits.se(); // offset_for_non_ref_pic
    bits.se(); // offset_for_top_to_bottom_field
    const cycle = bits.ueUpTo(MAX_POC_CYCLE, 'num_ref_frames_in_pic_order_cnt_cycle');
    for (let i = 0; i < cycle; i++) bits.se();
  }
}

function readCrop(bits: BitReader): { horizontal: number; vertical: number } {
  const left = bits.ue();
  const right = bits.ue();
  const top = bits.ue();
  const bottom = bits.ue();
  return { horizontal: left + right, vertical: top + bottom };
}

/** The picture rate of the VUI (H.264 E.1.1). */
function readFrameRate(bits: BitReader): number | undefined {
  if (!bits.flag()) return undefined;
  if (bits.flag() && bits.bits(8) === EXTENDED_SAR) bits.skip(32);
  if (bits.flag()) bits.skip(1); // overscan
  if (bits.flag()) {
    bits.skip(4); // video_format, video_full_range_flag
    if (bits.flag()) bits.skip(24); // colour description
  }
  if (bits.flag()) {
    bits.ue(); // chroma_sample_loc_type_top_field
    bits.ue(); // chroma_sample_loc_type_bottom_field
  }
  if (!bits.flag()) return undefined;
  const unitsInTick = bits.bits(32);
  const timeScale = bits.bits(32);
  // A tick is a field.
  return frameRateOf(timeScale, unitsInTick * 2);
}
