/** The heads of the sounds that are taken out of a transport stream: AAC behind ADTS headers, and MP3. */
import { aacSampleRates } from '@srs/codec';
import { ADTS_HEADER_BYTES, SAMPLES_PER_ADTS_FRAME } from './adts.ts';
import { readMpegAudioHeader } from './mpeg-audio.ts';

/** A frame of sound, by its head. */
export interface SoundFrame {
  /** With the head. */
  readonly frameBytes: number;
  /** What FLV has no use for. */
  readonly headBytes: number;
  readonly samples: number;
  readonly sampleRate: number;
  /** The first bytes of its tag. */
  readonly tagHead: Buffer;
  /** What has to be told once, before it: tag and AudioSpecificConfig. */
  readonly sequenceHeader: Buffer | undefined;
  /** Why it cannot go into FLV. */
  readonly refusal: string | undefined;
}

/** @returns undefined when no frame begins there; bytes that are missing are nothing to find */
export type ReadSoundFrame = (bytes: Buffer, at: number) => SoundFrame | undefined;

/** So many bytes tell what a frame is. */
export const SOUND_HEAD_BYTES = ADTS_HEADER_BYTES;
/** The longest that a head can tell. */
export const MAX_SOUND_FRAME_BYTES = 8191;

const ADTS_CRC_BYTES = 2;
/** AAC says 44.1 kHz, 16 bits, stereo, whatever it is. */
const AAC_TAG = 0xaf;
const aacPacketTypes = { sequenceHeader: 0, frame: 1 } as const;
const aacFrameHead = Buffer.of(AAC_TAG, aacPacketTypes.frame);

/** See adts.ts for the layout. */
export const readAdtsFrame: ReadSoundFrame = (bytes, at) => {
  if (at + ADTS_HEADER_BYTES > bytes.length) return undefined;
  // The sync word, and layer 0.
  if (bytes[at] !== 0xff || (bytes[at + 1]! & 0xf6) !== 0xf0) return undefined;
  const hasCrc = (bytes[at + 1]! & 0x01) === 0;
  const bits = bytes.readUIntBE(at + 2, 4);
  const frameBytes = (bits >>> 5) & 0x1fff;
  const rateIndex = (bits >>> 26) & 0x0f;
  const sampleRate = aacSampleRates[rateIndex];
  const headBytes = ADTS_HEADER_BYTES + (hasCrc ? ADTS_CRC_BYTES : 0);
  if (sampleRate === undefined || frameBytes <= headBytes) return undefined;
  const objectType = ((bits >>> 30) & 0x03) + 1;
  const channels = (bits >>> 22) & 0x07;
  const blocks = (bytes[at + 6]! & 0x03) + 1;
  return {
    frameBytes,
    headBytes,
    samples: SAMPLES_PER_ADTS_FRAME * blocks,
    sampleRate,
    tagHead: aacFrameHead,
    sequenceHeader: aacSequenceHeader(objectType, rateIndex, channels),
    refusal: refusalOf(channels, blocks),
  };
};

function refusalOf(channels: number, blocks: number): string | undefined {
  if (channels === 0) return 'aac whose channels are told in its frames (channel configuration 0) is left out';
  return blocks === 1 ? undefined : `aac frames of ${blocks} blocks are left out, each must have 1`;
}

/** `objectType:5 rateIndex:4 channels:4 000`; decoders find SBR in the frames. */
function aacSequenceHeader(objectType: number, rateIndex: number, channels: number): Buffer {
  const bits = (objectType << 11) | (rateIndex << 7) | (channels << 3);
  return Buffer.of(AAC_TAG, aacPacketTypes.sequenceHeader, bits >>> 8, bits & 0xff);
}

const LAYER_3 = 1;
const MONO = 3;
const mp3Formats = { any: 2, at8kHz: 14 } as const;
const BITS_16 = 0x02;

export const readMp3Frame: ReadSoundFrame = (bytes, at) => {
  const header = readMpegAudioHeader(bytes, at, bytes.length);
  if (header === undefined || header.frameBytes === 0) return undefined;
  const layer = (bytes[at + 1]! >>> 1) & 0x03;
  const isMono = bytes[at + 3]! >>> 6 === MONO;
  const { frameBytes, samples, sampleRate } = header;
  return {
    frameBytes,
    headBytes: 0,
    samples,
    sampleRate,
    tagHead: Buffer.of(mp3TagHead(sampleRate, isMono)),
    sequenceHeader: undefined,
    refusal: layer === LAYER_3 ? undefined : `mpeg audio of layer ${4 - layer} is left out, it must be layer 3 (mp3)`,
  };
};

/** FLV knows fewer rates than MP3 has; players believe the frames. */
function mp3TagHead(sampleRate: number, isMono: boolean): number {
  const format = sampleRate === 8000 ? mp3Formats.at8kHz : mp3Formats.any;
  const rate = sampleRate >= 32_000 ? 3 : sampleRate >= 16_000 ? 2 : 1;
  return (format << 4) | (rate << 2) | BITS_16 | (isMono ? 0 : 1);
}
