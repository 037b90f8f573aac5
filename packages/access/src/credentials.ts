/** The `publish_auth` and `play_auth` blocks of a vhost: stream keys and signed addresses. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { VhostConfig } from '@srs/config';
import { formatAddress, parseAddress } from './address.ts';
import { findParameter } from './parameters.ts';
import type { Refusal, StreamUse } from './refusal.ts';
import { SIGNATURE_BYTES, signGrant } from './signature.ts';

export interface CredentialRequest {
  readonly use: StreamUse;
  /** `vhost/app/stream`. */
  readonly streamId: string;
  readonly ip: string;
  /** Where the client may have put parameters; what it wrote behind the stream first. */
  readonly parameters: readonly string[];
  readonly unixSeconds: number;
}

type AuthConfig = VhostConfig['publishAuth'];

const expiresPattern = /^\d{1,12}$/;
const signPattern = new RegExp(`^[0-9a-fA-F]{${2 * SIGNATURE_BYTES}}$`);

/**
 * A client shows `key=KEY`, or `expires=UNIX&sign=HEX`; one that is right is enough.
 * @returns undefined when the client may have the stream
 */
export function checkCredentials(auth: AuthConfig, request: CredentialRequest): Refusal | undefined {
  if (!auth.enabled) return undefined;
  const fault = findFault(auth, request);
  return fault === undefined ? undefined : { kind: 'credentials', text: `${request.use} of ${request.streamId} ${fault}` };
}

/** What goes on after `publish of vhost/app/stream ...`. */
function findFault({ keys, secrets }: AuthConfig, request: CredentialRequest): string | undefined {
  const { parameters, unixSeconds } = request;
  const key = findParameter(parameters, 'key');
  const sign = findParameter(parameters, 'sign');
  const expiresText = findParameter(parameters, 'expires');
  if (key !== undefined && keys.length > 0 && isOneOf(key, keys)) return undefined;
  // Without `=` behind them: logs hide what follows.
  const ways = [...(keys.length > 0 ? ['key'] : []), ...(secrets.length > 0 ? ['expires and sign'] : [])].join(', or ');
  const wanted = `the parameter${secrets.length > 0 ? 's' : ''} ${ways} must stand behind the stream name`;
  if (secrets.length === 0 || (sign === undefined && expiresText === undefined)) {
    return key !== undefined && keys.length > 0 ? 'refused: its key is not right' : `refused: ${wanted}`;
  }
  if (sign === undefined || expiresText === undefined) {
    return `refused: it has no ${sign === undefined ? 'sign' : 'expires'}, ${wanted}`;
  }
  if (!expiresPattern.test(expiresText)) return 'refused: expires must be seconds since 1970, 1..12 digits';
  if (!signPattern.test(sign))
    return `refused: sign has ${sign.length} characters, must have ${2 * SIGNATURE_BYTES} hexadecimal digits`;
  const expires = Number(expiresText);
  if (unixSeconds > expires) return `refused: its address expired ${unixSeconds - expires} s ago`;
  if (isSigned(secrets, expires, Buffer.from(sign, 'hex'), request)) return undefined;
  return 'refused: sign is not right for this use, stream, time and client';
}

/** Every secret is tried whatever the one before said: how long it takes tells nothing. */
function isSigned(secrets: readonly string[], expires: number, sign: Buffer, request: CredentialRequest): boolean {
  const { use, streamId, ip } = request;
  const address = parseAddress(ip);
  const grants = [
    { use, streamId, expires },
    ...(address === undefined ? [] : [{ use, streamId, expires, ip: formatAddress(address) }]),
  ];
  let matches = 0;
  for (const secret of secrets) {
    for (const grant of grants) matches += timingSafeEqual(signGrant(secret, grant), sign) ? 1 : 0;
  }
  return matches > 0;
}

function isOneOf(given: string, keys: readonly string[]): boolean {
  // Digests have one length, which a comparison in constant time asks for.
  const digest = sha256(given);
  let matches = 0;
  for (const key of keys) matches += timingSafeEqual(sha256(key), digest) ? 1 : 0;
  return matches > 0;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}
