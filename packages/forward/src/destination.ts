/** Where a stream is forwarded to: the address of the configuration made into that of the stream. */
import { formatTcUrl, type RtmpTarget } from '@srs/client';
import { defaultVhostName, type ServerAddress } from '@srs/config';
import type { OutputStream } from '@srs/stream';

/** For messages and the API: `10.0.0.1:1935`. */
export function describeAddress({ host, port }: ServerAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** The same app and stream there. The vhost goes along in the place of the host, as every RTMP server understands it. */
export function targetFor(stream: OutputStream, { host, port }: ServerAddress): RtmpTarget {
  const { vhost, app, name, param } = stream;
  const named = vhost.name === defaultVhostName ? host : vhost.name;
  return { host, port, isSecure: false, tcUrl: formatTcUrl(named, port, app), app, streamName: `${name}${param}` };
}
