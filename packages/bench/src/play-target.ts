/** What a player plays, by the scheme of its address. */

import { describeTarget, parseRtmpUrl } from '@srs/client';
import { SrsError } from '@srs/kernel';
import { FlvPlay } from './flv-play.ts';
import { describeHttpTarget, parseHttpUrl } from './http-target.ts';
import type { PlayLink, PlayProtocol } from './play-protocol.ts';
import { RtmpPlay } from './rtmp-play.ts';

export interface PlayTarget {
  /** Name or address to connect to; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** As messages name it: without parameters, which may be secret. */
  readonly name: string;
  readonly open: (link: PlayLink) => PlayProtocol;
}

const httpSchemes = /^(?:http|ws)s?:/i;
/** Without a query: what lets in a player is nothing for a publisher. */
const flvPath = /^\/(.+\/.+)\.flv$/;

export function isHttpUrl(url: string): boolean {
  return httpSchemes.test(url);
}

/**
 * `rtmp://` is RTMP, `http://` HTTP-FLV, `ws://` the same over a WebSocket.
 *
 * @throws SrsError RtmpTcUrl or RequestUri when the text is no such address, or one that begins with `rtmps://`
 */
export function parsePlayUrl(url: string): PlayTarget {
  if (isHttpUrl(url)) {
    const target = parseHttpUrl(url);
    const { host, port } = target;
    return { host, port, name: describeHttpTarget(target), open: (link) => new FlvPlay(target, link) };
  }
  const target = parseRtmpUrl(url);
  const { host, port, isSecure } = target;
  if (isSecure)
    throw new SrsError('RtmpTcUrl', `${describeTarget(target)} must begin with rtmp://: players of srs-bench speak no TLS`);
  return { host, port, name: describeTarget(target), open: (link) => new RtmpPlay(target, link) };
}

/**
 * Where the stream of an address is published: under the same app and name, at the port of RTMP.
 *
 * @returns undefined when the address does not tell app and name, as `/app/stream.flv` does
 */
export function publishUrlOf(url: string): string | undefined {
  if (!isHttpUrl(url)) return url;
  const { host, path } = parseHttpUrl(url);
  const [, stream] = flvPath.exec(path) ?? [];
  // Also `{n}` has been written as an address has to write it.
  const name = stream === undefined ? undefined : decodePath(stream);
  return name === undefined ? undefined : `rtmp://${host.includes(':') ? `[${host}]` : host}/${name}`;
}

function decodePath(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
