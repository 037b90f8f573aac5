/** The HTTP management API: routes, checks and errors, without the sockets. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import cors from '@fastify/cors';
import swagger from '@fastify/swagger';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { describeError, errorCodes, SrsError } from '@srs/kernel';
import {
  type FastifyError,
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifyReply,
  type FastifyRequest,
  fastify,
} from 'fastify';
import { ApiAccess } from './api-access.ts';
import { ApiError, apiErrorBody, JSON_TYPE } from './api-errors.ts';
import { MethodTable, normalizeUrl, pathOf } from './api-path.ts';
import type { ApiServices } from './api-services.ts';
import { classicRoutes } from './classic-routes.ts';
import { clustersRoute } from './clusters-route.ts';
import { controlRoutes } from './control-routes.ts';
import { forwardRoutes } from './forward-routes.ts';
import { serverRoutes } from './server-routes.ts';

export interface ApiServer {
  /** Answers one request; never throws. */
  serve(request: IncomingMessage, response: ServerResponse): void;
  close(): Promise<void>;
}

/** A larger one is refused. */
const MAX_BODY_BYTES = 64 * 1024;

const corsMethods = 'GET, POST, HEAD, PUT, DELETE';
const corsHeaders = 'Cache-Control,X-Proxy-Authorization,X-Requested-With,Content-Type,Authorization';

/**
 * @param plugins more routes, behind the same checks
 * @throws Error when two routes are the same
 */
export async function createApiServer(services: ApiServices, plugins: readonly FastifyPluginAsync[] = []): Promise<ApiServer> {
  const app = fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    rewriteUrl: (request) => normalizeUrl(request.url ?? '/'),
    frameworkErrors: (error, request, reply) => void refuse(request, reply, error),
  }).withTypeProvider<TypeBoxTypeProvider>();
  const access = new ApiAccess(() => services.config().httpApi);
  const methods = new MethodTable();
  app.addHook('onRoute', ({ url, method }) => {
    if (url !== '*') methods.add(url, Array.isArray(method) ? method : [method]);
  });
  readBodies(app);
  await describeApi(app, services);
  await allowOtherSites(app, services);
  app.addHook('onRequest', async (request, reply) => {
    services.log.trace(
      `HTTP ${request.method} ${pathOf(request.url)}, content-length=${request.headers['content-length'] ?? -1}`,
    );
    void reply.type(JSON_TYPE).headers({ server: `SRS/${services.identity.version}`, 'x-content-type-options': 'nosniff' });
    access.checkRead(request);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = pathOf(request.url);
    const allowed = methods.methodsOf(path);
    if (allowed.length === 0) return answerError(reply, 404, path);
    void reply.header('allow', [...allowed, 'OPTIONS'].join(', '));
    return answerError(reply, 405, path, `method ${request.method} must be ${allowed.join(', ')}`);
  });
  app.setErrorHandler((error, request, reply) => {
    const status = statusOf(error);
    if (status === 401) void reply.header('www-authenticate', access.challenge);
    const what = `HTTP ${request.method} ${pathOf(request.url)}`;
    if (status >= 500) services.log.error(`${what}: ${describeError(error)}`);
    else if (status === 401 || status === 403)
      services.log.warn(`${what} from ${request.ip} is refused: ${describeError(error)}`);
    return refuse(request, reply, error);
  });
  await app.register(classicRoutes, services);
  await app.register(serverRoutes, { services, access });
  await app.register(forwardRoutes, { services, access });
  await app.register(controlRoutes, { services, access });
  await app.register(clustersRoute, services);
  for (const plugin of plugins) await app.register(plugin);
  await app.ready();
  return { serve: (request, response) => app.routing(request, response), close: () => app.close() };
}

/** Only a route that has a schema for it looks at what is sent along, whatever type it is said to be; elsewhere even JSON that is none does no harm. */
function readBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (request, body, done) => {
    if (request.routeOptions.schema?.body === undefined) return done(null, undefined);
    try {
      done(null, JSON.parse(body as string));
    } catch {
      done(new ApiError(400, 'the body must be JSON'));
    }
  });
}

async function describeApi(app: FastifyInstance, { identity }: ApiServices): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.0.3',
      info: {
        title: 'SRS management API',
        description: 'What the server does, and what it is to do.',
        version: identity.version,
      },
      components: {
        securitySchemes: { basic: { type: 'http', scheme: 'basic' }, bearer: { type: 'http', scheme: 'bearer' } },
      },
      security: [{}, { basic: [] }, { bearer: [] }],
    },
  });
}

/**
 * Pages of other sites may read when `crossdomain` is on, but never with what a browser knows of its user: the star and
 * `Access-Control-Allow-Credentials` exclude each other.
 */
async function allowOtherSites(app: FastifyInstance, services: ApiServices): Promise<void> {
  const isOpen = (): boolean => services.config().httpApi.crossdomain;
  await app.register(cors, {
    delegator: (_request, done) => {
      if (!isOpen()) done(null, { origin: false });
      else
        done(null, {
          origin: '*',
          methods: corsMethods,
          allowedHeaders: corsHeaders,
          strictPreflight: false,
          optionsSuccessStatus: 200,
        });
    },
  });
  // SRS tells them with every answer.
  app.addHook('onRequest', async (_request, reply) => {
    if (isOpen())
      void reply.headers({ 'access-control-allow-methods': corsMethods, 'access-control-allow-headers': corsHeaders });
  });
}

function refuse(request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply {
  const status = statusOf(error);
  const code = error instanceof ApiError ? error.code : error instanceof SrsError && status === 400 ? error.code : undefined;
  return answerError(reply, status, pathOf(request.url), messageOf(error, request), code);
}

function answerError(
  reply: FastifyReply,
  status: number,
  path: string,
  message?: string,
  code: number = errorCodes.HttpStatus,
): FastifyReply {
  // A connection whose request was not read to its end cannot have another.
  if (status === 413) void reply.header('connection', 'close');
  return reply
    .code(status)
    .type(JSON_TYPE)
    .serializer(JSON.stringify)
    .send(apiErrorBody(status, path, message, code));
}

function statusOf(error: unknown): number {
  if (error instanceof SrsError) return error.errorName === 'RequestUri' ? 400 : 503;
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' && status >= 400 ? status : 500;
}

const places = { params: 'the path', querystring: 'the query', body: 'the body', headers: 'the head' } as const;

/** Of a query that does not fit its schema: the thing, its value, and what is allowed. */
function messageOf(error: unknown, request: FastifyRequest): string {
  const { validation, validationContext } = error as Partial<FastifyError>;
  const fault = validation?.[0];
  if (fault === undefined) return describeError(error);
  const name = fault.instancePath.split('/')[1] ?? '';
  const told = { params: request.params, querystring: request.query, body: request.body, headers: request.headers };
  const context = validationContext as keyof typeof told;
  const values = told[context] as Readonly<Record<string, unknown>> | null | undefined;
  const what = name === '' ? places[context] : `${name} ${JSON.stringify(values?.[name])}`;
  return `${what} ${fault.message ?? 'is wrong'}`;
}
