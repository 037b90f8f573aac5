/** What a client says of itself when it connects. */
import type { ClientDescription } from '@srs/clients';
import type { TcUrl } from '@srs/config';
import { type Log, redact } from '@srs/kernel';
import { type ConnectRequest, describePeer } from '@srs/rtmp';

/** Fit for the API and the log: without secrets, and without the objects of the request, which may be large. */
export interface ClientIdentity extends Pick<ClientDescription, 'server'> {
  readonly tcUrl: string;
  readonly pageUrl: string;
  readonly swfUrl: string;
  readonly flashVer: string;
}

export const unknownIdentity: ClientIdentity = { tcUrl: '', pageUrl: '', swfUrl: '', flashVer: '' };

export function identityOf({ tcUrl, pageUrl, swfUrl, flashVer, peer }: ConnectRequest): ClientIdentity {
  const said = { tcUrl: redact(tcUrl), pageUrl: redact(pageUrl), swfUrl: redact(swfUrl), flashVer };
  if (peer === undefined) return said;
  const { version, serverIp, pid, id } = peer;
  return { ...said, server: { version, serverIp, pid, id } };
}

export function logConnect(log: Log, { tcUrl, pageUrl, swfUrl, args, peer }: ConnectRequest, url: TcUrl): void {
  log.trace(
    `connect app, tcUrl=${tcUrl}, pageUrl=${pageUrl}, swfUrl=${swfUrl}, schema=${url.schema}, ` +
      `vhost=${url.vhost}, port=${url.port}, app=${url.app}, args=${args === undefined ? 'null' : '(obj)'}`,
  );
  if (peer !== undefined) log.trace(describePeer(peer));
}
