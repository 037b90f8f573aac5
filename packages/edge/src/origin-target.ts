/** A stream of an edge as its origin knows it. */
import { formatTcUrl, type RtmpTarget } from '@srs/client';
import { defaultVhostName, type ServerAddress } from '@srs/config';

export interface OriginStream {
  /** Of this server. */
  readonly vhost: string;
  readonly app: string;
  readonly name: string;
  /** From the `?` on. */
  readonly param: string;
}

/** The vhost stands in the place of the host, as every RTMP server understands it. */
export function targetAt({ host, port }: ServerAddress, { vhost, app, name, param }: OriginStream): RtmpTarget {
  const named = vhost === defaultVhostName ? host : vhost;
  return { host, port, isSecure: false, tcUrl: formatTcUrl(named, port, app), app, streamName: `${name}${param}` };
}

export function describeOrigin({ host, port }: ServerAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
