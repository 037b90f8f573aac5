/** A hook server under the control of a test: keeps what it was asked, and answers as it is told to. */
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { within } from './deadline.ts';

const WAIT_LIMIT_MS = 10_000;

export interface HookRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  readonly text: string;
  /** The text parsed; undefined when it is not JSON. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** @returns the whole answer, or undefined when the function answers, or does not, by itself */
export type HookBehaviour = (request: HookRequest, response: ServerResponse) => string | undefined;

interface HookEvents {
  request: [HookRequest];
}

export class HookServer {
  readonly requests: HookRequest[] = [];
  /** What the next requests meet. */
  behaviour: HookBehaviour;
  readonly #server: Server;
  readonly #scheme: string;
  readonly #events = new EventEmitter<HookEvents>();
  /** TCP connections that were made. */
  connections = 0;

  private constructor(server: Server, scheme: string, behaviour: HookBehaviour) {
    this.#server = server;
    this.#scheme = scheme;
    this.behaviour = behaviour;
    this.#events.setMaxListeners(0);
    server.on('connection', () => {
      this.connections += 1;
    });
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void this.#receive(request, response));
  }

  /** @param options `tls` makes it an https server; `port` is a free one unless told */
  static async start(
    behaviour: HookBehaviour = () => '0',
    options: { readonly tls?: { readonly key: string; readonly cert: string }; readonly port?: number } = {},
  ): Promise<HookServer> {
    const server = options.tls === undefined ? createServer() : createTlsServer(options.tls);
    server.listen(options.port ?? 0, '127.0.0.1');
    await once(server, 'listening');
    return new HookServer(server, options.tls === undefined ? 'http' : 'https', behaviour);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  url(path = '/hook'): string {
    return `${this.#scheme}://127.0.0.1:${this.port}${path}`;
  }

  /** `on_publish one`, in the order in which they came. */
  get events(): string[] {
    return this.requests.map(({ body }) => [body.action, body.stream].filter((word) => typeof word === 'string').join(' '));
  }

  /** The bodies of one event. */
  bodies(action: string): HookRequest['body'][] {
    return this.requests.filter(({ body }) => body.action === action).map(({ body }) => body);
  }

  /** Waits until so many requests have come that `matches`, from the start on. */
  async waitFor(matches: (request: HookRequest) => boolean, count = 1, limitMs = WAIT_LIMIT_MS): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => {
      if (this.requests.filter(matches).length >= count) resolve();
    };
    this.#events.on('request', look);
    look();
    try {
      await within(
        promise,
        limitMs,
        () => `${this.requests.filter(matches).length} of ${count} calls: ${this.events.join(', ')}`,
      );
    } finally {
      this.#events.off('request', look);
    }
  }

  waitForEvent(action: string, count = 1, limitMs?: number): Promise<void> {
    return this.waitFor(({ body }) => body.action === action, count, limitMs);
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.close();
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    response.on('error', () => {});
    try {
      for await (const part of request) parts.push(part as Buffer);
    } catch {
      return;
    }
    const text = Buffer.concat(parts).toString();
    const seen: HookRequest = {
      method: request.method ?? '',
      path: request.url ?? '',
      rawHeaders: request.rawHeaders,
      text,
      body: parse(text),
    };
    this.requests.push(seen);
    const answer = this.behaviour(seen, response);
    this.#events.emit('request', seen);
    if (answer !== undefined) response.end(answer);
  }
}

function parse(text: string): HookRequest['body'] {
  try {
    return JSON.parse(text) as HookRequest['body'];
  } catch {
    return {};
  }
}
