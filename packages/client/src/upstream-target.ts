/** A stream of this server as another server knows it. */
import { defaultVhostName, type ServerAddress } from '@srs/config';
import { formatTcUrl, type RtmpTarget } from './rtmp-target.ts';

export interface UpstreamStream {
  /** Its name, of this server. */
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
