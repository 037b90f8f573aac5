/** What the head of a video payload says: codec, kind of packet, times, where the codec's own bytes are. */
import { type EnhancedTrack, enhancedPacketTypes, readEnhancedHeader } from './enhanced-header.ts';

export type VideoCodec =
  | 'jpeg'
  | 'h263'
  | 'screen'
  | 'vp6'
  | 'vp6a'
  | 'screen2'
  | 'avc'
  | 'hevc'
  | 'av1'
  | 'vp8'
  | 'vp9'
  | 'vvc'
  | 'unknown';

export type VideoPacket =
  | 'sequence-header'
  | 'mpeg2ts-sequence-header'
  | 'frames'
  | 'end-of-sequence'
  | 'metadata'
  | 'command'
  | 'unknown';

/** One track of a video payload. */
export interface VideoTag {
  readonly codec: VideoCodec;
  /** The number in the low bits of a legacy head (7 = H.264, 12 = H.265 of some encoders); 0 for an enhanced head. */
  readonly codecId: number;
  /** The FourCC of an enhanced head, `''` for a legacy one. */
  readonly fourCc: string;
  /** 1 key frame, 2 inter frame, 3 disposable inter frame, 4 generated key frame, 5 command. */
  readonly frameType: number;
  /** Frame type 1, whatever the packet is. `classifyFrame` tells which of them begin with a picture. */
  readonly isKeyFrame: boolean;
  readonly packet: VideoPacket;
  /** PTS minus DTS; 0 where the packet has none. */
  readonly compositionTimeMs: number;
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

/** Adobe FLV 10.1, E.4.3.1. */
export const videoFrameTypes = { key: 1, inter: 2, command: 5 } as const;
/** CodecIDs that have a packet type and a composition time; 12 is H.265 in the manner of Chinese CDNs. */
export const videoCodecIds = { avc: 7, hevc: 12 } as const;
export const avcPacketTypes = { sequenceHeader: 0, frames: 1, endOfSequence: 2 } as const;
/** VideoPacketTypes of enhanced RTMP that audio does not have. */
export const videoPacketTypes = { codedFramesX: 3, metadata: 4, mpeg2TsSequenceStart: 5, multitrack: 6 } as const;

const AVC_HEAD_BYTES = 5;
const COMPOSITION_TIME_BYTES = 3;

const legacyCodecs: readonly (VideoCodec | undefined)[] = [
  undefined,
  'jpeg',
  'h263',
  'screen',
  'vp6',
  'vp6a',
  'screen2',
  'avc',
  undefined,
  undefined,
  undefined,
  undefined,
  'hevc',
];

const fourCcCodecs: ReadonlyMap<string, VideoCodec> = new Map([
  ['avc1', 'avc'],
  ['hvc1', 'hevc'],
  ['av01', 'av1'],
  ['vp08', 'vp8'],
  ['vp09', 'vp9'],
  ['vvc1', 'vvc'],
]);

/** Codecs whose coded frames have a composition time in an enhanced packet. */
const codecsWithCompositionTime: ReadonlySet<VideoCodec> = new Set(['avc', 'hevc', 'vvc']);

/**
 * The default track of a video payload (FLV tag body): the only one, track 0, or the first if there is no track 0.
 *
 * @returns undefined when the payload is too short for its own head
 */
export function describeVideo(payload: Buffer): VideoTag | undefined {
  const tags = describeVideoTracks(payload);
  return tags.find((tag) => tag.trackId === 0) ?? tags[0];
}

/** All tracks of a video payload; empty when it is too short for its own head, without the tracks that are cut. */
export function describeVideoTracks(payload: Buffer): readonly VideoTag[] {
  const head = payload[0];
  if (head === undefined) return [];
  if ((head & 0x80) !== 0) return describeEnhanced(payload, (head >>> 4) & 0x07);
  const tag = describeLegacy(payload, head);
  return tag === undefined ? [] : [tag];
}

function describeLegacy(payload: Buffer, head: number): VideoTag | undefined {
  const frameType = head >>> 4;
  const codecId = head & 0x0f;
  const hasPacketType = codecId === videoCodecIds.avc || codecId === videoCodecIds.hevc;
  const isCommand = frameType === videoFrameTypes.command;
  if (hasPacketType && !isCommand && payload.length < AVC_HEAD_BYTES) return undefined;
  const packetType = hasPacketType && !isCommand ? payload[1]! : avcPacketTypes.frames;
  return {
    codec: legacyCodecs[codecId] ?? 'unknown',
    codecId,
    fourCc: '',
    frameType,
    isKeyFrame: frameType === videoFrameTypes.key,
    packet: isCommand ? 'command' : legacyPacket(packetType),
    compositionTimeMs: hasPacketType && packetType === avcPacketTypes.frames && !isCommand ? payload.readIntBE(2, 3) : 0,
    timestampOffsetNanos: 0,
    isEnhanced: false,
    isMultitrack: false,
    trackId: 0,
    dataOffset: hasPacketType && !isCommand ? AVC_HEAD_BYTES : 1,
    dataEnd: payload.length,
  };
}

function legacyPacket(packetType: number): VideoPacket {
  switch (packetType) {
    case avcPacketTypes.sequenceHeader:
      return 'sequence-header';
    case avcPacketTypes.frames:
      return 'frames';
    case avcPacketTypes.endOfSequence:
      return 'end-of-sequence';
    default:
      return 'unknown';
  }
}

function describeEnhanced(payload: Buffer, frameType: number): readonly VideoTag[] {
  const header = readEnhancedHeader(payload, videoPacketTypes.multitrack);
  if (header === undefined) return [];
  const tags: VideoTag[] = [];
  for (const track of header.tracks) {
    const codec = fourCcCodecs.get(track.fourCc) ?? 'unknown';
    const packet = enhancedPacket(track.packetType, frameType);
    const time = readCompositionTime(payload, track, codec, packet);
    if (time === undefined) continue;
    tags.push({
      codec,
      codecId: 0,
      fourCc: track.fourCc,
      frameType,
      isKeyFrame: frameType === videoFrameTypes.key && packet !== 'metadata',
      packet,
      compositionTimeMs: time.ms,
      timestampOffsetNanos: header.timestampOffsetNanos,
      isEnhanced: true,
      isMultitrack: header.isMultitrack,
      trackId: track.trackId,
      dataOffset: time.dataOffset,
      dataEnd: track.dataEnd,
    });
  }
  return tags;
}

function enhancedPacket(packetType: number, frameType: number): VideoPacket {
  if (packetType === videoPacketTypes.metadata) return 'metadata';
  if (frameType === videoFrameTypes.command) return 'command';
  switch (packetType) {
    case enhancedPacketTypes.sequenceStart:
      return 'sequence-header';
    case videoPacketTypes.mpeg2TsSequenceStart:
      return 'mpeg2ts-sequence-header';
    case enhancedPacketTypes.codedFrames:
    case videoPacketTypes.codedFramesX:
      return 'frames';
    case enhancedPacketTypes.sequenceEnd:
      return 'end-of-sequence';
    default:
      return 'unknown';
  }
}

/** Only CodedFrames carries the time; CodedFramesX leaves it out because it is 0. */
function readCompositionTime(
  payload: Buffer,
  track: EnhancedTrack,
  codec: VideoCodec,
  packet: VideoPacket,
): { readonly ms: number; readonly dataOffset: number } | undefined {
  const { dataOffset, dataEnd } = track;
  const isCoded = packet === 'frames' && track.packetType === enhancedPacketTypes.codedFrames;
  if (!isCoded || !codecsWithCompositionTime.has(codec)) return { ms: 0, dataOffset };
  if (dataOffset + COMPOSITION_TIME_BYTES > dataEnd) return undefined;
  return { ms: payload.readIntBE(dataOffset, COMPOSITION_TIME_BYTES), dataOffset: dataOffset + COMPOSITION_TIME_BYTES };
}
