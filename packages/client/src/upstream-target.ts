/** A stream of this server as another server knows it. */
import { defaultVhostName, type ServerAddress } from '@srs/config';
import { formatTcUrl, type RtmpTarget } from './rtmp-target.ts';

export interface UpstreamStream {
  /** Its name there; that of the default vhost goes without saying. */
  readonly vhost: string;
  readonly app: string;
  readonly name: string;
  /** From the `?` on. */
  readonly param: string;
}

/** The same app and stream there. The vhost goes along in the place of the host, as every RTMP server understands it. */
export function upstreamTarget({ vhost, app, name, param }: UpstreamStream, { host, port }: ServerAddress): RtmpTarget {
  const named = vhost === defaultVhostName ? host : vhost;
  return { host, port, isSecure: false, tcUrl: formatTcUrl(named, port, app), app, streamName: `${name}${param}` };
}

/**
 * The same stream over HTTP-FLV. The host stays that of the server, which may be one of many behind a proxy; the vhost goes along as
 * the parameter that SRS looks at and others pass over.
 */
export function httpFlvUrl(scheme: 'http' | 'https', stream: UpstreamStream, { host, port }: ServerAddress): URL {
  const { vhost, app, name, param } = stream;
  const url = new URL(`${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`);
  url.pathname = `/${[...app.split('/'), `${name}.flv`].map(encodeURIComponent).join('/')}`;
  url.search = param;
  if (vhost !== defaultVhostName && !url.searchParams.has('vhost')) {
    url.search += `${url.search === '' ? '' : '&'}vhost=${encodeURIComponent(vhost)}`;
  }
  return url;
}
