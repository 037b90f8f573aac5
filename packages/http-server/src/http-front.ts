/** The sockets of an HTTP service: plain and TLS listeners, the limits of a request, the count of connections. */
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import { type Server as NetServer, Socket } from 'node:net';
import {
  type HandshakeLimits,
  limitHandshakes,
  secureContextOf,
  type TlsMaterial,
  tlsServerOptions,
  usualHandshakeLimits,
} from '@srs/clients';
import { describeError, type Log, SrsError, systemErrorCode } from '@srs/kernel';
import { apiErrorBody } from './api-errors.ts';
import { KEEP_ALIVE_SECONDS } from './quick-answer.ts';
import { QuickConnections, type QuickService } from './quick-connection.ts';

export interface HttpFrontOptions {
  readonly log: Log;
  serve(request: IncomingMessage, response: ServerResponse): void;
  /** Is asked before `serve`, for answers that are ready. */
  readonly quick?: QuickService;
  /** A request to speak another protocol on the connection, which is the callee's from then on. Without this it is served as any other. */
  upgrade?(request: IncomingMessage, socket: Socket): void;
  /** Requests have bodies without end, which are wanted only after a look at the head: the callee says `100 Continue` itself. */
  readonly isEndless?: boolean;
  /** Of one process, whatever `max_connections` says; 512 when it is left out. */
  readonly maxConnections?: number;
  /** Counts a connection; false when the server has as many as it may have. */
  claimConnection(): boolean;
  releaseConnection(): void;
  /**
   * Closes a listener, and nothing else: `close` of `node:net`, for that of `node:http` closes idle connections too.
   * @returns descriptors of connections that the kernel had let in already, which are served still; they now belong to the front
   */
  closeListener(server: NetServer): readonly number[];
  /** For tests that do not want to wait so long. */
  readonly times?: RequestTimes;
  /** Of each TLS listener. */
  readonly handshakes?: HandshakeLimits;
}

export interface FrontAddress {
  readonly host: string;
  readonly port: number;
  /** A socket that listens there already; closed with the listener. */
  readonly fd?: number;
}

/** What a peer has for a request. */
interface RequestTimes {
  readonly headMs: number;
  /** Its head included; 0 for as long as it takes. */
  readonly wholeMs: number;
  /** How often that is looked at. */
  readonly checkMs: number;
  /** For taking something of a quick answer. */
  readonly stallMs?: number;
}

/** Node's own check, every 30 s, would make 40 s of the first. */
const defaultTimes: RequestTimes = { headMs: 10_000, wholeMs: 20_000, checkMs: 2_000 };
const MAX_HEAD_BYTES = 16 * 1024;
const MAX_HEADERS = 100;
/** Who floods an API must not keep media clients out. */
const DEFAULT_MAX_CONNECTIONS = 512;
/** Who came in the last moment before the end, and has asked for something already, may be heard. */
const LAST_REQUEST_MS = 100;
/** Between two lines in the log about connections that were turned away. */
const REFUSAL_LOG_MS = 10_000;

function serverOptions({ headMs, wholeMs, checkMs }: RequestTimes): ServerOptions {
  return {
    headersTimeout: headMs,
    requestTimeout: wholeMs,
    connectionsCheckingInterval: checkMs,
    keepAliveTimeout: KEEP_ALIVE_SECONDS * 1000,
    maxHeaderSize: MAX_HEAD_BYTES,
    noDelay: true,
  };
}

export class HttpFront {
  readonly #options: HttpFrontOptions;
  readonly #servers = new Map<string, Server | TlsServer>();
  readonly #quick = new Map<Server | TlsServer, QuickConnections>();
  readonly #sockets = new Set<Socket>();
  /** Those on which HTTP is spoken: the same, or the TLS on them. */
  readonly #speakers = new Set<Socket>();
  /** Of TLS listeners that have connections still, closed or not. */
  readonly #endHandshakes = new Map<NetServer, () => void>();
  /** Of listeners that are closed and still have requests under way. */
  readonly #closing = new Set<Promise<void>>();
  #lastRefusalMs = Number.NEGATIVE_INFINITY;
  #refused = 0;

  constructor(options: HttpFrontOptions) {
    this.#options = options;
  }

  /**
   * Accepts connections on one more address.
   * @param name for `unlisten` and the log
   * @param tls for a listener that speaks TLS only
   * @throws SrsError SocketListen
   */
  async listen(name: string, address: FrontAddress, tls?: TlsMaterial): Promise<void> {
    const { quick } = this.#options;
    const connections = quick === undefined ? undefined : new QuickConnections(quick, this.#options.times?.stallMs);
    const serve = (request: IncomingMessage, response: ServerResponse): void => {
      connections?.onRequest(request.socket, response);
      this.#options.serve(request, response);
    };
    const times = this.#options.times ?? defaultTimes;
    const isEndless = this.#options.isEndless === true;
    const options = serverOptions(isEndless ? { ...times, wholeMs: 0 } : times);
    const limits = this.#options.handshakes ?? usualHandshakeLimits;
    const server =
      tls === undefined ? createServer(options, serve) : createTlsServer({ ...options, ...tlsServerOptions(tls, limits) }, serve);
    server.maxHeadersCount = MAX_HEADERS;
    if (isEndless) server.on('checkContinue', serve);
    // The raw connection counts, before any handshake.
    server.on('connection', (socket: Socket) => this.#onConnection(socket));
    if ('setSecureContext' in server) {
      const onTurnedAway = (socket: Socket, reason: string): void => this.#tellRefusal(socket.remoteAddress, reason);
      this.#endHandshakes.set(server, limitHandshakes(server, limits, { onTurnedAway }));
      server.once('close', () => this.#endHandshakes.delete(server));
    }
    server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      this.#speakers.add(socket);
      socket.once('close', () => this.#speakers.delete(socket));
      connections?.take(socket);
    });
    server.on('clientError', (error, socket) => refuseBroken(error, socket as Socket));
    if (this.#options.upgrade !== undefined) {
      server.on('upgrade', (request, socket) => {
        // From here on nobody else hears of what happens to it.
        socket.on('error', () => {});
        this.#options.upgrade?.(request, socket as Socket);
      });
    }
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        const { fd, host, port } = address;
        server.listen(fd === undefined ? { host, port } : { fd }, () => {
          server.off('error', reject);
          resolve();
        });
      });
    } catch (cause) {
      throw new SrsError('SocketListen', `HTTP listener ${name}`, { cause });
    }
    server.on('error', (error) => this.#options.log.error(`HTTP listener ${name}: ${describeError(error)}`));
    this.#servers.set(name, server);
    if (connections !== undefined) this.#quick.set(server, connections);
  }

  /** Where that listener really listens, for port 0. */
  portOf(name: string): number {
    const bound = this.#servers.get(name)?.address();
    return typeof bound === 'object' && bound !== null ? bound.port : 0;
  }

  /** New connections get these certificates; those there are keep theirs. */
  useTls(tls: TlsMaterial): void {
    for (const server of this.#servers.values()) if ('setSecureContext' in server) server.setSecureContext(secureContextOf(tls));
  }

  /** Accepts nobody any more there; who has come may finish. */
  unlisten(name: string): void {
    this.#shut(name);
  }

  stopAccepting(): void {
    for (const name of Array.from(this.#servers.keys())) this.#shut(name);
  }

  /** Lets requests under way finish, `graceMs` at most, and closes everything. Who has asked for nothing is not waited for. */
  async close(graceMs: number): Promise<void> {
    this.stopAccepting();
    for (const endHandshakes of this.#endHandshakes.values()) endHandshakes();
    const timers = [setTimeout(() => this.#destroySilent(), LAST_REQUEST_MS), setTimeout(() => this.#destroySockets(), graceMs)];
    await Promise.all(this.#closing);
    for (const timer of timers) clearTimeout(timer);
    this.#destroySockets();
  }

  #shut(name: string): void {
    const server = this.#servers.get(name);
    if (server === undefined) return;
    this.#servers.delete(name);
    const closed = new Promise<void>((resolve) => {
      server.once('close', resolve);
    }).finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
    const left = this.#options.closeListener(server);
    for (const fd of left) server.emit('connection', new Socket({ fd, readable: true, writable: true }));
    void this.#closeIdle(server);
  }

  /** To the HTTP server a connection is idle that is being sent a quick answer. */
  async #closeIdle(server: Server | TlsServer): Promise<void> {
    await this.#quick.get(server)?.close();
    this.#quick.delete(server);
    // Beside the listener, which is closed, this closes what is idle, and stops looking for requests that take too long.
    server.close();
  }

  #destroySilent(): void {
    for (const socket of this.#speakers) if (socket.bytesRead === 0) socket.destroy();
  }

  #destroySockets(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #onConnection(socket: Socket): void {
    if (this.#sockets.size >= this.#maxConnections || !this.#options.claimConnection()) {
      this.#tellRefusal(socket.remoteAddress, `max_connections are in use, or ${this.#maxConnections} by HTTP`);
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#options.releaseConnection();
    });
  }

  get #maxConnections(): number {
    return this.#options.maxConnections ?? DEFAULT_MAX_CONNECTIONS;
  }

  #tellRefusal(ip: string | undefined, reason: string): void {
    this.#refused += 1;
    const nowMs = performance.now();
    if (nowMs - this.#lastRefusalMs < REFUSAL_LOG_MS) return;
    this.#options.log.error(`HTTP client ${ip ?? ''} refused: ${reason} (${this.#refused} refused so far)`);
    this.#lastRefusalMs = nowMs;
  }
}

/** What Node's parser says of a request that never became one. */
const statuses: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** The parser has given up on the connection: a last answer, then the end. */
function refuseBroken(error: Error, socket: Socket): void {
  if (!socket.writable || systemErrorCode(error) === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status = statuses[systemErrorCode(error) ?? ''] ?? 400;
  const document = apiErrorBody(status, '', 'the request cannot be understood, or is too large or too slow');
  const body = JSON.stringify(document);
  socket.end(
    `HTTP/1.1 ${status} ${document.data.reason_phrase}\r\nContent-Type: application/json;charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    // A peer that goes on sending is not listened to.
    () => socket.destroy(),
  );
}
