/** Which addresses lead to this server. */
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Config, ServerAddress } from '@srs/config';

const anyHosts: readonly string[] = ['0.0.0.0', '::'];

/** Who connects there reaches this server. Names other than localhost are not looked up. */
export function isOwnAddress({ listen }: Config, { host, port }: ServerAddress): boolean {
  const isLocalhost = host === 'localhost';
  if (!isLocalhost && (isIP(host) === 0 || !isOfMachine(host))) return false;
  return listen.some((own) => own.port === port && (anyHosts.includes(own.host) || own.host === host || isLocalhost));
}

function isOfMachine(host: string): boolean {
  if (host.startsWith('127.')) return true;
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === host));
}
