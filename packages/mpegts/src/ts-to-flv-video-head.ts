/** What stands in front of pictures in FLV, and the decoder configuration made of their parameter sets (ISO/IEC 14496-15). */
import { type HevcSequenceParameterSet, parseHevcSequenceParameterSet } from '@srs/codec';
import { SrsError } from '@srs/kernel';
import type { MuxedVideoCodec } from './nal-syntax.ts';

export type SetKind = 'vps' | 'sps' | 'pps';
/** The parameter sets that are in force. */
export type ParameterSetLists = Readonly<Record<SetKind, readonly Buffer[]>>;

/** `IsExHeader` of an enhanced head. */
const ENHANCED = 0x80;
const AVC_CODEC_ID = 7;
const frameTypes = { key: 1, inter: 2 } as const;
/** Packet types, the same in the old head of H.264 and in an enhanced one. */
const packetTypes = { 'sequence-header': 0, frames: 1 } as const;
const COMPOSITION_BYTES = 3;
const LENGTH_SIZE_MINUS_1 = 3;
const MAX_SET_BYTES = 0xffff;
const MAX_AVC_SPS = 31;
const MAX_AVC_PPS = 255;
const MIN_AVC_SPS_BYTES = 4;
const hevcTypes = { vps: 32, sps: 33, pps: 34 } as const;

/**
 * ```
 * H.264: frameType:4 7:4 | packetType | compositionTime:24
 * H.265: 1 frameType:3 packetType:4 | 'hvc1' | compositionTime:24, frames only
 * ```
 */
export function videoHead(
  codec: MuxedVideoCodec,
  packet: keyof typeof packetTypes,
  isKeyFrame: boolean,
  compositionMs: number,
): Buffer {
  const frameType = (isKeyFrame ? frameTypes.key : frameTypes.inter) << 4;
  const time = Buffer.alloc(COMPOSITION_BYTES);
  time.writeIntBE(compositionMs, 0, COMPOSITION_BYTES);
  if (codec === 'avc') return Buffer.concat([Buffer.of(frameType | AVC_CODEC_ID, packetTypes[packet]), time]);
  const head = [Buffer.of(ENHANCED | frameType | packetTypes[packet]), Buffer.from('hvc1', 'latin1')];
  return Buffer.concat(packet === 'frames' ? [...head, time] : head);
}

/** @returns undefined while sets are missing, or when they cannot be described */
export function decoderConfiguration(codec: MuxedVideoCodec, sets: ParameterSetLists): Buffer | undefined {
  const all = [...sets.vps, ...sets.sps, ...sets.pps];
  if (sets.sps.length === 0 || sets.pps.length === 0 || all.some((set) => set.length > MAX_SET_BYTES)) return undefined;
  return codec === 'avc' ? avcConfiguration(sets) : hevcConfiguration(sets);
}

/** See `parseAvcDecoderConfiguration` for the layout. */
function avcConfiguration({ sps, pps }: ParameterSetLists): Buffer | undefined {
  const first = sps[0]!;
  if (first.length < MIN_AVC_SPS_BYTES || sps.length > MAX_AVC_SPS || pps.length > MAX_AVC_PPS) return undefined;
  return Buffer.concat([
    Buffer.of(1, first[1]!, first[2]!, first[3]!, 0xfc | LENGTH_SIZE_MINUS_1, 0xe0 | sps.length),
    ...sps.flatMap(withLength),
    Buffer.of(pps.length),
    ...pps.flatMap(withLength),
  ]);
}

/**
 * ```
 * version=1 | profile, flags, level:96 | 1111 segmentation:12 (0) | 111111 parallelism:2 (0) | 111111 chroma:2 |
 * 11111 lumaDepth-8:3 | 11111 chromaDepth-8:3 | frameRate:16 (0) | 00 layers:3 nested:1 lengthSize-1:2 | arrays | array*
 * array: 10 nalType:6 | count:16 | (length:16 set)*
 * ```
 */
function hevcConfiguration(sets: ParameterSetLists): Buffer | undefined {
  if (sets.vps.length === 0) return undefined;
  const facts = readFacts(sets.sps[0]!);
  if (facts === undefined) return undefined;
  const { profileTierLevel, chromaFormat, lumaDepth, chromaDepth, temporalLayers, isTemporalIdNested } = facts;
  const layers = (temporalLayers << 3) | (isTemporalIdNested ? 4 : 0) | LENGTH_SIZE_MINUS_1;
  const depths = [0xfc | chromaFormat, 0xf8 | (lumaDepth - 8), 0xf8 | (chromaDepth - 8)];
  return Buffer.concat([
    Buffer.of(1),
    profileTierLevel,
    Buffer.of(0xf0, 0, 0xfc, ...depths, 0, 0, layers, 3),
    ...(['vps', 'sps', 'pps'] as const).flatMap((kind) => [
      Buffer.of(0x80 | hevcTypes[kind], sets[kind].length >>> 8, sets[kind].length & 0xff),
      ...sets[kind].flatMap(withLength),
    ]),
  ]);
}

/** The next picture may have a set that can be read. */
function readFacts(sps: Buffer): HevcSequenceParameterSet | undefined {
  try {
    return parseHevcSequenceParameterSet(sps);
  } catch (error) {
    if (error instanceof SrsError) return undefined;
    throw error;
  }
}

function withLength(set: Buffer): Buffer[] {
  return [Buffer.of(set.length >>> 8, set.length & 0xff), set];
}
