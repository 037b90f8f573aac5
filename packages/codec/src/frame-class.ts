/** The flags of a frame, read from the first bytes of its payload. */
import { type FrameType, frameFlags, frameTypes } from '@srs/kernel';
import { audioFormats, audioPacketTypes } from './audio-tag.ts';
import { defaultTrackPacket, enhancedPacketTypes } from './enhanced-header.ts';
import { avcPacketTypes, videoCodecIds, videoFrameTypes, videoPacketTypes } from './video-tag.ts';

const AVC_HEAD_BYTES = 5;
/** What a coded frame may begin with; no codec's key frame is as short as this. */
const COMPOSITION_TIME_BYTES = 3;

/**
 * The flags of `frameFlags` for one audio, video or data payload; 0 for what is too short to tell.
 *
 * A sequence header is not also a key frame: no picture can be shown from it. An empty access unit is no key frame either. In a
 * packet with several tracks the flags are those of track 0, which is the one that players of a single track see; packets
 * without track 0 have none. Data is left at 0: what it is, its AMF tells.
 *
 * Hot path: no allocation.
 */
export function classifyFrame(type: FrameType, payload: Buffer): number {
  if (payload.length === 0) return 0;
  if (type === frameTypes.video) return classifyVideo(payload, payload[0]!);
  return type === frameTypes.audio ? classifyAudio(payload, payload[0]!) : 0;
}

function classifyVideo(payload: Buffer, head: number): number {
  if ((head & 0x80) !== 0) return classifyEnhancedVideo(payload, (head >>> 4) & 0x07);
  const frameType = head >>> 4;
  if (frameType === videoFrameTypes.command) return 0;
  const isKey = frameType === videoFrameTypes.key;
  const codecId = head & 0x0f;
  if (codecId !== videoCodecIds.avc && codecId !== videoCodecIds.hevc) {
    return isKey && payload.length > 1 ? frameFlags.keyFrame : 0;
  }
  if (payload.length < 2) return 0;
  switch (payload[1]) {
    case avcPacketTypes.sequenceHeader:
      return isKey ? frameFlags.sequenceHeader : 0;
    case avcPacketTypes.endOfSequence:
      return frameFlags.endOfSequence;
    case avcPacketTypes.frames:
      return isKey && payload.length > AVC_HEAD_BYTES ? frameFlags.keyFrame : 0;
    default:
      return 0;
  }
}

function classifyEnhancedVideo(payload: Buffer, frameType: number): number {
  const packet = defaultTrackPacket(payload, videoPacketTypes.multitrack);
  if (packet < 0) return 0;
  const packetType = packet & 0x0f;
  const bodyBytes = packet >>> 4;
  // The frame type of a metadata packet means nothing; that of others may say that a command follows.
  if (packetType === videoPacketTypes.metadata) return frameFlags.videoMetadata;
  if (frameType === videoFrameTypes.command) return 0;
  switch (packetType) {
    case enhancedPacketTypes.sequenceStart:
    case videoPacketTypes.mpeg2TsSequenceStart:
      return frameFlags.sequenceHeader;
    case enhancedPacketTypes.codedFrames:
      return frameType === videoFrameTypes.key && bodyBytes > COMPOSITION_TIME_BYTES ? frameFlags.keyFrame : 0;
    case videoPacketTypes.codedFramesX:
      return frameType === videoFrameTypes.key && bodyBytes > 0 ? frameFlags.keyFrame : 0;
    case enhancedPacketTypes.sequenceEnd:
      return frameFlags.endOfSequence;
    default:
      return 0;
  }
}

function classifyAudio(payload: Buffer, head: number): number {
  const format = head >>> 4;
  if (format === audioFormats.aac) return payload.length > 1 && payload[1] === 0 ? frameFlags.sequenceHeader : 0;
  if (format !== audioFormats.enhanced) return 0;
  const packet = defaultTrackPacket(payload, audioPacketTypes.multitrack);
  if (packet < 0) return 0;
  switch (packet & 0x0f) {
    case enhancedPacketTypes.sequenceStart:
      return frameFlags.sequenceHeader;
    case enhancedPacketTypes.sequenceEnd:
      return frameFlags.endOfSequence;
    default:
      return 0;
  }
}
