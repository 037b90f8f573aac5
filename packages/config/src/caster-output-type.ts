/** Where a stream caster publishes: the URL of a stream of this server, with variables. */
import { isIpv6, isPort } from './address-type.ts';
import { isPrintable, type ValueType } from './value-type.ts';

/** The parts may have the variables [vhost], [app] and [stream], which the request tells. */
export interface CasterOutput {
  /** Of the vhost, as a client of RTMP would name it; an address of this machine stands for the default one. IPv6 without brackets. */
  readonly host: string;
  /** Undefined when the URL names none. */
  readonly port: number | undefined;
  /** With its parameters, if it has any. */
  readonly app: string;
  /** With its parameters, if it has any. */
  readonly stream: string;
}

const variables: readonly string[] = ['vhost', 'app', 'stream'];
const allowed = 'rtmp://HOST[:PORT]/APP/STREAM, with the variables [vhost] [app] [stream]';
const urlPattern =
  /^rtmp:\/\/(?:\[([0-9a-fA-F:.]*:[0-9a-fA-F:.]*)\]|((?:[^/:[\]\s]|\[\w+\])+))(?::(\d{1,5}))?\/([^\s]+)\/([^/\s]+)$/;

export const casterOutput: ValueType<CasterOutput> = {
  allowed,
  takesMany: false,
  absent: { host: '127.0.0.1', port: undefined, app: '[app]', stream: '[stream]' },
  read([text = ''], context) {
    const [, ipv6, name = '', portText, app = '', stream = ''] = urlPattern.exec(text) ?? [];
    const port = portText === undefined ? undefined : Number(portText);
    const isAddress = ipv6 === undefined ? name !== '' : isIpv6(ipv6);
    if (!isPrintable(text) || !isAddress || (port !== undefined && !isPort(port))) {
      context.refuse(text, allowed);
      return undefined;
    }
    const unknown = Array.from(text.matchAll(/\[(\w*)\]/g), (match) => match[1]!).find((word) => !variables.includes(word));
    if (unknown !== undefined) {
      context.refuse(text, `made with ${variables.map((word) => `[${word}]`).join(' ')}; [${unknown}] is none of them`);
      return undefined;
    }
    return { host: ipv6 ?? name, port, app, stream };
  },
};

/** `rtmp://HOST[:PORT]/APP/STREAM`, as it was written. */
export function formatCasterOutput({ host, port, app, stream }: CasterOutput): string {
  const shown = host.includes(':') ? `[${host}]` : host;
  return `rtmp://${shown}${port === undefined ? '' : `:${port}`}/${app}/${stream}`;
}

/** Whether a host is this machine, or the vhost that the request names. */
export function isOwnHost(host: string): boolean {
  return host === '[vhost]' || host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}
