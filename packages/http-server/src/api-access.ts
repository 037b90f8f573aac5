/** Who may use the API: credentials, and what keeps web pages from using it in the name of their visitors. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import type { Config } from '@srs/config';
import { ApiError } from './api-errors.ts';

/** What is looked at of a request. */
export interface AccessRequest {
  readonly headers: IncomingHttpHeaders;
  readonly socket: { readonly remoteAddress?: string | undefined };
}

type HttpApiConfig = Config['httpApi'];

/** The scheme of a request that has shown what it must; `none` where nothing is asked for. */
type Credentials = 'none' | 'basic' | 'bearer';

export class ApiAccess {
  readonly #config: () => HttpApiConfig;

  /** @param config in force, asked for at each request */
  constructor(config: () => HttpApiConfig) {
    this.#config = config;
  }

  /** What `WWW-Authenticate` asks for. */
  get challenge(): string {
    const { token, password } = this.#config().auth;
    const schemes = [
      ...(password === '' ? [] : ['Basic realm="SRS", charset="UTF-8"']),
      ...(token === '' ? [] : ['Bearer realm="SRS"']),
    ];
    return schemes.join(', ');
  }

  /** @throws ApiError 401, or 403 when a web page asks under a name that it has made point here */
  checkRead(request: AccessRequest): void {
    const { auth, crossdomain } = this.#config();
    if (auth.enabled) this.#authenticate(request);
    // Where pages of any site may read, it makes no difference what they call this server.
    else if (!crossdomain) checkHost(request);
  }

  /** For what changes something. @throws ApiError 401 or 403 */
  checkChange(request: AccessRequest): void {
    const credentials = this.#authenticate(request);
    if (credentials === 'none') {
      checkLocal(request);
      checkHost(request);
    }
    // A browser sends the name and password it knows by itself with whatever a page asks for; it knows no tokens.
    if (credentials !== 'bearer') checkOrigin(request);
  }

  #authenticate({ headers }: AccessRequest): Credentials {
    const { enabled, username, password, token } = this.#config().auth;
    if (!enabled) return 'none';
    const [, scheme = '', given = ''] = /^(basic|bearer) +(\S+) *$/i.exec(headers.authorization ?? '') ?? [];
    switch (scheme.toLowerCase()) {
      case 'basic':
        if (password !== '' && isSameSecret(Buffer.from(given, 'base64').toString(), `${username}:${password}`)) return 'basic';
        throw new ApiError(401, 'the user name or the password is wrong');
      case 'bearer':
        if (token !== '' && isSameSecret(given, token)) return 'bearer';
        throw new ApiError(401, 'the token is wrong');
      default:
        throw new ApiError(401, 'credentials are needed (http_api / auth)');
    }
  }
}

/** Hashes have the same length whatever was given, so that the time of the comparison tells nothing. */
function isSameSecret(given: string, expected: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(given), hash(expected));
}

const isLoopback = (address: string | undefined): boolean => /^(::1|(::ffff:)?127(\.\d+){3})$/i.test(address ?? '');

/** What a proxy on this machine adds to a request from elsewhere. */
const forwardingHeaders = ['forwarded', 'x-forwarded-for', 'x-real-ip'] as const;

function checkLocal({ headers, socket }: AccessRequest): void {
  if (!isLoopback(socket.remoteAddress)) {
    throw new ApiError(
      403,
      `without http_api / auth only this machine may change something, not ${socket.remoteAddress ?? 'unknown'}`,
    );
  }
  const header = forwardingHeaders.find((name) => headers[name] !== undefined);
  if (header !== undefined) {
    throw new ApiError(
      403,
      `without http_api / auth only this machine may change something, not who is behind a proxy (${header})`,
    );
  }
}

/** A page can make its own name point to this address; the browser then sends that name. An address or `localhost` is never one. */
function checkHost({ headers }: AccessRequest): void {
  const [, ipv6, name = ''] = /^(?:\[([^\]]*)\]|([^:[\]]+))(?::\d{1,5})?$/.exec(headers.host ?? '') ?? [];
  const isSafe = ipv6 === undefined ? name.toLowerCase() === 'localhost' || isIP(name) === 4 : isIP(ipv6) === 6;
  if (!isSafe) throw new ApiError(403, `host ${JSON.stringify(headers.host ?? '')} must be localhost or an address`);
}

/** Browsers tell on whose behalf they ask; programs do not. */
function checkOrigin({ headers }: AccessRequest): void {
  const { origin, host = '' } = headers;
  const site = headers['sec-fetch-site'];
  const isOwn = origin === undefined || (URL.canParse(origin) && new URL(origin).host === host.toLowerCase());
  if (!isOwn) throw new ApiError(403, `a page of ${JSON.stringify(origin)} must not change anything here`);
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    throw new ApiError(403, `a page of another site must not change anything here (sec-fetch-site ${JSON.stringify(site)})`);
  }
}
