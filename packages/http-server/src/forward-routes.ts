/** What streams are pushed to: listed, added, removed. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { errorCodes } from '@srs/kernel';
import { doneSchema, forwardAddedSchema, forwardSchema, forwardsQuerySchema, forwardsSchema } from './api-documents.ts';
import { ApiError, apiErrorSchema } from './api-errors.ts';
import { forwardRows } from './api-rows.ts';
import { envelopeOf, notFound, partOf, type RouteOptions } from './server-routes.ts';
import type { ForwardRefusal } from './server-view.ts';

const statusOf: Readonly<Record<Exclude<ForwardRefusal['reason'], 'no stream'>, number>> = {
  malformed: 400,
  'own server': 400,
  'too many': 409,
};

export const forwardRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, { services, access }) => {
  const { view } = services;
  const errors = { '4xx': apiErrorSchema, '5xx': apiErrorSchema };

  app.get(
    '/api/v1/forwards',
    {
      schema: {
        summary: 'Every server that a stream is pushed to',
        tags: ['server'],
        querystring: forwardsQuerySchema,
        response: { 200: forwardsSchema, ...errors },
      },
    },
    async ({ query }) => {
      const { start, count } = partOf(query);
      const { streams, silent } = await view.streams();
      const rows = forwardRows(streams, query);
      const forwards = rows.slice(start, start + count);
      return { ...envelopeOf(services, silent), total: rows.length, start, count: forwards.length, forwards };
    },
  );

  app.post(
    '/api/v1/forwards',
    {
      onRequest: async (request) => access.checkChange(request),
      schema: {
        summary: 'Pushes a published stream to another server too, until that is removed or the publish ends',
        tags: ['control'],
        body: forwardSchema,
        response: { 200: forwardAddedSchema, ...errors },
      },
    },
    async ({ body: { vhost, app: name, stream, destination } }) => {
      const streamId = `${vhost}/${name}/${stream}`;
      const { found, silent } = await view.addForward(streamId, destination);
      if (typeof found === 'string') {
        services.log.trace(`forward of ${streamId} by the API: ${found}`);
        return { code: 0 as const, added: found === 'added' };
      }
      if (found.reason === 'no stream') throw notFound('publisher of stream', streamId, errorCodes.StreamNotFound, silent);
      throw new ApiError(statusOf[found.reason], found.text);
    },
  );

  app.delete(
    '/api/v1/forwards',
    {
      onRequest: async (request) => access.checkChange(request),
      schema: {
        summary: 'Ends what was added by a request',
        tags: ['control'],
        querystring: forwardSchema,
        response: { 200: doneSchema, ...errors },
      },
    },
    async ({ query: { vhost, app: name, stream, destination } }) => {
      const streamId = `${vhost}/${name}/${stream}`;
      const { found, silent } = await view.removeForward(streamId, destination);
      if (!found) throw notFound('added destination of stream', streamId, errorCodes.StreamNotFound, silent);
      services.log.trace(`forward of ${streamId} by the API: removed`);
      return { code: 0 as const };
    },
  );
};
