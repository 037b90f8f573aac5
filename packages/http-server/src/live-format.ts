/** Live streams as they go over HTTP: the formats, by the ending of the URL. */
import type { PlayFormat } from '@srs/clients';
import type { VhostConfig } from '@srs/config';
import { encodeFlvHeader, flvTagBytes, writeFlvTag } from '@srs/flv';
import { type FrameType, frameTypes } from '@srs/kernel';
import type { FoundTracks, FrameEncoder } from '@srs/stream';
import { binaryMessage, messageHeadBytes, writeMessageHead } from './web-socket-message.ts';

/** A format of live streams. */
export interface LiveFormat extends PlayFormat {
  readonly contentType: string;
  /** What every player gets before the first frame. */
  head(tracks: Omit<FoundTracks, 'isCertain'>): Buffer;
}

type Tracks = Parameters<LiveFormat['head']>[0];

/** What the vhost lets through: `has_audio`, `has_video`. */
const isLetThrough = ({ httpRemux }: VhostConfig, type: FrameType): boolean =>
  type === frameTypes.audio ? httpRemux.hasAudio : type !== frameTypes.video || httpRemux.hasVideo;

const isSame = ({ httpRemux: one }: VhostConfig, { httpRemux: other }: VhostConfig): boolean =>
  one.hasAudio === other.hasAudio && one.hasVideo === other.hasVideo;

function flvEncoder(vhost: VhostConfig): FrameEncoder {
  return {
    encodedBytes: (type, _timestampMs, payloadLength) => (isLetThrough(vhost, type) ? flvTagBytes(payloadLength) : 0),
    encode: (target, offset, type, timestampMs, payload) => {
      if (isLetThrough(vhost, type)) writeFlvTag(target, offset, type, timestampMs, payload);
    },
  };
}

/** Each tag is a message of its own, so that players of one stream share the bytes whatever they got before. */
function webSocketFlvEncoder(vhost: VhostConfig): FrameEncoder {
  return {
    encodedBytes: (type, _timestampMs, payloadLength) => {
      if (!isLetThrough(vhost, type)) return 0;
      const tagBytes = flvTagBytes(payloadLength);
      return messageHeadBytes(tagBytes) + tagBytes;
    },
    encode: (target, offset, type, timestampMs, payload) => {
      if (!isLetThrough(vhost, type)) return;
      const tagOffset = writeMessageHead(target, offset, flvTagBytes(payload.length));
      writeFlvTag(target, tagOffset, type, timestampMs, payload);
    },
  };
}

/** Players wait for every track that the header announces: it says what is there. */
const flvHead = ({ hasAudio, hasVideo }: Tracks): Buffer => encodeFlvHeader({ hasAudio, hasVideo });

export const httpFlv: LiveFormat = { contentType: 'video/x-flv', head: flvHead, encoder: flvEncoder, isSame };

export const webSocketFlv: LiveFormat = {
  contentType: 'video/x-flv',
  head: (tracks) => binaryMessage(flvHead(tracks)),
  encoder: webSocketFlvEncoder,
  isSame,
};
