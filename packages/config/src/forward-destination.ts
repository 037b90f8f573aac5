/** Where streams are forwarded: a server, which gets them under their own names, or the URL of a stream, with variables. */
import { redact } from '@srs/kernel';
import { formatAddress, isIpv6, isPort, parseServerAddress } from './address-type.ts';
import { isPrintable, type ValueType } from './value-type.ts';

export interface ForwardDestination {
  /** IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Of the stream there, variables and secrets included; undefined where it keeps vhost, app, name and parameters. */
  readonly url: string | undefined;
}

const variables: readonly string[] = ['vhost', 'app', 'stream', 'param'];
const MAX_BYTES = 4096;
const defaultPorts = { rtmp: 1935, rtmps: 443 } as const;
/*
 * rtmp[s]://host[:port]/app[/more]/stream[?parameters]
 */
const urlPattern =
  /^(rtmps?):\/\/(?:\[([0-9a-fA-F:.]{1,45})\]|([A-Za-z0-9_.-]{1,253}))(?::(\d{1,5}))?((?:\/[^/?\s]+){2,}(?:\?\S*)?)$/;

export const forwardDestinationAllowed =
  'host, host:port, [ipv6]:port, or rtmp://host[:port]/app/stream, the same with rtmps, with the variables [vhost] [app] [stream] [param]';

/** @returns undefined when `text` is not what `forwardDestinationAllowed` says */
export function parseForwardDestination(text: string): ForwardDestination | undefined {
  if (!/^[a-z]+:\/\//i.test(text)) {
    const server = parseServerAddress(text);
    return server === undefined ? undefined : { ...server, url: undefined };
  }
  const [, schema, ipv6, name, portText, path] = urlPattern.exec(text) ?? [];
  const host = ipv6 ?? name;
  if (schema === undefined || host === undefined || path === undefined) return undefined;
  const port = portText === undefined ? defaultPorts[schema as keyof typeof defaultPorts] : Number(portText);
  const isAllowed =
    isPort(port) && (ipv6 === undefined || isIpv6(ipv6)) && isPrintable(text) && Buffer.byteLength(text) <= MAX_BYTES;
  const isKnown = Array.from(path.matchAll(/\[(\w*)\]/g), (match) => match[1]!).every((word) => variables.includes(word));
  return isAllowed && isKnown ? { host, port, url: text } : undefined;
}

/** As it is written, secrets hidden. */
export function describeForwardDestination({ url, ...address }: ForwardDestination): string {
  return url === undefined ? formatAddress(address) : redact(url);
}

export const forwardDestinations: ValueType<readonly ForwardDestination[]> = {
  allowed: `one or more of: ${forwardDestinationAllowed}`,
  takesMany: true,
  absent: [],
  read(args, context) {
    return args.flatMap((arg) => {
      const destination = parseForwardDestination(arg);
      if (destination === undefined) context.refuse(redact(arg), forwardDestinationAllowed);
      return destination ?? [];
    });
  },
};
