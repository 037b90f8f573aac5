/** One call of one URL: what goes out, what may come back, and how long that may take. */
import { Agent, type ClientRequest, type IncomingMessage, request as requestPlain } from 'node:http';
import type { Agent as TlsAgent } from 'node:https';
import { systemErrorCode } from '@srs/kernel';
import type { HookAnswer } from './hook-answer.ts';
import { excerpt, HookFailure } from './hook-failure.ts';

/** As SRS; a host that does not answer at all is given up sooner than one that thinks. */
const CONNECT_TIMEOUT_MS = 3_000;
/** The longest answer that means anything has twelve bytes. */
const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;
/** Connections that are kept for the next call, and how long. */
const MAX_IDLE_CONNECTIONS = 8;
const IDLE_CONNECTION_MS = 30_000;

const agentOptions = { keepAlive: true, maxFreeSockets: MAX_IDLE_CONNECTIONS, timeout: IDLE_CONNECTION_MS };

export interface HookPostOptions {
  readonly body: Buffer;
  /** Makes it a GET, without a body; the answer is whole when so much of it has come. */
  readonly enoughBytes?: number;
  /** The limit that is told of. */
  readonly timeoutMs: number;
  /** What is left of it, from now to the end of the answer. */
  readonly leftMs: number;
  /** Gives up at once. */
  readonly signal: AbortSignal;
}

export class HookPoster {
  readonly #userAgent: string;
  readonly #agent = new Agent(agentOptions);
  #tls: Promise<{ readonly request: typeof requestPlain; readonly agent: TlsAgent }> | undefined;

  constructor(userAgent: string) {
    this.#userAgent = userAgent;
  }

  /** @throws HookFailure when no whole answer came */
  async post(url: string, options: HookPostOptions): Promise<HookAnswer> {
    try {
      return await this.#post(url, options);
    } catch (error) {
      // The server has closed a connection that was kept, in the moment in which it was used: that says nothing about the call.
      if (error instanceof StaleConnection) return this.#post(url, options);
      throw error;
    }
  }

  /** Lets go of the connections that are kept. */
  close(): void {
    this.#agent.destroy();
    void this.#tls?.then(({ agent }) => agent.destroy());
  }

  async #post(url: string, options: HookPostOptions): Promise<HookAnswer> {
    const target = new URL(url);
    const isTls = target.protocol === 'https:';
    const { request, agent } = isTls ? await this.#loadTls() : { request: requestPlain, agent: this.#agent };
    if (options.signal.aborted) throw new HookFailure('unavailable', url, 'was not asked: the server stops');
    const isPost = options.enoughBytes === undefined;
    const sent = request(target, {
      method: isPost ? 'POST' : 'GET',
      agent,
      maxHeaderSize: MAX_HEADER_BYTES,
      // The names, values and order of SRS, whose Host has no port.
      headers: {
        Host: target.hostname,
        Connection: 'Keep-Alive',
        ...(isPost ? { 'Content-Length': options.body.length } : {}),
        'User-Agent': this.#userAgent,
        ...(isPost ? { 'Content-Type': 'application/json' } : {}),
      },
    });
    return new Call(url, sent, options).answer;
  }

  /** Half of Node's TLS is loaded for whoever has an https hook. */
  #loadTls(): Promise<{ readonly request: typeof requestPlain; readonly agent: TlsAgent }> {
    this.#tls ??= import('node:https').then(({ request, Agent: HttpsAgent }) => ({
      request,
      agent: new HttpsAgent(agentOptions),
    }));
    return this.#tls;
  }
}

/** A kept connection was closed by the server before it answered anything. */
class StaleConnection extends Error {}

class Call {
  readonly #url: string;
  readonly #request: ClientRequest;
  readonly #options: HookPostOptions;
  readonly #connectTimer: NodeJS.Timeout;
  readonly #timer: NodeJS.Timeout;
  readonly #answer = Promise.withResolvers<HookAnswer>();
  readonly #onAbort = (): void => this.#fail('was not waited for: the server stops');
  #isOver = false;

  constructor(url: string, request: ClientRequest, options: HookPostOptions) {
    this.#url = url;
    this.#request = request;
    this.#options = options;
    const { timeoutMs, leftMs, signal } = options;
    this.#timer = setTimeout(() => this.#fail(`gave no whole answer within ${timeoutMs / 1000} s (http_hooks timeout)`), leftMs);
    this.#connectTimer = setTimeout(
      () => this.#fail(`accepted no connection within ${CONNECT_TIMEOUT_MS / 1000} s`),
      CONNECT_TIMEOUT_MS,
    );
    signal.addEventListener('abort', this.#onAbort);
    request.on('socket', (socket) => {
      const onConnect = (): void => clearTimeout(this.#connectTimer);
      if (socket.connecting) socket.once(url.startsWith('https:') ? 'secureConnect' : 'connect', onConnect);
      else onConnect();
    });
    request.on('error', (error) => this.#onError(error));
    request.on('response', (response) => this.#read(response));
    request.end(options.enoughBytes === undefined ? options.body : undefined);
  }

  get answer(): Promise<HookAnswer> {
    return this.#answer.promise;
  }

  #read(response: IncomingMessage): void {
    const parts: Buffer[] = [];
    let length = 0;
    const { enoughBytes = Number.POSITIVE_INFINITY } = this.#options;
    const complete = (): void => {
      if (this.#isOver) return;
      this.#finish();
      this.#answer.resolve({
        status: response.statusCode ?? 0,
        location: response.headers.location ?? '',
        body: Buffer.concat(parts).toString('utf8'),
      });
    };
    response.on('data', (bytes: Buffer) => {
      length += bytes.length;
      if (length >= enoughBytes) {
        complete();
        this.#request.destroy();
      } else if (length > MAX_ANSWER_BYTES) this.#fail(`answered more than ${MAX_ANSWER_BYTES} bytes`, 'invalid');
      else parts.push(bytes);
    });
    response.on('error', () => this.#fail('closed the connection in its answer'));
    response.on('end', complete);
  }

  #onError(error: Error): void {
    if (this.#request.reusedSocket && isClosing(error)) {
      this.#finish();
      this.#answer.reject(new StaleConnection());
    } else {
      this.#fail(describeFault(error));
    }
  }

  #fail(reason: string, kind: 'invalid' | 'unavailable' = 'unavailable'): void {
    if (this.#isOver) return;
    this.#finish();
    this.#answer.reject(new HookFailure(kind, this.#url, reason));
    // Whatever else comes is not read.
    this.#request.destroy();
  }

  #finish(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#connectTimer);
    this.#options.signal.removeEventListener('abort', this.#onAbort);
  }
}

const isClosing = (error: Error): boolean => ['ECONNRESET', 'EPIPE'].includes(systemErrorCode(error) ?? '');

function describeFault(error: Error): string {
  const code = systemErrorCode(error) ?? '';
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'closed the connection without an answer';
  if (code.startsWith('HPE_')) return `answered no valid HTTP (${code})`;
  // OpenSSL's own words for a verdict on a certificate are all in this form.
  if (/CERT|SIGNATURE|ISSUER|CRL/.test(code)) {
    // What Node advises behind the semicolon is for programmers.
    return `has a certificate that is not trusted: ${error.message.split(';', 1)[0]} (${code})`;
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL')) return `speaks no TLS that fits: ${excerpt(error.message)}`;
  return `cannot be reached: ${code === '' ? error.message : code}`;
}
