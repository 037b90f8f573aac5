/** The address a client connects with: `rtmp://host[:port]/app[?vhost=name&...]`. */
import { SrsError } from '@srs/kernel';
import { defaultRtmpPort, isPort } from './address-type.ts';
import { findHostFault, findNameFault, findVhostParam, hasUnprintable, normalizeHost, normalizeName } from './name-check.ts';
import { showValue } from './problem.ts';

/** UTF-8 bytes of a tcUrl with its parameters. */
export const maxTcUrlBytes = 8192;

export interface TcUrl {
  /** Before `://`: `rtmp`. */
  readonly schema: string;
  /** Without brackets if it is an IPv6 address. */
  readonly host: string;
  /** 1935 if the URL names none. */
  readonly port: number;
  /** The `vhost` parameter, or else the host; not yet looked up in the configuration. */
  readonly vhost: string;
  /** One or more parts with slashes between them, safe to be part of a path. */
  readonly app: string;
  /** From the first `?` of the app on, as the client wrote it; empty if there is none. */
  readonly param: string;
}

// `,` `...` `&&` and `=` each stand for `?`: many encoders do not let `?` through.
const separator = /\?|,|\.\.\.|&&|=/;

/**
 * Takes a tcUrl apart as SRS does; besides, a single `&` ends the value of `vhost`.
 *
 * @throws SrsError RtmpTcUrl when schema, host, port, vhost or app is missing or not acceptable
 */
export function parseTcUrl(tcUrl: string): TcUrl {
  const bytes = Buffer.byteLength(tcUrl);
  if (bytes > maxTcUrlBytes) throw new SrsError('RtmpTcUrl', `tcUrl has ${bytes} bytes, must have at most ${maxTcUrlBytes}`);
  const refuse = (reason: string): never => {
    throw new SrsError('RtmpTcUrl', `tcUrl ${showValue(tcUrl)} ${reason}`);
  };

  const [, schema, authority = '', rest = ''] = /^([A-Za-z][A-Za-z0-9+.-]{0,15}):\/\/([^/]*)(?:\/(.*))?$/s.exec(tcUrl) ?? [];
  if (schema === undefined) return refuse('must begin with a schema, such as rtmp://');
  const { host, port } = parseAuthority(authority);
  const hostFault = findHostFault(host);
  if (hostFault !== undefined) return refuse(`must name a host: it ${hostFault}`);
  if (!isPort(port)) return refuse('must have a port of 1..65535');

  const paramStart = rest.indexOf('?');
  const param = paramStart === -1 ? '' : rest.slice(paramStart);
  const split = separator.exec(rest);
  const app = normalizeName(split === null ? rest : rest.slice(0, split.index));
  const appFault = findNameFault(app);
  if (appFault !== undefined) return refuse(`must name an app: it ${appFault}`);

  // Parameters travel on into hooks, logs and the URLs of upstream servers.
  if (hasUnprintable(param)) return refuse('has a control or invisible character in its parameters');
  const given = split === null ? undefined : findVhostParam(rest.slice(split.index + split[0].length));
  const vhost = given === undefined ? host : normalizeHost(given);
  const vhostFault = findHostFault(vhost);
  if (vhostFault !== undefined) return refuse(`must name a vhost: it ${vhostFault}`);
  return { schema: schema.toLowerCase(), host, port, vhost, app, param };
}

/** `port` is NaN when it is not a number. */
function parseAuthority(authority: string): { readonly host: string; readonly port: number } {
  const clean = normalizeHost(authority);
  const [, ipv6, name, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(clean) ?? [];
  return {
    host: ipv6 ?? name ?? '',
    port: port === undefined ? defaultRtmpPort : /^\d{1,5}$/.test(port) ? Number(port) : Number.NaN,
  };
}
