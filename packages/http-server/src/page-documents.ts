/** What the page is told of the live streams. */
import { type Config, resolveVhost, splitStreamId } from '@srs/config';
import { flvPath, hlsPath, rtmpServerUrl } from './page-urls.ts';
import type { StreamView } from './server-view.ts';

/** A stream as the page knows it. */
export type PageStream = Pick<StreamView, 'streamId' | 'publisher' | 'publishSeconds' | 'players' | 'video' | 'audio'>;

export interface PageDocument {
  /** `rtmp://host[:port]`, for who wants to publish. */
  readonly rtmp: string;
  /** How many are published, also when not all of them are listed. */
  readonly total: number;
  /** By app and name. Those that nobody publishes are left out: whoever asks for one makes up its name. */
  readonly streams: readonly PageStreamDocument[];
}

interface PageStreamDocument {
  readonly app: string;
  readonly stream: string;
  readonly isPublished: boolean;
  /** Tells one publish from the next; null while there is none. */
  readonly publishId: number | null;
  readonly publishSeconds: number;
  readonly players: number;
  readonly video: StreamView['video'];
  readonly audio: StreamView['audio'];
  readonly urls: PageStreamUrls;
}

interface PageStreamUrls {
  readonly rtmp: string;
  /** Paths at the server that was asked; null for what it does not serve. */
  readonly flv: string | null;
  readonly hls: string | null;
}

/** Who needs more than that uses the API. */
const MAX_STREAMS = 500;

export interface PageRequest {
  /** That the client reached the server by, without a port. */
  readonly host: string;
  /** The vhost it asks for instead; goes into the URLs. */
  readonly vhostName: string | undefined;
  /** `app/stream`, which is listed in any case if it is known. */
  readonly streamName: string | undefined;
}

/** The streams of the vhost that serves the host, for that is what its URLs lead to. */
export function pageDocument(config: Config, streams: readonly PageStream[], request: PageRequest): PageDocument {
  const { host, vhostName, streamName } = request;
  const rtmp = rtmpServerUrl(config, host);
  const found = resolveVhost(config, vhostName ?? host);
  if (found.kind !== 'found') return { rtmp, total: 0, streams: [] };
  const { vhost } = found;
  // RTMP has no escapes.
  const rtmpQuery = vhostName === undefined ? '' : `?vhost=${vhost.name}`;
  const query = vhostName === undefined ? '' : `?vhost=${encodeURIComponent(vhost.name)}`;
  const withQuery = (path: string | null): string | null => (path === null ? null : path + query);
  const isAskedFor = ({ app, stream }: { app: string; stream: string }): boolean => `${app}/${stream}` === streamName;
  const all = streams
    .map((stream) => ({ ...stream, ...splitStreamId(stream.streamId) }))
    .filter((stream) => stream.vhost === vhost.name && (stream.publisher !== null || isAskedFor(stream)))
    .sort((one, other) => compare(one.app, other.app) || compare(one.stream, other.stream));
  const listed = all.filter((stream, index) => index < MAX_STREAMS || isAskedFor(stream));
  const documents = listed.map(({ app, stream, publisher, publishSeconds, players, video, audio }) => {
    const name = { vhost, app, stream };
    return {
      app,
      stream,
      isPublished: publisher !== null,
      publishId: publisher?.cid ?? null,
      publishSeconds,
      players,
      video,
      audio,
      urls: {
        rtmp: `${rtmp}/${app}/${stream}${rtmpQuery}`,
        flv: withQuery(flvPath(name)),
        hls: withQuery(hlsPath(config, name)),
      },
    };
  });
  return { rtmp, total: all.filter(({ publisher }) => publisher !== null).length, streams: documents };
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
