/** What other servers of an origin cluster ask: whether a stream is published here, and where they get it. As SRS 3 has it. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { formatAddress, parseServerAddress, resolveVhost, streamId } from '@srs/config';
import { clustersQuerySchema, clustersSchema } from './api-documents.ts';
import { apiErrorSchema } from './api-errors.ts';
import type { ApiServices } from './api-services.ts';

export const clustersRoute: FastifyPluginAsyncTypebox<ApiServices> = async (app, services) => {
  app.get(
    '/api/v1/clusters',
    {
      schema: {
        summary: 'Whether a stream is published on this server',
        tags: ['server'],
        querystring: clustersQuerySchema,
        response: { 200: clustersSchema, '4xx': apiErrorSchema, '5xx': apiErrorSchema },
      },
    },
    async ({ query: { ip, vhost, app: appName, stream, coworker } }) => ({
      code: 0 as const,
      data: {
        query: { ip, vhost, app: appName, stream },
        origin: await findOrigin(services, vhost, appName, stream, coworker),
      },
    }),
  );
};

async function findOrigin(services: ApiServices, vhostName: string, app: string, stream: string, coworker: string) {
  const config = services.config();
  const resolution = resolveVhost(config, vhostName);
  if (resolution.kind !== 'found') return null;
  const vhost = resolution.vhost.name;
  const place = await services.placeOf(streamId(vhost, app, stream), parseServerAddress(coworker)?.host ?? '');
  if (place === null) return null;
  const { address, instanceId, cid, hops } = place;
  const api = formatAddress({ host: address.host, port: config.httpApi.listen.port });
  return { ip: address.host, port: address.port, vhost, api, routers: [api], instance: instanceId, id: cid, hops: [...hops] };
}
