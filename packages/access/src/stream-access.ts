/** Whether a client may have a stream of a vhost, whatever protocol it speaks. */
import type { VhostConfig } from '@srs/config';
import { type CredentialRequest, checkCredentials } from './credentials.ts';
import { checkRefer } from './refer.ts';
import type { Refusal } from './refusal.ts';
import { checkSecurity } from './security-rules.ts';

export interface StreamRequest extends CredentialRequest {
  /** The vhost of the stream, which may be another than the one the client connected to. */
  readonly vhost: VhostConfig;
  /** Of the page that the client is embedded in; '' when it names none. */
  readonly pageUrl: string;
}

/**
 * Address, then page, then key or signature: what the client cannot choose is asked first. `refer` of the vhost is looked at here
 * too, so that a protocol without a connect needs no second call.
 * @returns undefined when it may
 */
export function checkStreamAccess(request: StreamRequest): Refusal | undefined {
  const { vhost, use, ip, pageUrl } = request;
  return (
    checkSecurity(vhost.security, use, ip) ??
    checkRefer(pageUrl, vhost.refer) ??
    checkRefer(pageUrl, use === 'publish' ? vhost.referPublish : vhost.referPlay) ??
    checkCredentials(use === 'publish' ? vhost.publishAuth : vhost.playAuth, request)
  );
}
