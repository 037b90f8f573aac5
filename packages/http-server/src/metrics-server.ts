/** The port on which Prometheus asks for metrics, apart from the API: it changes nothing and knows nobody's secrets. */
import { describeError } from '@srs/kernel';
import { fastify } from 'fastify';
import { ApiError, apiErrorBody } from './api-errors.ts';
import { HttpFront, type HttpFrontOptions } from './http-front.ts';
import { observabilityRoutes } from './metrics-routes.ts';
import type { MetricsSource } from './metrics-source.ts';

export interface MetricsServerOptions extends Omit<HttpFrontOptions, 'serve'> {
  readonly source: MetricsSource;
}

/** Its listeners are opened and closed on what is returned. */
export async function createMetricsServer(options: MetricsServerOptions): Promise<HttpFront> {
  const app = fastify({ logger: false, routerOptions: { ignoreTrailingSlash: true } });
  const refuse = (statusCode: number, url: string, error: string) => apiErrorBody(statusCode, url.split('?', 1)[0] ?? '', error);
  app.setNotFoundHandler(async (request, reply) => {
    const isPath = app.hasRoute({ method: 'GET', url: request.url.split('?', 1)[0] ?? '' });
    if (!isPath) return await reply.code(404).send(refuse(404, request.url, 'there are /metrics, /healthz and /readyz'));
    const text = `method ${request.method} must be GET or HEAD`;
    return await reply
      .code(405)
      .header('allow', 'GET, HEAD')
      .send(refuse(405, request.url, text));
  });
  app.setErrorHandler(async (error, request, reply) => {
    const statusCode = error instanceof ApiError ? error.statusCode : 503;
    return await reply.code(statusCode).send(refuse(statusCode, request.url, describeError(error)));
  });
  await app.register(observabilityRoutes(options.source));
  await app.ready();
  return new HttpFront({ ...options, serve: (request, response) => app.routing(request, response) });
}
