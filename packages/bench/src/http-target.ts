/** Where something is on an HTTP server: the machine to connect to, and what to ask it for. */
import { SrsError } from '@srs/kernel';

export interface HttpTarget {
  readonly scheme: 'http' | 'ws';
  /** Name or address to connect to; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** What the Host header says. */
  readonly authority: string;
  /** With its query. */
  readonly path: string;
}

const DEFAULT_PORT = 80;

/**
 * Takes an address apart: `http://host[:port]/path[?query]`, or `ws://`.
 *
 * @throws SrsError RequestUri when the text is no such address; the query, which may be secret, is not in the message
 */
export function parseHttpUrl(url: string): HttpTarget {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const scheme = schemeOf(parsed);
  if (parsed === undefined || scheme === undefined || parsed.hostname === '') {
    throw new SrsError(
      'RequestUri',
      `address ${JSON.stringify(url.split('?', 1)[0])} must be http://host[:port]/path, without TLS`,
    );
  }
  return {
    scheme,
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: parsed.port === '' ? DEFAULT_PORT : Number(parsed.port),
    authority: parsed.host,
    path: `${parsed.pathname}${parsed.search}`,
  };
}

function schemeOf(url: URL | undefined): HttpTarget['scheme'] | undefined {
  if (url?.protocol === 'http:') return 'http';
  return url?.protocol === 'ws:' ? 'ws' : undefined;
}

/** As messages name it: without the query, which may be secret. */
export function describeHttpTarget({ scheme, authority, path }: HttpTarget): string {
  return `${scheme}://${authority}${path.split('?', 1)[0]}`;
}

/** A request for a path of that server. */
export function requestText({ authority }: HttpTarget, path: string, headers: readonly string[] = []): string {
  return [`GET ${path} HTTP/1.1`, `Host: ${authority}`, 'User-Agent: srs-bench', 'Accept: */*', ...headers, '\r\n'].join('\r\n');
}
