/** AAC decoder configuration: the AudioSpecificConfig. */
import { SrsError } from '@srs/kernel';
import { BitReader, readHint } from './bit-reader.ts';

export interface AudioSpecificConfig {
  /** The audio object type of the frames themselves (2 = LC), under SBR too: what an ADTS header needs. */
  readonly objectType: number;
  /** `LC`, `Main`, ..., `HE` with SBR, `HEv2` with parametric stereo. */
  readonly profileName: string;
  /** Hz of the frames; 7350 to 96000, or any 24-bit number. */
  readonly sampleRate: number;
  /** Index of `sampleRate` in the standard's table, 15 for a rate that is written out. */
  readonly sampleRateIndex: number;
  /** Hz after SBR; equals `sampleRate` without. */
  readonly outputSampleRate: number;
  /** channelConfiguration as coded; 0 means that a program config element tells. */
  readonly channelConfiguration: number;
  /** Channels of the frames, 0 when the configuration does not tell. */
  readonly channels: number;
  /** Spectral band replication is signalled. */
  readonly hasSbr: boolean;
  /** Parametric stereo is signalled: one coded channel becomes two. */
  readonly hasPs: boolean;
  /** Samples per channel in a frame, before SBR. */
  readonly samplesPerFrame: number;
}

/** Hz by samplingFrequencyIndex (ISO/IEC 14496-3, table 1.18). */
export const aacSampleRates: readonly number[] = Object.freeze([
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000, 7350,
]);

/** Channels by channelConfiguration (ISO/IEC 14496-3, table 1.19); undefined is reserved. */
const channelCounts: readonly (number | undefined)[] = [
  0,
  1,
  2,
  3,
  4,
  5,
  6,
  8,
  undefined,
  undefined,
  undefined,
  7,
  8,
  24,
  8,
  undefined,
];

const objectTypes = { sbr: 5, scalable: 6, erScalable: 20, erBsac: 22, ps: 29, escape: 31 } as const;
const EXPLICIT_RATE_INDEX = 15;
const SBR_SYNC = 0x2b7;
const PS_SYNC = 0x548;
const LOW_DELAY = 23;
const ENHANCED_LOW_DELAY = 39;

const profileNames: ReadonlyMap<number, string> = new Map([
  [1, 'Main'],
  [2, 'LC'],
  [3, 'SSR'],
  [4, 'LTP'],
  [6, 'Scalable'],
  [17, 'ER-LC'],
  [19, 'ER-LTP'],
  [20, 'ER-Scalable'],
  [LOW_DELAY, 'LD'],
  [ENHANCED_LOW_DELAY, 'ELD'],
  [42, 'xHE'],
]);

/** Object types whose configuration goes on with a GASpecificConfig. */
const generalAudioTypes = new Set([1, 2, 3, 4, 6, 7, 17, 19, 20, 21, 22, 23]);

/** Error resilient types whose extension has three more flags. */
const resilientTypes = new Set([17, 19, 20, LOW_DELAY]);

/**
 * Reads an AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1), with SBR and PS when they are signalled, either way.
 *
 * ```
 * objectType:5 (31: 6 more) | rateIndex:4 (15: rate:24) | channels:4 | [SBR first: rate, objectType] | GASpecificConfig | [sync 2b7: SBR, PS]
 * ```
 *
 * @param bytes what follows the 2-byte head of an audio tag of format 10
 * @throws SrsError AacConfig when it is shorter than its fields or has a reserved value
 */
export function parseAudioSpecificConfig(bytes: Uint8Array): AudioSpecificConfig {
  const bits = new BitReader(bytes, 'AacConfig', 'aac configuration');
  let objectType = readObjectType(bits);
  const rate = readSampleRate(bits);
  const channelConfiguration = bits.bits(4);
  let extensionRate: SampleRate | undefined;
  let hasPs = false;
  if (objectType === objectTypes.sbr || objectType === objectTypes.ps) {
    hasPs = objectType === objectTypes.ps;
    extensionRate = readSampleRate(bits);
    objectType = readObjectType(bits);
    if (objectType === objectTypes.erBsac) bits.skip(4);
  }
  if (objectType === 0) throw new SrsError('AacConfig', 'aac configuration object type 0 must be 1..95');
  let channels = channelCounts[channelConfiguration];
  if (channels === undefined) {
    throw new SrsError('AacConfig', `aac configuration channels ${channelConfiguration} must be 0..7 or 11..14`);
  }
  let isShortFrame = false;
  if (generalAudioTypes.has(objectType)) {
    // What follows the rate and the channels may be cut: the frames tell the same.
    const general = readHint(() => readGeneralAudio(bits, objectType, channelConfiguration));
    isShortFrame = general?.isShortFrame ?? false;
    channels = general?.channels ?? channels;
    if (general !== undefined && extensionRate === undefined) {
      const extension = readHint(() => readSyncExtension(bits));
      extensionRate = extension?.rate;
      hasPs = extension?.hasPs ?? false;
    }
  }
  const hasSbr = extensionRate !== undefined;
  return {
    objectType,
    profileName: profileNameOf(objectType, hasSbr, hasPs),
    sampleRate: rate.hz,
    sampleRateIndex: rate.index,
    outputSampleRate: extensionRate?.hz ?? rate.hz,
    channelConfiguration,
    channels,
    hasSbr,
    hasPs,
    samplesPerFrame: samplesPerFrameOf(objectType, isShortFrame),
  };
}

interface SampleRate {
  readonly hz: number;
  readonly index: number;
}

function readObjectType(bits: BitReader): number {
  const type = bits.bits(5);
  return type === objectTypes.escape ? 32 + bits.bits(6) : type;
}

function readSampleRate(bits: BitReader): SampleRate {
  const index = bits.bits(4);
  const hz = index === EXPLICIT_RATE_INDEX ? bits.bits(24) : aacSampleRates[index];
  if (hz === undefined) throw new SrsError('AacConfig', `aac configuration sample rate index ${index} must be 0..12 or 15`);
  if (hz === 0) throw new SrsError('AacConfig', 'aac configuration sample rate 0 must be 1..16777215');
  return { hz, index };
}

/** GASpecificConfig (ISO/IEC 14496-3, 4.4.1). Configurations of two bytes end with its three flags. */
function readGeneralAudio(
  bits: BitReader,
  objectType: number,
  channelConfiguration: number,
): { isShortFrame: boolean; channels: number | undefined } {
  const isShortFrame = bits.flag();
  if (bits.flag()) bits.skip(14); // coreCoderDelay
  const hasExtension = bits.flag();
  const channels = channelConfiguration === 0 ? readProgramConfigChannels(bits) : undefined;
  if (objectType === objectTypes.scalable || objectType === objectTypes.erScalable) bits.skip(3); // layerNr
  if (hasExtension) {
    if (objectType === objectTypes.erBsac) bits.skip(5 + 11);
    if (resilientTypes.has(objectType)) bits.skip(3);
    bits.skip(1); // extensionFlag3
  }
  return { isShortFrame, channels };
}

/** The number of channels in a program_config_element (ISO/IEC 14496-3, 4.4.1.1), read to its end. */
function readProgramConfigChannels(bits: BitReader): number {
  bits.skip(4 + 2 + 4); // element_instance_tag, object_type, sampling_frequency_index
  const front = bits.bits(4);
  const side = bits.bits(4);
  const back = bits.bits(4);
  const lfe = bits.bits(2);
  const associated = bits.bits(3);
  const coupling = bits.bits(4);
  if (bits.flag()) bits.skip(4); // mono_mixdown
  if (bits.flag()) bits.skip(4); // stereo_mixdown
  if (bits.flag()) bits.skip(3); // matrix_mixdown
  let channels = lfe;
  for (let i = front + side + back; i > 0; i--) {
    channels += bits.flag() ? 2 : 1;
    bits.skip(4);
  }
  bits.skip(lfe * 4 + associated * 4 + coupling * 5);
  bits.skip(bits.remaining % 8); // byte_alignment
  bits.skip(bits.bits(8) * 8); // comment
  return channels;
}

/** SBR and PS behind the configuration, where decoders that do not know them do not look (ISO/IEC 14496-3, 1.6.5). */
function readSyncExtension(bits: BitReader): { rate: SampleRate; hasPs: boolean } | undefined {
  if (bits.remaining < 16 || bits.bits(11) !== SBR_SYNC) return undefined;
  if (readObjectType(bits) !== objectTypes.sbr || bits.remaining < 1 || !bits.flag()) return undefined;
  const rate = readSampleRate(bits);
  const hasPs = bits.remaining >= 12 && bits.bits(11) === PS_SYNC && bits.flag();
  return { rate, hasPs };
}

function profileNameOf(objectType: number, hasSbr: boolean, hasPs: boolean): string {
  if (hasPs) return 'HEv2';
  if (hasSbr) return 'HE';
  return profileNames.get(objectType) ?? `Other(${objectType})`;
}

function samplesPerFrameOf(objectType: number, isShortFrame: boolean): number {
  const samples = isShortFrame ? 960 : 1024;
  return objectType === LOW_DELAY || objectType === ENHANCED_LOW_DELAY ? samples / 2 : samples;
}
