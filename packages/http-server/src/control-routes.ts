/** What makes the server do something, and the document that describes the API. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { errorCodes } from '@srs/kernel';
import { Type } from 'typebox';
import { doneSchema, idParamsSchema, recordQuerySchema, reloadSchema } from './api-documents.ts';
import { ApiError, apiErrorSchema } from './api-errors.ts';
import { streamIdOf } from './api-rows.ts';
import type { ReloadReport } from './server-documents.ts';
import { notFound, type RouteOptions } from './server-routes.ts';

const dryRunSchema = Type.Object({
  dry_run: Type.Optional(Type.Union([Type.Literal('0'), Type.Literal('1')], { description: '1: only tell what would change.' })),
});

const wishes = { true: true, false: false, auto: undefined } as const;

const rawQuerySchema = Type.Object({ rpc: Type.Optional(Type.String({ maxLength: 64, description: 'raw or reload.' })) });

const rawSchema = Type.Object({
  code: Type.Literal(0),
  http_api: Type.Optional(
    Type.Object({
      enabled: Type.Boolean(),
      listen: Type.String(),
      crossdomain: Type.Boolean(),
      raw_api: Type.Object({ enabled: Type.Boolean(), allow_reload: Type.Boolean() }),
    }),
  ),
});

export const controlRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, { services, access }) => {
  const { view } = services;
  const errors = { '4xx': apiErrorSchema, '5xx': apiErrorSchema };

  app.post(
    '/api/v1/reload',
    {
      onRequest: async (request) => access.checkChange(request),
      schema: {
        summary: 'Reads the configuration again and applies it in all workers',
        tags: ['control'],
        querystring: dryRunSchema,
        response: { 200: reloadSchema, ...errors },
      },
    },
    async ({ query }) => ({ code: 0 as const, data: plainReport(await reload(query.dry_run === '1')) }),
  );

  app.post(
    '/api/v1/streams/:id/record',
    {
      onRequest: async (request) => access.checkChange(request),
      schema: {
        summary: 'Begins or ends the recording of a stream, whatever the configuration says, until its publish ends',
        tags: ['control'],
        params: idParamsSchema,
        querystring: recordQuerySchema,
        response: { 200: doneSchema, ...errors },
      },
    },
    async ({ params: { id }, query: { on } }) => {
      const { streams, silent } = await view.streams();
      const streamId = streams.find((stream) => streamIdOf(stream.streamId) === id)?.streamId;
      if (streamId === undefined) throw notFound('stream', id, errorCodes.StreamNotFound, silent);
      const answer = await view.record(streamId, wishes[on]);
      if (!answer.found) throw notFound('publisher of stream', id, errorCodes.StreamNotFound, answer.silent);
      services.log.trace(`recording of ${streamId} by the API: ${on}`);
      return { code: 0 as const };
    },
  );

  app.get(
    '/api/v1/raw',
    {
      // A GET that changes something: the same checks as for any other change.
      onRequest: async (request) => access.checkChange(request),
      schema: {
        summary: 'The calls of later SRS (http_api / raw_api)',
        tags: ['control'],
        querystring: rawQuerySchema,
        response: { 200: rawSchema, ...errors },
      },
    },
    async ({ query: { rpc } }) => {
      const { rawApi, enabled, crossdomain, listen } = services.config().httpApi;
      if (!rawApi.enabled) throw new ApiError(403, 'raw calls are off (http_api / raw_api / enabled)');
      switch (rpc) {
        case 'raw':
          return {
            code: 0 as const,
            http_api: {
              enabled,
              listen: String(listen.port),
              crossdomain,
              raw_api: { enabled: rawApi.enabled, allow_reload: rawApi.allowReload },
            },
          };
        case 'reload':
          if (!rawApi.allowReload) throw new ApiError(403, 'reload by a raw call is off (http_api / raw_api / allow_reload)');
          await reload(false);
          return { code: 0 as const };
        default:
          throw new ApiError(400, `rpc ${JSON.stringify(rpc)} must be raw or reload`);
      }
    },
  );

  app.get('/api/v1/openapi.json', { schema: { hide: true } }, async () => app.swagger());

  /** @throws ApiError 400 with the problems when the configuration cannot be applied: nothing has changed then */
  async function reload(isDryRun: boolean): Promise<ReloadReport> {
    const report = await view.reload(isDryRun);
    if (report.problems.length > 0) throw new ApiError(400, report.problems.join('\n'), errorCodes.ConfigInvalid);
    services.log.trace(`reload by the API${isDryRun ? ' (dry run)' : ''}: ${report.changes.length} changes`);
    return report;
  }
};

function plainReport({ changes, problems, workers, ...rest }: ReloadReport) {
  return { ...rest, changes: [...changes], problems: [...problems], workers: [...workers] };
}
