/** Frames as RTMP chunks, the same bytes for every player of a stream. */
import type { PlayFormat } from '@srs/clients';
import { type FrameType, frameTypes } from '@srs/kernel';
import { chunkedBytes, chunkStreamIds, MEDIA_STREAM_ID, writeChunks } from '@srs/rtmp';
import type { FrameEncoder, FrameLine } from '@srs/stream';

function chunkStreamOf(type: FrameType): number {
  switch (type) {
    case frameTypes.audio:
      return chunkStreamIds.audio;
    case frameTypes.video:
      return chunkStreamIds.video;
    case frameTypes.data:
      return chunkStreamIds.data;
  }
}

/** @param chunkSize as announced to every player of the vhost */
export function rtmpFrameEncoder(chunkSize: number): FrameEncoder {
  const line: FrameLine = {
    encodedBytes: (type, timestampMs, { length }) => chunkedBytes(length, timestampMs, chunkSize, chunkStreamOf(type)),
    encode: (target, offset, type, timestampMs, payload) => {
      writeChunks(target, offset, chunkStreamOf(type), type, timestampMs, MEDIA_STREAM_ID, payload, chunkSize);
    },
  };
  return { openLine: () => line };
}

export const rtmpFormat: PlayFormat = {
  protocol: 'rtmp',
  encoder: ({ chunkSize }) => rtmpFrameEncoder(chunkSize),
  isSame: (one, other) => one.chunkSize === other.chunkSize,
};
