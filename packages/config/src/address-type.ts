/** Addresses in directives: what to listen on, and which servers to connect to. */
import type { ReadContext, ValueType } from './value-type.ts';

/** A TCP address to listen on. `host` is an IPv4 or IPv6 address without brackets. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Another server: a name or an address (IPv6 without brackets) and its port. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/** A server as an edge is told of it: which port goes without saying depends on the protocol. */
export interface OriginAddress {
  readonly host: string;
  readonly port: number | undefined;
}

/** All IPv4 interfaces, what SRS binds. */
export const anyHost = '0.0.0.0';
/** What RTMP clients assume when an address names no port. */
export const defaultRtmpPort = 1935;
const defaultApiPort = 1985;

const maxPort = 65535;

/** `host:port` with brackets around IPv6. */
export function formatAddress(address: ListenAddress | ServerAddress): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

export function isIpv4(text: string): boolean {
  return (
    text.length <= 15 && /^(0|[1-9]\d*)(\.(0|[1-9]\d*)){3}$/.test(text) && text.split('.').every((part) => Number(part) <= 255)
  );
}

/** Hexadecimal groups with at most one `::`, the last two groups optionally as IPv4. Zone indexes are not accepted. */
export function isIpv6(text: string): boolean {
  if (text.length > 45 || !/^[0-9a-fA-F:.]+$/.test(text)) return false;
  const lastColon = text.lastIndexOf(':');
  const tail = text.slice(lastColon + 1);
  if (tail.includes('.')) return isIpv4(tail) && isIpv6(`${text.slice(0, lastColon + 1)}0:0`);
  const [head = '', rest, ...more] = text.split('::');
  if (more.length > 0) return false;
  const groups = [head, rest ?? ''].flatMap((part) => (part === '' ? [] : part.split(':')));
  const isGroups = groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group));
  return isGroups && (rest === undefined ? groups.length === 8 : groups.length <= 7);
}

export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= maxPort;
}

const listenAllowed = 'a port (1..65535), ip:port or [ipv6]:port';

function parseListen(text: string, defaultHost: string, context: ReadContext): ListenAddress | undefined {
  const [, ipv6, ipv4, withHost] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? [];
  if (withHost !== undefined) {
    const port = Number(withHost);
    if (isPort(port) && ipv6 !== undefined && isIpv6(ipv6)) return { host: ipv6.toLowerCase(), port };
    if (isPort(port) && ipv4 !== undefined && isIpv4(ipv4)) return { host: ipv4, port };
    context.refuse(text, listenAllowed);
    return undefined;
  }
  // An address without its port begins with digits too; SRS would listen on port 127 for 127.0.0.1.
  const digits = /^\d{1,9}(?![\d.:])/.exec(text)?.[0] ?? '';
  const port = Number(digits);
  if (!isPort(port) || (digits !== text && !context.isLenient)) {
    context.refuse(text, listenAllowed);
    return undefined;
  }
  if (digits !== text) context.warn(text, `is not a plain number and is read as ${port}`);
  return { host: defaultHost, port };
}

export function listenAddress(defaultHost: string): ValueType<ListenAddress> {
  return {
    allowed: listenAllowed,
    takesMany: false,
    absent: { host: defaultHost, port: 0 },
    read: ([text = ''], context) => parseListen(text, defaultHost, context),
  };
}

/** One or more addresses; the same one twice counts once. */
export const listenAddresses: ValueType<readonly ListenAddress[]> = {
  allowed: `one or more of: ${listenAllowed}`,
  takesMany: true,
  absent: [],
  read(args, context) {
    const addresses: ListenAddress[] = [];
    for (const arg of args) {
      const address = parseListen(arg, anyHost, context);
      if (address === undefined) continue;
      const isKnown = addresses.some((known) => known.host === address.host && known.port === address.port);
      if (isKnown) context.warn(arg, 'is given twice');
      else addresses.push(address);
    }
    return addresses;
  },
};

const serverAllowed = 'host, host:port or [ipv6]:port';

/** @returns undefined when `text` is not `host`, `host:port`, `[ipv6]` or `[ipv6]:port` */
export function parseServerAddress(text: string): ServerAddress | undefined {
  const address = parseOriginAddress(text);
  return address === undefined ? undefined : { host: address.host, port: address.port ?? defaultRtmpPort };
}

function parseOriginAddress(text: string): OriginAddress | undefined {
  const [, ipv6, name, portText] = /^(?:\[([^\]]{1,45})\]|([A-Za-z0-9_.-]{1,253}))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const port = portText === undefined ? undefined : Number(portText);
  if (port !== undefined && !isPort(port)) return undefined;
  if (ipv6 !== undefined) return isIpv6(ipv6) ? { host: ipv6.toLowerCase(), port } : undefined;
  return name === undefined || name.startsWith('-') ? undefined : { host: name, port };
}

/** The port is left out where it goes without saying. */
export const originAddresses: ValueType<readonly OriginAddress[]> = {
  allowed: `one or more of: ${serverAllowed}`,
  takesMany: true,
  absent: [],
  read: (args, context) =>
    args.flatMap((arg) => {
      const address = parseOriginAddress(arg);
      if (address === undefined) context.refuse(arg, serverAllowed);
      return address ?? [];
    }),
};

/** One or more servers by their HTTP APIs; the default port is 1985. */
export const apiAddresses: ValueType<readonly ServerAddress[]> = {
  ...originAddresses,
  absent: [],
  read: (args, context) => originAddresses.read(args, context)?.map(({ host, port = defaultApiPort }) => ({ host, port })),
};

/** One RTMP server; the default port is 1935. */
export const serverAddress: ValueType<ServerAddress> = {
  allowed: serverAllowed,
  takesMany: false,
  absent: { host: '', port: 0 },
  read([text = ''], context) {
    const address = parseServerAddress(text);
    if (address === undefined) context.refuse(text, serverAllowed);
    return address;
  },
};
