/** The ways to get a stream from an origin. */
import type { AmfObject } from '@srs/amf';
import {
  HttpFlvPlayer,
  httpFlvUrl,
  openFollowing,
  RtmpPlayer,
  type UpstreamPlay,
  type UpstreamPlayOptions,
  type UpstreamStream,
  upstreamTarget,
} from '@srs/client';
import type { ServerAddress } from '@srs/config';

/** Follows an origin that sends its clients elsewhere. @throws SrsError when the origin cannot be reached, or says no */
export type OpenUpstream = (origin: ServerAddress, options: UpstreamPlayOptions) => Promise<UpstreamPlay>;

const CHUNK_SIZE = 60_000;

/** @param identity what this server says of itself; undefined to say nothing */
export function rtmpUpstream(stream: UpstreamStream, identity: AmfObject | undefined): OpenUpstream {
  return async (origin, options) => {
    const player = await openFollowing(upstreamTarget(stream, origin), (target) =>
      RtmpPlayer.open(target, { ...options, chunkSize: CHUNK_SIZE, ...(identity === undefined ? {} : { args: identity }) }),
    );
    options.onAnswered(player.client.connected?.peer);
    return player;
  };
}

/** @param headers of each request; the identity is one of them */
export function httpFlvUpstream(
  scheme: 'http' | 'https',
  stream: UpstreamStream,
  headers: Readonly<Record<string, string>>,
): OpenUpstream {
  return (origin, options) => HttpFlvPlayer.open(httpFlvUrl(scheme, stream, origin), { ...options, headers });
}
