/** What a destination means for one stream: where to connect, and what to publish there. */
import { parseRtmpUrl, type RtmpTarget, upstreamTarget } from '@srs/client';
import type { ForwardDestination } from '@srs/config';
import type { OutputStream } from '@srs/stream';

type NamedStream = Pick<OutputStream, 'app' | 'name' | 'param'> & { readonly vhost: { readonly name: string } };

/** @throws SrsError RtmpTcUrl when the URL is too long with what its variables stand for */
export function destinationTarget({ url, ...address }: ForwardDestination, stream: NamedStream): RtmpTarget {
  const { vhost, app, name, param } = stream;
  if (url === undefined) return upstreamTarget({ vhost: vhost.name, app, name, param }, address);
  return parseRtmpUrl(
    url.replace(/\[(vhost|app|stream|param)\]/g, (_, variable: string, at: number) => {
      switch (variable) {
        case 'vhost':
          return vhost.name;
        case 'app':
          return app;
        case 'stream':
          return name;
        default:
          // Behind parameters of its own.
          return url.slice(0, at).includes('?') ? param.replace('?', '&') : param;
      }
    }),
  );
}
