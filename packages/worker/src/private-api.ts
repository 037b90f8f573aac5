/** The HTTP port on which one process tells the command line about itself. Loopback only, and read only. */
import { type FastifyInstance, fastify } from 'fastify';

export interface PrivateApi {
  readonly port: number;
  close(): Promise<void>;
}

/** JSON documents by path, made when they are asked for. */
export type PrivateRoutes = Readonly<Record<string, () => unknown>>;

/** Names under which a loopback API may be asked; anything else is a web page that rebinds its name to this address. */
function isLocalHostHeader(host: string | undefined, ownHost: string): boolean {
  const name = (host ?? '').replace(/:\d+$/, '');
  return name === 'localhost' || name === '127.0.0.1' || name === '[::1]' || name === ownHost;
}

/**
 * Listens on `host:port`, or on any free port when that one is taken: the master's directory tells which it became.
 * @throws the system's error when the address cannot be used at all
 */
export async function startPrivateApi(o: {
  host: string;
  port: number;
  isPortFixed: boolean;
  routes: PrivateRoutes;
}): Promise<PrivateApi> {
  const server = fastify({ logger: false, forceCloseConnections: true, bodyLimit: 64 * 1024 });
  server.addHook('onRequest', async (request, reply) => {
    if (!isLocalHostHeader(request.headers.host, o.host)) {
      await reply.code(403).send({ code: 403, error: `host ${String(request.headers.host)} must be a loopback name` });
    }
  });
  for (const [path, make] of Object.entries(o.routes)) server.get(path, async () => ({ code: 0, data: make() }));
  server.setNotFoundHandler(async (request, reply) => {
    await reply.code(404).send({ code: 404, error: `no such path: ${request.url}`, paths: Object.keys(o.routes) });
  });
  await listen(server, o);
  const address = server.server.address();
  if (address === null || typeof address === 'string') throw new Error('private API: no TCP address');
  return { port: address.port, close: () => server.close() };
}

async function listen(server: FastifyInstance, o: { host: string; port: number; isPortFixed: boolean }): Promise<void> {
  try {
    await server.listen({ host: o.host, port: o.port });
  } catch (error) {
    if (o.isPortFixed) throw error;
    await server.listen({ host: o.host, port: 0 });
  }
}
