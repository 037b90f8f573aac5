/** One connection to an RTMP server: socket, session, and the limits of time and memory that go with them. */
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, rootCertificates } from 'node:tls';
import { describeError, type FrameType, SrsError, systemClock, systemErrorCode } from '@srs/kernel';
import { limitStandstill } from '@srs/native';
import { ClientSession, type ConnectedInfo, nodeRtmpCrypto, type ReceivedStatus, type Rejection } from '@srs/rtmp';
import type { ClientOptions, CloseReason } from './client-options.ts';
import { hostNames } from './host-names.ts';
import { RtmpRefusal } from './rtmp-refusal.ts';
import { describeTarget, parseRtmpUrl, type RtmpTarget } from './rtmp-target.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const START_TIMEOUT_MS = 30_000;
const SEND_TIMEOUT_MS = 30_000;
const MAX_UNSENT_BYTES = 16 * 1024 * 1024;
/** The answers of a server take 4 KiB. Media may follow the last one in the same breath. */
const MAX_BYTES_BEFORE_START = 1024 * 1024;
/** How long the server may take to close its side when this one has said goodbye. */
const CLOSE_TIMEOUT_MS = 2_000;
const KEEP_ALIVE_MS = 30_000;
const READ_BUFFER_BYTES = 64 * 1024;
const dnsErrors: readonly (string | undefined)[] = ['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA'];

/** All connections read into this: a session has taken what it needs before the next read begins. */
const readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);

export class RtmpClient {
  readonly target: RtmpTarget;
  /** Settles when the socket is closed; never rejects. */
  readonly closed: Promise<CloseReason>;
  readonly #options: ClientOptions;
  readonly #where: string;
  readonly #session: ClientSession;
  readonly #socket: Socket;
  readonly #opened = Promise.withResolvers<RtmpClient>();
  #connected: ConnectedInfo | undefined;
  #isOpen = false;
  #bytesReceived = 0;
  #lastError: ReceivedStatus | undefined;
  #reason: CloseReason | undefined;
  /** Limits the step at hand: connect, start, close. */
  #stepTimer: NodeJS.Timeout | undefined;
  #sendTimer: NodeJS.Timeout | undefined;
  #drained: PromiseWithResolvers<void> | undefined;

  private constructor(target: RtmpTarget, options: ClientOptions) {
    this.target = target;
    this.#options = options;
    this.#where = describeTarget(target);
    this.#session = this.#createSession();
    this.#socket = this.#connect();
    this.#limitStep(options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS, 'no connection');
    this.closed = new Promise((resolve) => this.#socket.once('close', () => resolve(this.#onClosed())));
    this.#socket.once(target.isSecure ? 'secureConnect' : 'connect', () => this.#onConnected());
    this.#socket.once('end', () => this.#end({ kind: 'closed-by-server', status: this.#lastError }));
    this.#socket.on('drain', () => this.#onDrained());
    this.#socket.on('error', (error) => this.#end({ kind: 'failed', error: this.#socketError(error) }));
    options.signal?.addEventListener('abort', this.#onAbort);
    if (options.signal?.aborted === true) this.#onAbort();
  }

  /**
   * Connects and goes as far as the role asks for. When it rejects, the socket is closed.
   *
   * @param target what to connect to, or its address (see `parseRtmpUrl`)
   * @throws RtmpRefusal when the server says no, maybe with another address to go to; SrsError DnsResolve, SocketConnect,
   *   SocketTimeout, SocketClosed, SocketRead, or what the session finds wrong with the server's bytes
   */
  static async open(target: RtmpTarget | string, options: ClientOptions): Promise<RtmpClient> {
    const client = new RtmpClient(typeof target === 'string' ? parseRtmpUrl(target) : target, options);
    return await client.#opened.promise;
  }

  /** What the server said of itself. */
  get connected(): ConnectedInfo | undefined {
    return this.#connected;
  }

  get bytesReceived(): number {
    return this.#bytesReceived;
  }

  /** Given to the socket so far; what the server has not taken yet is in `bytesUnsent`. */
  get bytesSent(): number {
    return this.#socket.bytesWritten;
  }

  get bytesUnsent(): number {
    return this.#socket.writableLength;
  }

  /** The own address that the server sees, without port; '' once closed. */
  get localAddress(): string {
    return this.#socket.localAddress ?? '';
  }

  /**
   * Hot path: one buffer, which holds the message in chunks. Sends a frame of the stream being published; after the end nothing.
   *
   * @param timestampMs 0..2^31-1
   * @param payload read before this returns
   * @returns false when the server does not keep up: wait for `drained` before sending more
   * @throws SrsError RtmpMessageEncode for a payload above 16,777,215 bytes
   */
  sendFrame(type: FrameType, timestampMs: number, payload: Uint8Array): boolean {
    if (this.#reason !== undefined) return false;
    return this.#send(this.#session.encodeFrame(type, timestampMs, payload));
  }

  /** Settles when no byte waits for the server, or the connection has ended; never rejects. */
  async drained(): Promise<void> {
    if (this.#reason !== undefined || !this.#socket.writableNeedDrain) return;
    this.#drained ??= Promise.withResolvers<void>();
    await this.#drained.promise;
  }

  /** Asks the server to pause, or to go on with, what it plays. */
  pause(isPaused: boolean): void {
    this.#session.pause(isPaused);
  }

  /** Sends a command that wants no answer, as the bandwidth test does. */
  sendCommand(...command: Parameters<ClientSession['sendCommand']>): void {
    this.#session.sendCommand(...command);
  }

  /** Sends what waits, says goodbye, and closes; at the latest after 2 s. May be called twice. */
  close(): Promise<CloseReason> {
    if (this.#reason === undefined) {
      this.#session.close();
      this.#settle({ kind: 'closed' });
      this.#socket.end();
      this.#stepTimer = setTimeout(() => this.#socket.destroy(), CLOSE_TIMEOUT_MS);
    }
    return this.closed;
  }

  /** Closes at once and without a word: for a server that does not answer any more. */
  abandon(): void {
    this.#end({ kind: 'closed' });
  }

  #connect(): Socket {
    const { host, port, isSecure } = this.target;
    const { ca, verifiesCertificate = true } = this.#options;
    const options = {
      host,
      port,
      lookup: hostNames.lookup,
      onread: { buffer: readBuffer, callback: (length: number) => this.#onBytes(length) },
    };
    const socket = isSecure
      ? connectTls({
          ...options,
          ...(isIP(host) === 0 ? { servername: host } : {}),
          ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
          rejectUnauthorized: verifiesCertificate,
          minVersion: 'TLSv1.2',
        })
      : connect(options);
    return socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
  }

  #createSession(): ClientSession {
    const options = this.#options;
    return new ClientSession(
      {
        onSend: (bytes) => this.#send(bytes),
        onConnected: (connected) => {
          this.#connected = connected;
          if (options.role === 'connect') this.#onStarted();
        },
        onReady: () => this.#onStarted(),
        onMedia: (type, timestampMs, payload) => options.onFrame?.(type, timestampMs, payload),
        onStatus: (status) => {
          if (status.level === 'error') this.#lastError = status;
          options.onStatus?.(status);
        },
        onRejected: (rejection) => this.#onRejected(rejection),
        onUserControl: (event, value) => options.onUserControl?.(event, value),
        onCommand: (command) => options.onCommand?.(command),
        onWarning: (text) => options.onWarning?.(text),
      },
      {
        ...options,
        crypto: nodeRtmpCrypto,
        unixSeconds: () => Math.floor(systemClock.wallMs() / 1000),
        tcUrl: this.target.tcUrl,
        app: this.target.app,
        streamName: this.target.streamName,
      },
    );
  }

  #onConnected(): void {
    const { standstillTimeoutMs } = this.#options;
    this.#options.onReached?.();
    if (standstillTimeoutMs !== undefined) limitStandstill(this.#socket, standstillTimeoutMs);
    this.#limitStep(this.#options.startTimeoutMs ?? START_TIMEOUT_MS, `${this.#options.role} not answered`);
    this.#session.start();
  }

  /** Hot path. @returns true: go on reading */
  #onBytes(length: number): true {
    if (this.#reason !== undefined) return true;
    this.#bytesReceived += length;
    try {
      this.#session.receive(readBuffer.subarray(0, length));
      if (!this.#isOpen) this.#limitChatter();
    } catch (thrown) {
      this.#onThrown(thrown);
    }
    return true;
  }

  #limitChatter(): void {
    if (this.#bytesReceived <= MAX_BYTES_BEFORE_START) return;
    throw new SrsError(
      'RtmpResponse',
      `${this.#where} sent ${this.#bytesReceived} bytes before it answered, must be at most ${MAX_BYTES_BEFORE_START}`,
    );
  }

  /** Whatever goes wrong in this connection, the owner's handlers included, ends it and nothing else. */
  #onThrown(thrown: unknown): void {
    this.#end({ kind: 'failed', error: thrown instanceof Error ? thrown : new Error(describeError(thrown)) });
  }

  #onStarted(): void {
    clearTimeout(this.#stepTimer);
    this.#isOpen = true;
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    const { idleTimeoutMs = 0 } = this.#options;
    if (idleTimeoutMs > 0) this.#socket.setTimeout(idleTimeoutMs, () => this.#timeOut(idleTimeoutMs, 'nothing came or went'));
    this.#opened.resolve(this);
  }

  #onRejected(rejection: Rejection): void {
    this.#end({ kind: 'failed', error: new RtmpRefusal(this.#where, rejection) });
  }

  readonly #onAbort = (): void => {
    const { signal } = this.#options;
    this.#end({
      kind: 'failed',
      error: new SrsError('SocketClosed', `connecting to ${this.#where} was given up`, { cause: signal?.reason }),
    });
  };

  /** Also for answers of the session: a server that asks much and reads nothing fills no memory here. */
  #send(bytes: Buffer): boolean {
    if (!this.#socket.writable) return false;
    if (this.#socket.write(bytes)) return true;
    const { maxUnsentBytes = MAX_UNSENT_BYTES, sendTimeoutMs = SEND_TIMEOUT_MS } = this.#options;
    const unsentBytes = this.#socket.writableLength;
    if (unsentBytes > maxUnsentBytes) {
      const error = new SrsError(
        'SocketWrite',
        `${this.#where} leaves ${unsentBytes} bytes unread, must be at most ${maxUnsentBytes}`,
      );
      this.#end({ kind: 'failed', error });
      return false;
    }
    this.#sendTimer ??= setTimeout(
      () => this.#timeOut(sendTimeoutMs, `${this.#socket.writableLength} bytes not taken`),
      sendTimeoutMs,
    );
    return false;
  }

  #onDrained(): void {
    clearTimeout(this.#sendTimer);
    this.#sendTimer = undefined;
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  #limitStep(limitMs: number, complaint: string): void {
    clearTimeout(this.#stepTimer);
    this.#stepTimer = setTimeout(() => this.#timeOut(limitMs, `${complaint}${this.#stage}`), limitMs);
  }

  #timeOut(limitMs: number, complaint: string): void {
    this.#end({ kind: 'failed', error: new SrsError('SocketTimeout', `${this.#where}: ${complaint} within ${limitMs} ms`) });
  }

  get #stage(): string {
    const { phase } = this.#session;
    return phase === 'idle' || phase === 'ready' || phase === 'closed' ? '' : ` (in phase ${phase})`;
  }

  /** Keeps the first reason; from here on nothing is delivered or sent, and nobody waits. */
  #settle(reason: CloseReason): void {
    this.#reason = reason;
    clearTimeout(this.#stepTimer);
    this.#onDrained();
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
  }

  #end(reason: CloseReason): void {
    if (this.#reason === undefined) {
      this.#settle(this.#isOpen || reason.kind === 'failed' ? reason : { kind: 'failed', error: this.#unanswered() });
    }
    this.#socket.destroy();
  }

  #unanswered(): SrsError {
    return new SrsError('SocketClosed', `${this.#where} closed the connection without an answer${this.#stage}`);
  }

  #socketError(cause: Error): SrsError {
    if (this.#session.phase !== 'idle') return new SrsError('SocketRead', `connection to ${this.#where} broke`, { cause });
    const first = cause instanceof AggregateError && cause.errors[0] instanceof Error ? cause.errors[0] : cause;
    const name = dnsErrors.includes(systemErrorCode(first)) ? 'DnsResolve' : 'SocketConnect';
    return new SrsError(name, `cannot connect to ${this.#where}`, { cause: first });
  }

  #onClosed(): CloseReason {
    // Without a word before: the connection was cut.
    if (this.#reason === undefined) this.#end({ kind: 'closed-by-server', status: this.#lastError });
    clearTimeout(this.#stepTimer);
    const reason = this.#reason!;
    if (reason.kind === 'failed') this.#opened.reject(reason.error);
    return reason;
  }
}
