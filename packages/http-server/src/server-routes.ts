/** Vhosts, streams and clients, added up over all workers. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { errorCodes } from '@srs/kernel';
import type { ApiAccess } from './api-access.ts';
import {
  clientIdParamsSchema,
  clientSchema,
  clientsSchema,
  doneSchema,
  featuresSchema,
  idParamsSchema,
  listQuerySchema,
  MIN_LIST_COUNT,
  streamSchema,
  streamsSchema,
  vhostSchema,
  vhostsSchema,
} from './api-documents.ts';
import { ApiError, apiErrorSchema } from './api-errors.ts';
import { clientRow, streamIdOf, streamRow, vhostRows } from './api-rows.ts';
import type { ApiServices } from './api-services.ts';
import type { ListPart, SilentWorker } from './server-view.ts';

export interface RouteOptions {
  readonly services: ApiServices;
  readonly access: ApiAccess;
}

export const serverRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, { services, access }) => {
  const { view, clock } = services;
  const errors = { '4xx': apiErrorSchema, '5xx': apiErrorSchema };
  const envelope = (silent: readonly SilentWorker[]) => envelopeOf(services, silent);

  app.get(
    '/api/v1/features',
    { schema: { summary: 'What this server can do', tags: ['server'], response: { 200: featuresSchema, ...errors } } },
    async () => ({ code: 0 as const, data: { features: services.features } }),
  );

  app.get(
    '/api/v1/vhosts',
    { schema: { summary: 'All vhosts', tags: ['server'], response: { 200: vhostsSchema, ...errors } } },
    async () => {
      const { streams, silent } = await view.streams();
      return { ...envelope(silent), vhosts: [...vhostRows(services.config(), streams)] };
    },
  );

  app.get(
    '/api/v1/vhosts/:id',
    {
      schema: {
        summary: 'One vhost, by its id or name',
        tags: ['server'],
        params: idParamsSchema,
        response: { 200: vhostSchema, ...errors },
      },
    },
    async ({ params: { id } }) => {
      const { streams, silent } = await view.streams();
      const vhost = vhostRows(services.config(), streams).find((row) => row.id === id || row.name === id);
      if (vhost === undefined) throw new ApiError(404, `vhost ${JSON.stringify(id)} is not there`, errorCodes.RtmpVhost);
      return { ...envelope(silent), vhost };
    },
  );

  app.get(
    '/api/v1/streams',
    {
      schema: {
        summary: 'Streams that are published or played',
        tags: ['server'],
        querystring: listQuerySchema,
        response: { 200: streamsSchema, ...errors },
      },
    },
    async ({ query }) => {
      const { start, count } = partOf(query);
      const { streams, silent } = await view.streams();
      const rows = streams.slice(start, start + count).map((stream) => streamRow(stream, clock.wallMs()));
      return { ...envelope(silent), total: streams.length, start, count: rows.length, streams: rows };
    },
  );

  app.get(
    '/api/v1/streams/:id',
    {
      schema: { summary: 'One stream', tags: ['server'], params: idParamsSchema, response: { 200: streamSchema, ...errors } },
    },
    async ({ params: { id } }) => {
      const { streams, silent } = await view.streams();
      const stream = streams.find(({ streamId }) => streamIdOf(streamId) === id);
      if (stream === undefined) throw notFound('stream', id, errorCodes.StreamNotFound, silent);
      return { ...envelope(silent), stream: streamRow(stream, clock.wallMs()) };
    },
  );

  app.get(
    '/api/v1/clients',
    {
      schema: {
        summary: 'Connections, in the order of workers and of their coming',
        tags: ['server'],
        querystring: listQuerySchema,
        response: { 200: clientsSchema, ...errors },
      },
    },
    async ({ query }) => {
      const part = partOf(query);
      const { total, clients, silent } = await view.clients(part);
      return { ...envelope(silent), total, start: part.start, count: clients.length, clients: clients.map(clientRow) };
    },
  );

  app.get(
    '/api/v1/clients/:id',
    {
      schema: {
        summary: 'One connection',
        tags: ['server'],
        params: clientIdParamsSchema,
        response: { 200: clientSchema, ...errors },
      },
    },
    async ({ params: { id } }) => {
      const { found, silent } = await view.client(id);
      if (found === null) throw notFound('client', id, errorCodes.ClientNotFound, silent);
      return { ...envelope(silent), client: clientRow(found) };
    },
  );

  app.delete(
    '/api/v1/clients/:id',
    {
      onRequest: async (request) => access.checkChange(request),
      schema: {
        summary: 'Disconnects a client',
        tags: ['control'],
        params: clientIdParamsSchema,
        response: { 200: doneSchema, ...errors },
      },
    },
    async ({ params: { id } }) => {
      const { found, silent } = await view.kick(id);
      if (!found) throw notFound('client', id, errorCodes.ClientNotFound, silent);
      services.log.trace(`client ${id} is disconnected by the API`);
      return { code: 0 as const };
    },
  );
};

/** What stands in every answer of several workers. */
export const envelopeOf = ({ masterPid }: ApiServices, silent: readonly SilentWorker[]) => ({
  code: 0 as const,
  server: masterPid,
  silent_workers: silent.map(({ slot, role, pid, problem }) => ({ worker: slot, role, pid, problem })),
});

export function partOf({ start, count }: ListPart): ListPart {
  return { start, count: Math.max(MIN_LIST_COUNT, count) };
}

/** A worker that is silent may have it. */
export function notFound(what: string, id: string | number, code: number, silent: readonly SilentWorker[]): ApiError {
  const slots = silent.map(({ slot }) => slot).join(', ');
  const doubt = slots === '' ? '' : `, as far as can be told without worker ${slots}, which does not answer`;
  return new ApiError(404, `${what} ${JSON.stringify(id)} is not there${doubt}`, code);
}
