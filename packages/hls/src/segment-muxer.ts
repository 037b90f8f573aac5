/** Makes the bytes of segments from frames. */
import type { FrameType } from '@srs/kernel';
import { FlvToTs } from '@srs/mpegts';

export interface SegmentMuxer {
  /** A segment begins with the next frame; the one before it has ended. */
  begin(): void;
  /** Decoder configuration for what follows. @throws SrsError HlsDecode */
  onHeader(type: FrameType, payload: Buffer): void;
  /** Hot path. @param payload valid during the call only. @throws SrsError HlsDecode */
  onFrame(type: FrameType, timestampMs: number, payload: Buffer): void;
  /** Gives out everything that belongs to the segment and has been held back. */
  end(): void;
}

/** @param output is given the bytes of the segment, its own from then on */
export type CreateMuxer = (output: (bytes: Buffer) => void) => SegmentMuxer;

/** MPEG-TS: each segment begins with its tables, and can be played alone. */
export const createTsMuxer: CreateMuxer = (output) => {
  const muxer = new FlvToTs({ output });
  return {
    begin: () => muxer.beginFile(),
    onHeader: (type, payload) => muxer.onHeader(type, payload),
    onFrame: (type, timestampMs, payload) => muxer.onFrame(type, timestampMs, payload),
    end: () => muxer.flush(),
  };
};
