/** The address that a client is sent to which is not served here: from the answer of a hook server, or from an operator. */
import { SrsError } from '@srs/kernel';
import { defaultRtmpPort, isPort } from './address-type.ts';
import { findHostFault, hasUnprintable } from './name-check.ts';
import { parseStreamName } from './stream-name.ts';
import { parseTcUrl } from './tc-url.ts';

export type RedirectTarget =
  /** The same vhost, app and stream on another server. */
  | { readonly kind: 'server'; readonly host: string; readonly port: number; readonly isSecure: boolean }
  /** An app, and a stream of it; '' is the stream that the client asks for. */
  | { readonly kind: 'stream'; readonly tcUrl: string; readonly streamName: string }
  /** For viewers over HTTP. */
  | { readonly kind: 'http'; readonly url: string };

const MAX_BYTES = 8192;
const DEFAULT_RTMPS_PORT = 443;
const allowed = 'rtmp://host[:port][/app[/stream]], the same with rtmps, or an http or https address';

/**
 * @throws SrsError RtmpTcUrl or RtmpStreamName when nobody could be sent there; parameters, which may be secret, are not in the message
 */
export function parseRedirectTarget(text: string): RedirectTarget {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_BYTES) throw new SrsError('RtmpTcUrl', `address has ${bytes} bytes, must have at most ${MAX_BYTES}`);
  const [, schema = '', authority = '', rest = ''] = /^(https?|rtmps?):\/\/([^/?#]+)(.*)$/s.exec(text) ?? [];
  if (authority === '' || authority.includes('@') || /\s/.test(text) || hasUnprintable(text)) {
    throw new SrsError('RtmpTcUrl', `address ${shown(text)} must be ${allowed}`);
  }
  if (schema.startsWith('http')) return httpTarget(text);
  const path = rest.replace(/^\/+|\/+$/g, '');
  const server = serverOf(text, authority, schema === 'rtmps');
  if (path === '') return server;
  const cut = endOfApp(path);
  const app = cut < 0 ? path : path.slice(0, cut);
  const streamName = cut < 0 ? '' : path.slice(cut + 1);
  const tcUrl = `${schema}://${authority}/${app}`;
  parseTcUrl(tcUrl);
  if (streamName !== '') parseStreamName(streamName);
  return { kind: 'stream', tcUrl, streamName };
}

/** For the log: without parameters. */
export function describeRedirectTarget(target: RedirectTarget): string {
  switch (target.kind) {
    case 'server':
      return serverUrl(target);
    case 'stream':
      return [target.tcUrl, target.streamName]
        .filter((part) => part !== '')
        .map(withoutParameters)
        .join('/');
    case 'http':
      return withoutParameters(target.url);
  }
}

/** `rtmp://host[:port]`; the port goes without saying where it is the usual one. */
export function serverUrl({ host, port, isSecure }: RedirectTarget & { readonly kind: 'server' }): string {
  const name = host.includes(':') ? `[${host}]` : host;
  const isUsual = port === (isSecure ? DEFAULT_RTMPS_PORT : defaultRtmpPort);
  return `rtmp${isSecure ? 's' : ''}://${name}${isUsual ? '' : `:${port}`}`;
}

function httpTarget(url: string): RedirectTarget {
  if (!URL.canParse(url)) throw new SrsError('RtmpTcUrl', `address ${shown(url)} must be ${allowed}`);
  // In the form in which it fits into a header.
  return { kind: 'http', url: new URL(url).href };
}

function serverOf(text: string, authority: string, isSecure: boolean): RedirectTarget & { readonly kind: 'server' } {
  const [, ipv6, name, portText] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(authority) ?? [];
  const host = ipv6 ?? name ?? '';
  const port = portText === undefined ? (isSecure ? DEFAULT_RTMPS_PORT : defaultRtmpPort) : Number(portText);
  const fault = findHostFault(host);
  if (fault !== undefined) throw new SrsError('RtmpTcUrl', `address ${shown(text)} must be ${allowed}`);
  if (!isPort(port)) throw new SrsError('RtmpTcUrl', `address ${shown(text)} must have a port of 1..65535`);
  return { kind: 'server', host, port, isSecure };
}

/** The position of the slash between app and stream; -1 when there is none. */
function endOfApp(path: string): number {
  // The name of a vhost has no slash, so what follows the first one behind it is the stream.
  const vhost = /[?&]vhost=[^&/]*\/(?=.)/.exec(path);
  return vhost === null ? withoutParameters(path).lastIndexOf('/') : vhost.index + vhost[0].length - 1;
}

const withoutParameters = (text: string): string => text.split('?', 1)[0] ?? '';

const shown = (text: string): string =>
  JSON.stringify(
    withoutParameters(text)
      .replace(/\/\/[^/]*@/, '//')
      .slice(0, 200),
  );
