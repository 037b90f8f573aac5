/** The HTTP port on which one process tells the command line about itself. Loopback unless told otherwise, and read only. */
import { isIP } from 'node:net';
import { describeError, SrsError } from '@srs/kernel';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { Page } from './page.ts';
import type { PrivateAnswer, PrivateError } from './private-documents.ts';

export interface PrivateApi {
  readonly port: number;
  close(): Promise<void>;
}

/** What stands behind the question mark, not checked. */
type PrivateQuery = Readonly<Record<string, unknown>>;

/**
 * JSON documents by path, made when they are asked for; a `Page` is surrounded by its place in the whole list.
 * An `SrsError` is the answer to a query that cannot be.
 */
export type PrivateRoutes = Readonly<Record<string, (query: PrivateQuery) => unknown>>;

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
  for (const [path, make] of Object.entries(o.routes)) {
    server.get(path, async (request) => answer(await make(request.query as PrivateQuery)));
  }
  server.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    if (o.routes[path] === undefined) {
      return refuse(reply, 404, `no such path: ${path}; there are ${Object.keys(o.routes).join(' ')}`);
    }
    void reply.header('allow', 'GET, HEAD');
    return refuse(reply, 405, `method ${request.method} of ${path} must be GET or HEAD`);
  });
  server.setErrorHandler((error, _request, reply) => refuse(reply, statusOf(error), describeError(error)));
  await listen(server, o);
  const address = server.server.address();
  if (address === null || typeof address === 'string') throw new Error('private API: no TCP address');
  return { port: address.port, close: () => server.close() };
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
