/** Signed addresses of streams: who knows the secret lets somebody publish or play one stream until a point in time. */
import { createHmac } from 'node:crypto';
import type { StreamUse } from './refusal.ts';

export interface SignedGrant {
  readonly use: StreamUse;
  /** `vhost/app/stream`, the vhost by its name in the configuration. */
  readonly streamId: string;
  /** Seconds since 1970; the grant holds up to this second. */
  readonly expires: number;
  /** Of the only client that may use it, as `formatAddress` writes it. */
  readonly ip?: string;
}

export const SIGNATURE_BYTES = 32;

/**
 * HMAC-SHA256 over `use:vhost/app/stream:expires` or `use:vhost/app/stream:expires:ip`, in UTF-8. `expires` has digits only and
 * stands behind the last colon or before an address, so no two grants have the same text.
 */
export function signGrant(secret: string, grant: SignedGrant): Buffer {
  const { use, streamId, expires, ip } = grant;
  const text = `${use}:${streamId}:${expires}${ip === undefined ? '' : `:${ip}`}`;
  return createHmac('sha256', secret).update(text, 'utf8').digest();
}

/** The parameters to add to the name of a stream. */
export function grantParameters(secret: string, grant: SignedGrant): string {
  return `expires=${grant.expires}&sign=${signGrant(secret, grant).toString('hex')}`;
}
