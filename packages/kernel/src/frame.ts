/** A media frame as it travels from publisher to player: the body of an FLV tag plus a few facts about it. */

/** The type numbers that RTMP messages and FLV tags share. */
export const frameTypes = { audio: 8, video: 9, data: 18 } as const;
export type FrameType = (typeof frameTypes)[keyof typeof frameTypes];

/** Bits of a frame's flags. */
export const frameFlags = {
  /** A video frame at which decoding can start. */
  keyFrame: 1 << 0,
  /** Decoder configuration (AVC/HEVC/AV1 configuration record, AudioSpecificConfig), not a picture or sound. */
  sequenceHeader: 1 << 1,
  /** onMetaData. */
  metadata: 1 << 2,
  /** An enhanced-RTMP metadata packet (colour information): late joiners need it, it is not a picture. */
  videoMetadata: 1 << 3,
  /** End of sequence: no more frames of this track. */
  endOfSequence: 1 << 4,
} as const;

/** RTMP timestamps count milliseconds in 31 bits. */
export const TIMESTAMP_MASK = 0x7fffffff;

/** The signed distance from `from` to `to` on the 31-bit circle of RTMP timestamps, in -2^30 .. 2^30-1 ms. */
export function timestampDelta(from: number, to: number): number {
  return ((to - from) << 1) >> 1;
}
