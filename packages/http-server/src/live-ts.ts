/** Live streams as MPEG-TS without end. */
import type { VhostConfig } from '@srs/config';
import { LiveStarts, LiveTsLine, type LiveTsOptions } from '@srs/mpegts';
import type { FrameEncoder } from '@srs/stream';
import type { LiveFormat } from './live-format.ts';

const noHead = Buffer.alloc(0);

function tsEncoder({ httpRemux: { hasAudio, hasVideo } }: VhostConfig, onDropped: (error: unknown) => void): FrameEncoder {
  const options: LiveTsOptions = { hasAudio, hasVideo, starts: new LiveStarts(), onDropped };
  return { openLine: (from) => new LiveTsLine(options, from instanceof LiveTsLine ? from : undefined) };
}

export const httpTs: LiveFormat = {
  protocol: 'http-ts',
  contentType: 'video/MP2T',
  isForAll: false,
  refusal: ({ videoCodec, audioCodec }) => {
    if (videoCodec === 'avc' || videoCodec === 'hevc' || audioCodec === 'aac' || audioCodec === 'mp3') return undefined;
    return `the stream has video ${videoCodec ?? 'none'} and audio ${audioCodec ?? 'none'}: mpeg-ts must have avc, hevc, aac or mp3`;
  },
  head: () => noHead,
  encoder: tsEncoder,
  isSame: ({ httpRemux: one }, { httpRemux: other }) => one.hasAudio === other.hasAudio && one.hasVideo === other.hasVideo,
};
