/** `/metrics`, `/healthz` and `/readyz`, on the port of the API as well as on one of their own. */
import type { FastifyPluginAsync } from 'fastify';
import { ApiError } from './api-errors.ts';
import { healthDocument } from './health.ts';
import { METRICS_CONTENT_TYPE } from './metrics.ts';
import type { MetricsSource } from './metrics-source.ts';

/** A fastify plugin. Readiness is 503 with the reasons while a worker does not serve; `/metrics` is 404 until it is enabled. */
export function observabilityRoutes(source: MetricsSource): FastifyPluginAsync {
  return async (app) => {
    app.addHook('onSend', async (_request, reply) => {
      void reply.header('cache-control', 'no-store');
    });
    app.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
      if (!source.isEnabled) throw new ApiError(404, 'metrics are switched off (exporter / enabled)');
      return await reply.type(METRICS_CONTENT_TYPE).send(await source.metrics());
    });
    app.get('/healthz', { schema: { hide: true } }, () => healthDocument(process));
    app.get('/readyz', { schema: { hide: true } }, async (_request, reply) => {
      const document = await source.readiness();
      return await reply.code(document.code === 0 ? 200 : document.code).send(document);
    });
  };
}
