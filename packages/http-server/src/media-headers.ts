/** The headers that every answer of the HTTP server of files and streams has. */
import type { MediaServices } from './media-services.ts';

type Headers = Readonly<Record<string, string>>;

/** Never with `Access-Control-Allow-Credentials`: pages read what everybody can read. */
const corsHeaders: Headers = {
  'Access-Control-Allow-Origin': '*',
  // Without it a script sees the body of an answer, but neither its size nor which part it is.
  'Access-Control-Expose-Headers': 'Server,Content-Length,Content-Range,Accept-Ranges,ETag',
};

/** What a browser wants to know before it lets a page of another site ask; as SRS tells it. */
export const preflightHeaders: Headers = {
  'Access-Control-Allow-Methods': 'GET, POST, HEAD, PUT, DELETE',
  'Access-Control-Allow-Headers': 'Cache-Control,X-Proxy-Authorization,X-Requested-With,Content-Type,Authorization,Range',
};

export function mediaHeaders(services: Pick<MediaServices, 'config' | 'identity'>): () => Headers {
  const closed: Headers = { Server: `SRS/${services.identity.version}`, 'X-Content-Type-Options': 'nosniff' };
  const open: Headers = { ...closed, ...corsHeaders };
  return () => (services.config().httpStream.crossdomain ? open : closed);
}
