/** Which addresses lead to this server. */
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Config, ListenAddress, ServerAddress } from '@srs/config';

const anyHosts: readonly string[] = ['0.0.0.0', '::'];

/** Who connects there reaches this server. Names other than localhost are not looked up. */
export function isOwnAddress(config: Config, { host, port }: ServerAddress): boolean {
  const isLocalhost = host === 'localhost';
  if (!isLocalhost && (isIP(host) === 0 || !isOfMachine(host))) return false;
  return listenersOf(config).some(
    (own) => own.port === port && (anyHosts.includes(own.host) || own.host === host || isLocalhost),
  );
}

/** Where media is served. */
function listenersOf({ listen, rtmps, httpStream }: Config): readonly ListenAddress[] {
  const { https } = httpStream;
  return [
    ...listen,
    ...(rtmps.enabled ? [rtmps.listen] : []),
    ...(httpStream.enabled ? [httpStream.listen, ...(https.enabled ? [https.listen] : [])] : []),
  ];
}

function isOfMachine(host: string): boolean {
  if (host.startsWith('127.')) return true;
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === host));
}
