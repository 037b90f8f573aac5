/** What the head of an audio payload says: codec, kind of packet, nominal rate, where the codec's own bytes are. */
import { enhancedPacketTypes, readEnhancedHeader } from './enhanced-header.ts';

export type AudioCodec =
  | 'pcm'
  | 'adpcm'
  | 'mp3'
  | 'nellymoser'
  | 'g711a'
  | 'g711u'
  | 'aac'
  | 'speex'
  | 'opus'
  | 'flac'
  | 'ac3'
  | 'eac3'
  | 'device'
  | 'unknown';

export type AudioPacket = 'sequence-header' | 'frames' | 'end-of-sequence' | 'multichannel-config' | 'unknown';

/** One track of an audio payload. */
export interface AudioTag {
  readonly codec: AudioCodec;
  /** SoundFormat, the high bits of the head: 10 = AAC, 9 = an enhanced head. */
  readonly soundFormat: number;
  /** The FourCC of an enhanced head, `''` for a legacy one. */
  readonly fourCc: string;
  readonly packet: AudioPacket;
  /** Hz by the head, 0 for an enhanced one. For AAC always 44100: its configuration tells the truth. */
  readonly sampleRate: number;
  /** By the head, 0 for an enhanced one. For AAC always 2. */
  readonly channels: number;
  /** Bits, 8 or 16; 0 for an enhanced head. */
  readonly sampleSizeBits: number;
  /** Nanoseconds to add to the timestamp (enhanced RTMP), 0..999,999. */
  readonly timestampOffsetNanos: number;
  readonly isEnhanced: boolean;
  readonly isMultitrack: boolean;
  /** 0 is the default track. */
  readonly trackId: number;
  /** Where the codec's own bytes begin and end in the payload. */
  readonly dataOffset: number;
  readonly dataEnd: number;
}

/** SoundFormats that have a packet type (Adobe FLV 10.1, E.4.2.1; Enhanced RTMP v2). */
export const audioFormats = { enhanced: 9, aac: 10 } as const;
/** AudioPacketTypes of enhanced RTMP that video does not have. */
export const audioPacketTypes = { multichannelConfig: 4, multitrack: 5 } as const;

interface LegacyFormat {
  readonly codec: AudioCodec;
  /** Rate and channels that the format fixes, whatever the flags say. */
  readonly sampleRate?: number;
  readonly channels?: number;
}

const legacyFormats: readonly (LegacyFormat | undefined)[] = [
  { codec: 'pcm' },
  { codec: 'adpcm' },
  { codec: 'mp3' },
  { codec: 'pcm' },
  { codec: 'nellymoser', sampleRate: 16_000, channels: 1 },
  { codec: 'nellymoser', sampleRate: 8000, channels: 1 },
  { codec: 'nellymoser' },
  { codec: 'g711a', sampleRate: 8000 },
  { codec: 'g711u', sampleRate: 8000 },
  undefined,
  { codec: 'aac' },
  { codec: 'speex', sampleRate: 16_000, channels: 1 },
  undefined,
  undefined,
  { codec: 'mp3', sampleRate: 8000 },
  { codec: 'device' },
];

/** Hz by SoundRate. */
const soundRates = [5512, 11_025, 22_050, 44_100] as const;

const fourCcCodecs: ReadonlyMap<string, AudioCodec> = new Map([
  ['mp4a', 'aac'],
  ['.mp3', 'mp3'],
  ['Opus', 'opus'],
  ['fLaC', 'flac'],
  ['ac-3', 'ac3'],
  ['ec-3', 'eac3'],
]);

/**
 * The default track of an audio payload (FLV tag body): the only one, track 0, or the first if there is no track 0.
 *
 * @returns undefined when the payload is too short for its own head
 */
export function describeAudio(payload: Buffer): AudioTag | undefined {
  const tags = describeAudioTracks(payload);
  return tags.find((tag) => tag.trackId === 0) ?? tags[0];
}

/** All tracks of an audio payload; empty when it is too short for its own head, without the tracks that are cut. */
export function describeAudioTracks(payload: Buffer): readonly AudioTag[] {
  const head = payload[0];
  if (head === undefined) return [];
  if (head >>> 4 === audioFormats.enhanced) return describeEnhanced(payload);
  const tag = describeLegacy(payload, head);
  return tag === undefined ? [] : [tag];
}

function describeLegacy(payload: Buffer, head: number): AudioTag | undefined {
  const soundFormat = head >>> 4;
  const isAac = soundFormat === audioFormats.aac;
  if (isAac && payload.length < 2) return undefined;
  const format: LegacyFormat = legacyFormats[soundFormat] ?? { codec: 'unknown' };
  return {
    codec: format.codec,
    soundFormat,
    fourCc: '',
    packet: isAac ? aacPacket(payload[1]!) : 'frames',
    sampleRate: format.sampleRate ?? soundRates[((head >>> 2) & 0x03) as 0 | 1 | 2 | 3],
    channels: format.channels ?? (head & 0x01) + 1,
    sampleSizeBits: (head & 0x02) === 0 ? 8 : 16,
    timestampOffsetNanos: 0,
    isEnhanced: false,
    isMultitrack: false,
    trackId: 0,
    dataOffset: isAac ? 2 : 1,
    dataEnd: payload.length,
  };
}

function aacPacket(packetType: number): AudioPacket {
  if (packetType === 0) return 'sequence-header';
  return packetType === 1 ? 'frames' : 'unknown';
}

function describeEnhanced(payload: Buffer): readonly AudioTag[] {
  const header = readEnhancedHeader(payload, audioPacketTypes.multitrack);
  if (header === undefined) return [];
  return header.tracks.map((track) => ({
    codec: fourCcCodecs.get(track.fourCc) ?? 'unknown',
    soundFormat: audioFormats.enhanced,
    fourCc: track.fourCc,
    packet: enhancedPacket(track.packetType),
    sampleRate: 0,
    channels: 0,
    sampleSizeBits: 0,
    timestampOffsetNanos: header.timestampOffsetNanos,
    isEnhanced: true,
    isMultitrack: header.isMultitrack,
    trackId: track.trackId,
    dataOffset: track.dataOffset,
    dataEnd: track.dataEnd,
  }));
}

function enhancedPacket(packetType: number): AudioPacket {
  switch (packetType) {
    case enhancedPacketTypes.sequenceStart:
      return 'sequence-header';
    case enhancedPacketTypes.codedFrames:
      return 'frames';
    case enhancedPacketTypes.sequenceEnd:
      return 'end-of-sequence';
    case audioPacketTypes.multichannelConfig:
      return 'multichannel-config';
    default:
      return 'unknown';
  }
}
