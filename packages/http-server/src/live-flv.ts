/** Live streams as an FLV file without end. */
import type { VhostConfig } from '@srs/config';
import { encodeFlvHeader, flvTagBytes, writeFlvTag } from '@srs/flv';
import { type FrameType, frameTypes } from '@srs/kernel';
import type { FrameEncoder, FrameLine } from '@srs/stream';
import type { LiveFormat } from './live-format.ts';

/** What the vhost lets through: `has_audio`, `has_video`. */
const isLetThrough = ({ httpRemux }: VhostConfig, type: FrameType): boolean =>
  type === frameTypes.audio ? httpRemux.hasAudio : type !== frameTypes.video || httpRemux.hasVideo;

function flvEncoder(vhost: VhostConfig): FrameEncoder {
  const line: FrameLine = {
    encodedBytes: (type, _timestampMs, { length }) => (isLetThrough(vhost, type) ? flvTagBytes(length) : 0),
    encode: (target, offset, type, timestampMs, payload) => {
      if (isLetThrough(vhost, type)) writeFlvTag(target, offset, type, timestampMs, payload);
    },
  };
  return { openLine: () => line };
}

export const httpFlv: LiveFormat = {
  protocol: 'http-flv',
  contentType: 'video/x-flv',
  isForAll: true,
  refusal: () => undefined,
  // Players wait for every track that the header announces: it says what is there.
  head: ({ hasAudio, hasVideo }) => encodeFlvHeader({ hasAudio, hasVideo }),
  encoder: flvEncoder,
  isSame: ({ httpRemux: one }, { httpRemux: other }) => one.hasAudio === other.hasAudio && one.hasVideo === other.hasVideo,
};
