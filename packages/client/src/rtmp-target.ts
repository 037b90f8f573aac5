/** Where a stream is: the machine to connect to, and what to ask it for. */
import { SrsError } from '@srs/kernel';

const DEFAULT_RTMP_PORT = 1935;
const DEFAULT_RTMPS_PORT = 443;
/** UTF-8 bytes of an address with its parameters. */
export const MAX_RTMP_URL_BYTES = 8192;
const MAX_PORT = 65_535;

export interface RtmpTarget {
  /** Name or address to connect to; IPv6 without brackets. It may differ from the host in `tcUrl`, which names the vhost. */
  readonly host: string;
  readonly port: number;
  /** RTMP within TLS: `rtmps://`. */
  readonly isSecure: boolean;
  /** What the connect command says: `rtmp://host[:port]/app[?parameters]`. */
  readonly tcUrl: string;
  /** One or more parts with slashes between them, and parameters if `tcUrl` has some. */
  readonly app: string;
  /** With its parameters; '' for a connection without a stream. */
  readonly streamName: string;
}

/*
 * rtmp://host[:port]/app[/more]/stream[?parameters]
 * rtmp://host[:port]/app[/more]?vhost=name/stream
 * rtmp://host[:port]/app...vhost...name/stream
 * All of them also with rtmps.
 */
const shape = /^rtmp(s?):\/\/(?:\[([0-9A-Fa-f:.]+)\]|([^/:@?#[\]]+))(?::(\d{1,5}))?\/(.+)$/;

/**
 * Takes the address of a stream apart. Parameters behind the stream belong to its name, those behind the app to the app.
 *
 * @throws SrsError RtmpTcUrl when the text is no such address; parameters, which may be secret, are not in the message
 */
export function parseRtmpUrl(url: string): RtmpTarget {
  const bytes = Buffer.byteLength(url);
  if (bytes > MAX_RTMP_URL_BYTES) {
    throw new SrsError('RtmpTcUrl', `rtmp address has ${bytes} bytes, must have at most ${MAX_RTMP_URL_BYTES}`);
  }
  const [, secure, ipv6, name, portText, path] = shape.exec(url) ?? [];
  const host = ipv6 ?? name;
  if (host === undefined || path === undefined || hasControlOrBlank(url)) {
    throw new SrsError('RtmpTcUrl', `address ${showUrl(url)} must be rtmp://host[:port]/app/stream, or the same with rtmps`);
  }
  const isSecure = secure === 's';
  const port = portText === undefined ? defaultPort(isSecure) : Number(portText);
  if (port < 1 || port > MAX_PORT) {
    throw new SrsError('RtmpTcUrl', `port ${port} of ${showUrl(url)} must be 1..${MAX_PORT}`);
  }
  const cut = endOfApp(path);
  const app = path.slice(0, Math.max(cut, 0)).replace(/^\/+|\/+$/g, '');
  const streamName = path.slice(cut + 1);
  if (app === '' || streamName === '') {
    throw new SrsError('RtmpTcUrl', `address ${showUrl(url)} must name an app and a stream: rtmp://host[:port]/app/stream`);
  }
  return { host, port, isSecure, tcUrl: formatTcUrl(host, port, app, isSecure), app, streamName };
}

/** The address that a connect command carries; port 1935, or 443 of `rtmps`, goes without saying. */
export function formatTcUrl(host: string, port: number, app: string, isSecure = false): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return `rtmp${isSecure ? 's' : ''}://${name}${port === defaultPort(isSecure) ? '' : `:${port}`}/${app}`;
}

const defaultPort = (isSecure: boolean): number => (isSecure ? DEFAULT_RTMPS_PORT : DEFAULT_RTMP_PORT);

/** The target as messages name it: without parameters, which may be secret. */
export function describeTarget(target: RtmpTarget): string {
  const { host, port, isSecure, app, streamName } = target;
  const stream = streamName === '' ? '' : `/${withoutParameters(streamName)}`;
  return `${formatTcUrl(host, port, withoutParameters(app), isSecure)}${stream}`;
}

/** The position of the slash between app and stream; -1 when there is none. */
function endOfApp(path: string): number {
  // The name of a vhost has no slash, so what follows the first one behind it is the stream.
  const vhost = /[?&]vhost=[^&/]*\/(?=.)/.exec(path);
  if (vhost !== null) return vhost.index + vhost[0].length - 1;
  const app = withoutParameters(path);
  return (app.includes('/') ? app : path).lastIndexOf('/');
}

function withoutParameters(text: string): string {
  return text.split('?', 1)[0] ?? '';
}

function showUrl(url: string): string {
  return JSON.stringify(withoutParameters(url).replace(/\/\/[^/]*@/, '//'));
}

function hasControlOrBlank(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code <= 0x20 || code === 0x7f) return true;
  }
  return false;
}
