/** The ways to get a stream from an origin. */
import type { AmfObject } from '@srs/amf';
import {
  type CloseReason,
  HttpFlvPlayer,
  httpFlvUrl,
  openFollowing,
  RtmpPlayer,
  type RtmpTarget,
  redirectedBy,
  type UpstreamPlay,
  type UpstreamPlayOptions,
  type UpstreamStream,
  upstreamTarget,
} from '@srs/client';
import type { ServerAddress } from '@srs/config';

/** As `cluster { protocol }` has them. */
export type UpstreamProtocol = 'rtmp' | 'flv' | 'flvs';

/** A stream that is being played, and where its server sends its players if it does. */
interface OriginPlay {
  readonly play: UpstreamPlay;
  readonly protocol: UpstreamProtocol;
  /** @param reason why the play was over */
  movedTo(reason: CloseReason): Move | undefined;
}

export interface Move {
  readonly server: ServerAddress;
  readonly open: OpenUpstream;
}

/** Follows an origin that sends its clients elsewhere before it lets them in. @throws SrsError when the origin cannot be reached, or says no */
export type OpenUpstream = (origin: ServerAddress, options: UpstreamPlayOptions) => Promise<OriginPlay>;

const CHUNK_SIZE = 60_000;

/** @param identity what this server says of itself; undefined to say nothing */
export function rtmpUpstream(stream: UpstreamStream, identity: AmfObject | undefined): OpenUpstream {
  return (origin, options) => playRtmp(upstreamTarget(stream, origin), identity, options);
}

async function playRtmp(from: RtmpTarget, identity: AmfObject | undefined, options: UpstreamPlayOptions): Promise<OriginPlay> {
  const play = await openFollowing(from, (target) =>
    RtmpPlayer.open(target, { ...options, chunkSize: CHUNK_SIZE, ...(identity === undefined ? {} : { args: identity }) }),
  );
  options.onAnswered(play.client.connected?.peer);
  return {
    play,
    protocol: 'rtmp',
    movedTo: (reason) => {
      const target = redirectedBy(reason, play.client.target);
      return target === undefined ? undefined : { server: target, open: (_, next) => playRtmp(target, identity, next) };
    },
  };
}

/** @param headers of each request; the identity is one of them */
export function httpFlvUpstream(
  scheme: 'http' | 'https',
  stream: UpstreamStream,
  headers: Readonly<Record<string, string>>,
): OpenUpstream {
  return async (origin, options) => ({
    play: await HttpFlvPlayer.open(httpFlvUrl(scheme, stream, origin), { ...options, headers }),
    protocol: scheme === 'http' ? 'flv' : 'flvs',
    movedTo: () => undefined,
  });
}
