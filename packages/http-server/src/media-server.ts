/** The HTTP server of files and streams: checks and errors, and the files; what else it serves are plugins. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describeError } from '@srs/kernel';
import { type FastifyInstance, type FastifyPluginAsync, fastify } from 'fastify';
import { pathOf } from './api-path.ts';
import { fileRoutes } from './file-routes.ts';
import { answerError, MediaError, statusOf } from './media-errors.ts';
import { mediaHeaders, preflightHeaders } from './media-headers.ts';
import type { MediaServices } from './media-services.ts';

export interface MediaServer {
  /** Answers one request; never throws. */
  serve(request: IncomingMessage, response: ServerResponse): void;
  /** Those who are being sent something are the business of whoever has the sockets. */
  close(): Promise<void>;
}

/** Bodies are read and ignored; a larger one is refused. */
const MAX_BODY_BYTES = 64 * 1024;
const allowedMethods = 'GET, HEAD, OPTIONS';

/**
 * @param plugins more routes. Their hooks are asked at every request, before the files, and may answer it: which paths are
 * streams is said by the configuration, and that changes.
 * @throws Error when two routes are the same
 */
export async function createMediaServer(
  services: MediaServices,
  plugins: readonly FastifyPluginAsync[] = [],
): Promise<MediaServer> {
  const headers = mediaHeaders(services);
  const app = fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    frameworkErrors: (error, request, reply) => void answerError(request, reply.headers(headers()), error),
  });
  ignoreBodies(app);
  app.addHook('onRequest', (_request, reply, done) => {
    void reply.headers(headers());
    done();
  });
  // There is no path that has no route for GET.
  app.setNotFoundHandler((request) => {
    throw new MediaError(405, `method ${request.method} must be GET or HEAD`, { allow: allowedMethods });
  });
  app.setErrorHandler((error, request, reply) => {
    if (statusOf(error) >= 500) {
      services.log.error(`HTTP ${request.method} ${pathOf(request.originalUrl)}: ${describeError(error)}`);
    }
    return answerError(request, reply, error);
  });
  app.options('*', (_request, reply) => {
    void reply.header('allow', allowedMethods);
    return services.config().httpStream.crossdomain ? reply.headers(preflightHeaders).send() : reply.send();
  });
  for (const plugin of plugins) await app.register(withSharedHooks(plugin));
  await app.register(fileRoutes(services));
  await app.ready();
  return { serve: (request, response) => app.routing(request, response), close: () => app.close() };
}

/** Whatever is sent along means nothing. */
function ignoreBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, _body, done) => done(null, undefined));
}

/** Fastify keeps the hooks of a plugin from the routes beside it, unless it is marked so. */
function withSharedHooks(plugin: FastifyPluginAsync): FastifyPluginAsync {
  const shared: FastifyPluginAsync = (app, options) => plugin(app, options);
  return Object.assign(shared, { [Symbol.for('skip-override')]: true });
}
