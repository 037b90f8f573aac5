/**
 * The HTTP port on which one process tells the command line about itself, and is told what to do. Loopback unless told otherwise.
 *
 * It stands on Node's own HTTP server: a framework would take a third of the time in which a worker starts, in every process.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { describeError, SrsError } from '@srs/kernel';
import type { PrivateAnswer, PrivateError, PrivateMethod } from '@srs/survey';
import { Page } from './page.ts';

export interface PrivateApi {
  readonly port: number;
  close(): Promise<void>;
}

/** What stands behind the question mark, not checked; of a name that is given twice the last value. */
type PrivateQuery = Readonly<Record<string, unknown>>;

/** The document of an answer; an `SrsError` is the answer to a query that cannot be, and a `Page` is surrounded by its place in the list. */
type PrivateHandler = (query: PrivateQuery) => unknown;

/** JSON documents by path, made when they are asked for. A function alone answers GET. */
export type PrivateRoutes = Readonly<Record<string, PrivateHandler | Readonly<Partial<Record<PrivateMethod, PrivateHandler>>>>>;

/** A peer that does not finish its request within this time is let go. */
const REQUEST_TIMEOUT_MS = 10_000;
/** How often that is looked at; Node's own 30 s would make 40 s of the limit. */
const TIMEOUT_CHECK_MS = 2_000;
const MAX_BODY_BYTES = 64 * 1024;
const JSON_TYPE = 'application/json; charset=utf-8';

/** The answer to a request that is not served. */
class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/**
 * Listens on `host:port`, or on any free port when that one is taken: the master's directory tells which it became.
 * @throws SrsError SocketBind when the address cannot be used at all
 */
export async function startPrivateApi(o: {
  host: string;
  port: number;
  isPortFixed: boolean;
  routes: PrivateRoutes;
}): Promise<PrivateApi> {
  const timeouts = { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS };
  const server = createServer({ ...timeouts, connectionsCheckingInterval: TIMEOUT_CHECK_MS }, (request, response) => {
    void serve(o.routes, request, response);
  });
  await listen(server, o);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('private API: no TCP address');
  return { port: address.port, close: () => close(server) };
}

/** Answers one request; never rejects. */
async function serve(routes: PrivateRoutes, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // A peer that leaves before its answer is no fault of this process.
  request.on('error', () => {});
  response.on('error', () => {});
  try {
    const { handler, query } = handlerOf(routes, request);
    await skipBody(request);
    send(response, 200, answer(await handler(query)));
  } catch (thrown) {
    const status = statusOf(thrown);
    if (thrown instanceof Refusal) for (const [name, value] of Object.entries(thrown.headers)) response.setHeader(name, value);
    // What is left of the request is not read, so there is no place where the next one would begin.
    if (!request.complete) response.setHeader('connection', 'close');
    send(response, status, { code: status, error: describeError(thrown) } satisfies PrivateError);
  }
}

/** @throws Refusal */
function handlerOf(routes: PrivateRoutes, request: IncomingMessage): { handler: PrivateHandler; query: PrivateQuery } {
  const { url = '', method = '', headers } = request;
  if (!isHostHeaderSafe(headers.host)) {
    throw new Refusal(403, `host ${JSON.stringify(headers.host ?? '')} must be localhost or an address`);
  }
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (route === undefined) throw new Refusal(404, `no such path: ${path}; there are ${Object.keys(routes).join(' ')}`);
  const { GET, POST }: Partial<Record<PrivateMethod, PrivateHandler>> = typeof route === 'function' ? { GET: route } : route;
  const handler = method === 'POST' ? POST : method === 'GET' || method === 'HEAD' ? GET : undefined;
  if (handler === undefined) {
    const methods = [...(GET === undefined ? [] : ['GET', 'HEAD']), ...(POST === undefined ? [] : ['POST'])];
    const message = `method ${method} of ${path} must be ${methods.join(' or ')}`;
    throw new Refusal(405, message, { allow: methods.join(', ') });
  }
  if (method === 'POST') refuseForms(headers['content-type'] ?? '');
  return { handler, query: Object.fromEntries(new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1))) };
}

/**
 * A web page can make its own name point to this address and ask in its visitor's name; the browser then sends that name. An
 * address or `localhost` is never the name of a page.
 */
function isHostHeaderSafe(host: string | undefined): boolean {
  const [, ipv6, name = ''] = /^(?:\[([^\]]*)\]|([^:[\]]+))(?::\d{1,5})?$/.exec(host ?? '') ?? [];
  return ipv6 === undefined ? name === 'localhost' || isIP(name) === 4 : isIP(ipv6) === 6;
}

/** A web page may send forms and plain text to any address, but this type only to one that has agreed when its browser asked: none here. */
function refuseForms(type: string): void {
  if (/^application\/json\s*(;|$)/i.test(type)) return;
  throw new Refusal(415, `content-type ${JSON.stringify(type)} of a POST must be application/json`);
}

/** What a request has to say stands in its path and query. @throws Refusal when the body is too large to be read over */
function skipBody(request: IncomingMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    let sizeBytes = 0;
    request.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes > MAX_BODY_BYTES) reject(new Refusal(413, `the body of a request must be at most ${MAX_BODY_BYTES} bytes`));
    });
    request.once('end', resolve);
    request.once('close', () => reject(new Refusal(400, 'the request ended early')));
  });
}

function answer(data: unknown): PrivateAnswer<unknown> {
  if (!(data instanceof Page)) return { code: 0, data };
  const { total, start, rows } = data;
  return { code: 0, total, start, count: rows.length, data: rows };
}

function send(response: ServerResponse, status: number, document: PrivateAnswer<unknown> | PrivateError): void {
  const body = Buffer.from(JSON.stringify(document));
  response.writeHead(status, { 'content-type': JSON_TYPE, 'content-length': body.length }).end(body);
}

function statusOf(thrown: unknown): number {
  if (thrown instanceof Refusal) return thrown.status;
  return thrown instanceof SrsError ? 400 : 500;
}

async function listen(server: Server, o: { host: string; port: number; isPortFixed: boolean }): Promise<void> {
  try {
    await listenOnce(server, o.host, o.port);
  } catch (cause) {
    if (o.isPortFixed) throw new SrsError('SocketBind', `private_api listen ${o.host}:${o.port}`, { cause });
    await listenOnce(server, o.host, 0);
  }
}

function listenOnce(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Whoever is still asking is let go. */
function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
