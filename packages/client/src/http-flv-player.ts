/** Plays one stream of a server over HTTP-FLV. */
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { rootCertificates } from 'node:tls';
import { FlvReader } from '@srs/flv';
import { describeError, type FrameType, SrsError } from '@srs/kernel';
import { decodeIdentityHeader, IDENTITY_HEADER } from '@srs/rtmp';
import type { CloseReason } from './client-options.ts';
import { hostNames } from './host-names.ts';
import { HttpRefusal } from './http-refusal.ts';
import type { UpstreamPlay, UpstreamPlayOptions } from './upstream-play.ts';

export interface HttpFlvOptions extends Omit<UpstreamPlayOptions, 'startTimeoutMs'> {
  readonly headers?: Readonly<Record<string, string>>;
  /** Certificates (PEM) that a server of `https` may have beside those of the known authorities. */
  readonly ca?: string;
}

/** Servers that send a client from one to the next are given up then. */
const MAX_REDIRECTS = 4;
/** Of the head of an answer. */
const MAX_HEAD_BYTES = 16 * 1024;
const KEEP_ALIVE_MS = 30_000;
const TIMESTAMP_MASK = 0x7fff_ffff;
const redirectStatuses: readonly (number | undefined)[] = [301, 302, 303, 307, 308];

export class HttpFlvPlayer implements UpstreamPlay {
  readonly closed: Promise<CloseReason>;
  readonly #options: HttpFlvOptions;
  readonly #opened = Promise.withResolvers<HttpFlvPlayer>();
  readonly #closed = Promise.withResolvers<CloseReason>();
  #where = '';
  #request: ClientRequest;
  #redirects = 0;
  #connectTimer: NodeJS.Timeout | undefined;
  #isOpen = false;
  #reason: CloseReason | undefined;

  private constructor(url: URL, options: HttpFlvOptions) {
    this.#options = options;
    this.closed = this.#closed.promise;
    options.signal.addEventListener('abort', this.#onAbort);
    this.#request = this.#ask(url);
    if (options.signal.aborted) this.#onAbort();
  }

  /**
   * Connects and asks. Many servers answer when the stream begins, so the answer is not waited for: what comes of it is told by
   * `onAnswered`, `onFrame` and `closed`. When it rejects, the socket is closed.
   *
   * @param url `http://host[:port]/app/stream.flv?parameters`, or the same with https
   * @throws SrsError SocketConnect, SocketTimeout, SocketClosed
   */
  static open(url: URL, options: HttpFlvOptions): Promise<HttpFlvPlayer> {
    return new HttpFlvPlayer(url, options).#opened.promise;
  }

  get bytesReceived(): number {
    return this.#request.socket?.bytesRead ?? 0;
  }

  close(): Promise<CloseReason> {
    this.abandon();
    return this.closed;
  }

  /** HTTP has no farewell. */
  abandon(): void {
    this.#end({ kind: 'closed' });
  }

  #ask(url: URL): ClientRequest {
    const { headers = {}, ca, connectTimeoutMs } = this.#options;
    // The parameters may be secret.
    const where = `${url.protocol}//${url.host}${url.pathname}`;
    this.#where = where;
    const isSecure = url.protocol === 'https:';
    const asked = (isSecure ? requestHttps : requestHttp)(url, {
      agent: false,
      headers: { accept: '*/*', ...headers },
      maxHeaderSize: MAX_HEAD_BYTES,
      lookup: hostNames.lookup,
      ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
    });
    clearTimeout(this.#connectTimer);
    this.#connectTimer = setTimeout(() => {
      this.#fail(new SrsError('SocketTimeout', `${where}: no connection within ${connectTimeoutMs} ms`));
    }, connectTimeoutMs);
    asked.once('socket', (socket) => {
      socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
      socket.once(isSecure ? 'secureConnect' : 'connect', () => this.#onConnected());
    });
    // Another one takes its place when the answer is a redirect.
    const ifCurrent = (act: () => void): void => {
      if (asked === this.#request) act();
    };
    asked.once('response', (response) => {
      response.on('error', (cause) => ifCurrent(() => this.#fail(this.#breakError(cause))));
      this.#onResponse(url, response);
    });
    asked.on('error', (cause) => ifCurrent(() => this.#fail(this.#requestError(cause))));
    asked.once('close', () => ifCurrent(() => this.#onClosed()));
    asked.end();
    return asked;
  }

  #onConnected(): void {
    clearTimeout(this.#connectTimer);
    this.#isOpen = true;
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    this.#opened.resolve(this);
  }

  #onResponse(url: URL, response: IncomingMessage): void {
    const { statusCode = 0, statusMessage = '', headers } = response;
    if (this.#reason !== undefined) return;
    if (redirectStatuses.includes(statusCode) && headers.location !== undefined) this.#follow(headers.location, url);
    else if (statusCode !== 200) this.#fail(new HttpRefusal(this.#where, statusCode, statusMessage));
    else this.#play(response);
  }

  #follow(location: string, from: URL): void {
    this.#redirects += 1;
    const next = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
    if (next === undefined || !['http:', 'https:'].includes(next.protocol)) {
      this.#fail(new SrsError('HttpAnswer', `${this.#where} redirects to what is no http or https address`));
      return;
    }
    if (this.#redirects > MAX_REDIRECTS) {
      this.#fail(new SrsError('HttpAnswer', `${this.#where} redirects after ${MAX_REDIRECTS} redirects`));
      return;
    }
    const answered = this.#request;
    this.#request = this.#ask(next);
    answered.destroy();
  }

  #play(response: IncomingMessage): void {
    this.#options.onAnswered(decodeIdentityHeader(response.headers[IDENTITY_HEADER]));
    const reader = new FlvReader({
      // The reader gives no other types.
      onTag: (type, timestampMs, payload) => this.#options.onFrame(type as FrameType, timestampMs & TIMESTAMP_MASK, payload),
    });
    response.on('data', (bytes: Buffer) => {
      if (this.#reason !== undefined) return;
      try {
        reader.receive(bytes);
      } catch (thrown) {
        // Whatever goes wrong in this connection, the owner's handlers included, ends it and nothing else.
        this.#fail(thrown instanceof Error ? thrown : new Error(describeError(thrown)));
      }
    });
    response.once('end', () => this.#end({ kind: 'closed-by-server', status: undefined }));
  }

  readonly #onAbort = (): void => {
    const cause: unknown = this.#options.signal.reason;
    this.#fail(new SrsError('SocketClosed', `connecting to ${this.#where} was given up`, { cause }));
  };

  #requestError(cause: Error): SrsError {
    if (!this.#isOpen) return new SrsError('SocketConnect', `cannot connect to ${this.#where}`, { cause });
    return new SrsError('HttpAnswer', `${this.#where} gave no valid answer`, { cause });
  }

  #breakError(cause: Error): SrsError {
    return new SrsError('SocketRead', `connection to ${this.#where} broke`, { cause });
  }

  #fail(error: Error): void {
    this.#end({ kind: 'failed', error });
  }

  /** Keeps the first reason; from here on nothing is delivered. */
  #end(reason: CloseReason): void {
    this.#reason ??= reason;
    clearTimeout(this.#connectTimer);
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    this.#request.destroy();
  }

  #onClosed(): void {
    this.#end({ kind: 'closed-by-server', status: undefined });
    const reason = this.#reason!;
    this.#closed.resolve(reason);
    if (this.#isOpen) return;
    this.#opened.reject(
      reason.kind === 'failed' ? reason.error : new SrsError('SocketClosed', `${this.#where} closed the connection`),
    );
  }
}
