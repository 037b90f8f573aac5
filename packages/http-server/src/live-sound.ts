/** The sound of live streams alone: AAC and MP3 files without end. */
import type { LiveProtocol } from '@srs/clients';
import { SoundLine, type SoundLineOptions } from '@srs/mpegts';
import type { LiveFormat } from './live-format.ts';

type SoundCodec = SoundLineOptions['codec'];

const noHead = Buffer.alloc(0);

export const httpAac = soundFormat('http-aac', 'audio/aac', 'aac');
export const httpMp3 = soundFormat('http-mp3', 'audio/mpeg', 'mp3');

function soundFormat(protocol: LiveProtocol, contentType: string, codec: SoundCodec): LiveFormat {
  return {
    protocol,
    contentType,
    isForAll: false,
    refusal: ({ audioCodec }) =>
      audioCodec === codec ? undefined : `the stream has audio ${audioCodec ?? 'none'}: it must have ${codec}`,
    head: () => noHead,
    encoder: ({ httpRemux: { hasAudio } }, onDropped) => ({
      openLine: (from) => new SoundLine({ codec, hasAudio, onDropped }, from instanceof SoundLine ? from : undefined),
    }),
    isSame: ({ httpRemux: one }, { httpRemux: other }) => one.hasAudio === other.hasAudio,
    // Sound can be played from anywhere, and what a picture begins with has no meaning for it.
    startBackMs: ({ httpRemux: { fastCacheMs } }) => fastCacheMs,
  };
}
