/** The HTTP port on which one process tells the command line about itself, and is told what to do. Loopback unless told otherwise. */
import { isIP } from 'node:net';
import { describeError, SrsError } from '@srs/kernel';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Page } from './page.ts';
import type { PrivateAnswer, PrivateError } from './private-documents.ts';

export interface PrivateApi {
  readonly port: number;
  close(): Promise<void>;
}

/** What stands behind the question mark, not checked. */
type PrivateQuery = Readonly<Record<string, unknown>>;

/** GET for what only tells, POST for what changes something. */
export type PrivateMethod = 'GET' | 'POST';

/** The document of an answer; an `SrsError` is the answer to a query that cannot be, and a `Page` is surrounded by its place in the list. */
type PrivateHandler = (query: PrivateQuery) => unknown;

/** JSON documents by path, made when they are asked for. A function alone answers GET. */
export type PrivateRoutes = Readonly<Record<string, PrivateHandler | Readonly<Partial<Record<PrivateMethod, PrivateHandler>>>>>;

/** A peer that does not finish its request within this time is let go. */
const REQUEST_TIMEOUT_MS = 10_000;
/** How often that is looked at; Node's own 30 s would make 40 s of the limit. */
const TIMEOUT_CHECK_MS = 2_000;
const MAX_BODY_BYTES = 64 * 1024;

/**
 * A web page can make its own name point to this address and ask in its visitor's name; the browser then sends that name. An
 * address or `localhost` is never the name of a page.
 */
function isHostHeaderSafe(host: string | undefined): boolean {
  const [, ipv6, name = ''] = /^(?:\[([^\]]*)\]|([^:[\]]+))(?::\d{1,5})?$/.exec(host ?? '') ?? [];
  return ipv6 === undefined ? name === 'localhost' || isIP(name) === 4 : isIP(ipv6) === 6;
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
  // Loaded here, because it takes longer than all the rest of a worker: clients are served meanwhile.
  const { fastify } = await import('fastify');
  const server = fastify({
    logger: false,
    forceCloseConnections: true,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    http: { headersTimeout: REQUEST_TIMEOUT_MS, connectionsCheckingInterval: TIMEOUT_CHECK_MS },
    frameworkErrors: (error, _request, reply) => void refuse(reply, error.statusCode ?? 400, error.message),
  });
  server.addHook('onRequest', async (request, reply) => {
    if (isHostHeaderSafe(request.headers.host)) return;
    await refuse(reply, 403, `host ${JSON.stringify(request.headers.host ?? '')} must be localhost or an address`);
  });
  acceptEmptyJson(server);
  for (const [path, route] of Object.entries(o.routes)) {
    const { GET, POST } = handlersOf(route);
    if (GET !== undefined) server.get(path, async (request) => answer(await GET(request.query as PrivateQuery)));
    if (POST !== undefined) {
      server.post(path, { onRequest: refuseForms }, async (request) => answer(await POST(request.query as PrivateQuery)));
    }
  }
  server.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const route = Object.hasOwn(o.routes, path) ? o.routes[path] : undefined;
    if (route === undefined) return refuse(reply, 404, `no such path: ${path}; there are ${Object.keys(o.routes).join(' ')}`);
    const methods = methodsOf(route);
    void reply.header('allow', methods.join(', '));
    return refuse(reply, 405, `method ${request.method} of ${path} must be ${methods.join(' or ')}`);
  });
  server.setErrorHandler((error, _request, reply) => refuse(reply, statusOf(error), describeError(error)));
  await listen(server, o);
  const address = server.server.address();
  if (address === null || typeof address === 'string') throw new Error('private API: no TCP address');
  return { port: address.port, close: () => server.close() };
}

function handlersOf(route: PrivateRoutes[string]): Partial<Record<PrivateMethod, PrivateHandler>> {
  return typeof route === 'function' ? { GET: route } : route;
}

function methodsOf(route: PrivateRoutes[string]): readonly string[] {
  const { GET, POST } = handlersOf(route);
  return [...(GET === undefined ? [] : ['GET', 'HEAD']), ...(POST === undefined ? [] : ['POST'])];
}

/** What a POST has to say stands in its query; an empty body is as good as any. */
function acceptEmptyJson(server: FastifyInstance): void {
  const parse = server.getDefaultJsonParser('error', 'error');
  server.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else void parse(request, body, done);
  });
}

/** A web page may send forms and plain text to any address, but this type only to one that has agreed when its browser asked: none here. */
async function refuseForms(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const type = request.headers['content-type'] ?? '';
  if (/^application\/json\s*(;|$)/i.test(type)) return;
  await refuse(reply, 415, `content-type ${JSON.stringify(type)} of a ${request.method} must be application/json`);
}

function answer(data: unknown): PrivateAnswer<unknown> {
  if (!(data instanceof Page)) return { code: 0, data };
  const { total, start, rows } = data;
  return { code: 0, total, start, count: rows.length, data: rows };
}

function refuse(reply: FastifyReply, status: number, error: string): FastifyReply {
  return reply.code(status).send({ code: status, error } satisfies PrivateError);
}

function statusOf(error: unknown): number {
  if (error instanceof SrsError) return 400;
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' ? status : 500;
}

async function listen(server: FastifyInstance, o: { host: string; port: number; isPortFixed: boolean }): Promise<void> {
  try {
    await server.listen({ host: o.host, port: o.port });
  } catch (cause) {
    if (o.isPortFixed) throw new SrsError('SocketBind', `private_api listen ${o.host}:${o.port}`, { cause });
    await server.listen({ host: o.host, port: 0 });
  }
}
