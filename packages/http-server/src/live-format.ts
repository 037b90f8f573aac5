/** Live streams as they go over HTTP: the formats, by the ending of the URL. */
import type { LiveProtocol, PlayFormat } from '@srs/clients';
import type { VhostConfig } from '@srs/config';
import type { FoundTracks } from '@srs/stream';
import { httpFlv } from './live-flv.ts';
import { inMessages } from './live-messages.ts';
import { httpAac, httpMp3 } from './live-sound.ts';
import { httpTs } from './live-ts.ts';
import { binaryMessage } from './web-socket-message.ts';

export type LiveTracks = Omit<FoundTracks, 'isCertain'>;

/** A format of live streams. */
export interface LiveFormat extends PlayFormat {
  readonly protocol: LiveProtocol;
  readonly contentType: string;
  /** Any stream can be had in it: the answer need not wait for one. */
  readonly isForAll: boolean;
  /** Why a stream with these tracks cannot be had in it; undefined when it can. */
  refusal(tracks: LiveTracks): string | undefined;
  /** What every player gets before the first frame; may be empty. */
  head(tracks: LiveTracks): Buffer;
}

/** How one ending is served. */
interface Served {
  readonly http: LiveFormat;
  readonly webSocket: LiveFormat;
}

const served = (http: LiveFormat, protocol: LiveProtocol): Served => ({ http, webSocket: overWebSocket(http, protocol) });

export const liveFormats = {
  flv: served(httpFlv, 'ws-flv'),
  ts: served(httpTs, 'ws-ts'),
  aac: served(httpAac, 'ws-aac'),
  mp3: served(httpMp3, 'ws-mp3'),
} as const satisfies Readonly<Record<string, Served>>;

export type LiveEnding = keyof typeof liveFormats;

export const liveEndings = Object.keys(liveFormats) as readonly LiveEnding[];

/** What the vhost leaves out is not there. */
export function letThrough(tracks: LiveTracks, { httpRemux: { hasAudio, hasVideo } }: VhostConfig): LiveTracks {
  return {
    hasAudio: tracks.hasAudio && hasAudio,
    hasVideo: tracks.hasVideo && hasVideo,
    audioCodec: hasAudio ? tracks.audioCodec : undefined,
    videoCodec: hasVideo ? tracks.videoCodec : undefined,
  };
}

/** Each frame is a message of its own. */
function overWebSocket(format: LiveFormat, protocol: LiveProtocol): LiveFormat {
  return {
    ...format,
    protocol,
    head: (tracks) => {
      const head = format.head(tracks);
      return head.length === 0 ? head : binaryMessage(head);
    },
    encoder: (vhost, onDropped) => inMessages(format.encoder(vhost, onDropped)),
  };
}
