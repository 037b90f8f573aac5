/** The endpoints of SRS 1.0. They only tell, and do not ask by which method. */
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { TSchema } from 'typebox';
import { apiSchema, authorsSchema, dataSchema, requestsSchema, rootSchema, v1Schema, versionsSchema } from './api-documents.ts';
import { apiErrorSchema } from './api-errors.ts';
import { pathOf } from './api-path.ts';
import type { ApiServices } from './api-services.ts';
import {
  meminfosSchema,
  rusagesSchema,
  selfProcStatsSchema,
  summariesSchema,
  systemProcStatsSchema,
} from './system-documents.ts';

/** The numbers of SRS's HTTP parser for the methods that have no name in its answer. */
const methodNumbers: Readonly<Record<string, number>> = { HEAD: 2, OPTIONS: 6, PATCH: 28 };
const namedMethods = ['GET', 'POST', 'PUT', 'DELETE'] as const;
const allowHeader = 'DELETE, GET, HEAD, OPTIONS, POST, PUT';
/** Never repeated, not even to who has sent them. */
const secretHeaders = new Set(['authorization', 'cookie', 'proxy-authorization']);

const urls = {
  versions: 'the version of SRS',
  summaries: 'the summary(pid, argv, pwd, cpu, mem) of SRS',
  rusages: 'the rusage of SRS',
  self_proc_stats: 'the self process stats',
  system_proc_stats: 'the system process stats',
  meminfos: 'the meminfo of system',
  authors: 'the primary authors and contributors',
  requests: 'the request itself, for http debug',
  features: 'what this server can do',
  vhosts: 'all vhosts, or vhosts/ID',
  streams: 'streams by pages (start, count), or streams/ID',
  clients: 'clients by pages (start, count), or clients/ID; DELETE clients/ID disconnects one',
  forwards: 'what streams are pushed to, by pages (start, count; vhost, stream); POST adds a destination, DELETE removes one',
  clusters: 'whether a stream (vhost, app, stream) is published here, for other servers of the cluster',
  reload: 'POST reads the configuration again (dry_run=1: only tells what would change)',
  raw: 'raw?rpc=raw tells the settings of this call, raw?rpc=reload reloads',
};

export const classicRoutes: FastifyPluginAsyncTypebox<ApiServices> = async (app, services) => {
  const { identity, statistics, view, clock } = services;
  const version = versionOf(identity.version);

  /** One path for all methods; the document describes it once. */
  function tell(url: string, summary: string, response: TSchema, make: (request: FastifyRequest) => unknown): void {
    const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
      void reply.header('allow', allowHeader);
      return make(request);
    };
    const schema = { summary, tags: ['classic'], response: { 200: response, '4xx': apiErrorSchema } };
    app.route({ method: 'GET', url, schema, handler });
    app.route({ method: ['POST', 'PUT', 'DELETE', 'PATCH'], url, schema: { ...schema, hide: true }, handler });
  }
  const tellData = (name: string, summary: string, data: TSchema, make: () => unknown): void => {
    tell(`/api/v1/${name}`, summary, dataSchema(data), () => ({ code: 0, data: make() }));
  };

  tell('/', 'Where to begin', rootSchema, () => ({ code: 0, urls: { api: 'the api root' } }));
  tell('/api', 'The versions of the API', apiSchema, () => ({ code: 0, urls: { v1: 'the api version 1.0' } }));
  tell('/api/v1', 'What there is', v1Schema, () => ({ code: 0, urls }));
  tell('/api/v1/versions', 'The version', versionsSchema, () => ({ code: 0, data: version }));
  tell('/api/v1/authors', 'Who made it', authorsSchema, () => ({
    code: 0,
    data: {
      primary: identity.primary,
      authors: identity.authors,
      contributors_link: identity.site,
      contributors: identity.authors,
    },
  }));
  tell('/api/v1/requests', 'The request itself, for debugging', requestsSchema, (request) => ({
    code: 0,
    data: {
      uri: request.originalUrl,
      path: pathOf(request.url),
      METHOD: methodText(request.method),
      headers: headersOf(request.headers),
      server: {
        sigature: 'SRS',
        name: 'SRS(Simple RTMP Server)',
        version: identity.version,
        link: identity.site,
        time: clock.wallMs(),
      },
    },
  }));
  tellData('summaries', 'The server and its machine at a glance', summariesSchema, () => statistics.summaries(view.traffic()));
  tellData('rusages', 'What the master process has used', rusagesSchema, () => statistics.rusages());
  tellData('self_proc_stats', 'The master process', selfProcStatsSchema, () => statistics.selfProcStats());
  tellData('system_proc_stats', 'The processors', systemProcStatsSchema, () => statistics.systemProcStats());
  tellData('meminfos', 'The memory', meminfosSchema, () => statistics.meminfos());
};

function versionOf(text: string): { major: number; minor: number; revision: number; version: string } {
  const [major = 0, minor = 0, revision = 0] = text.split(/[.-]/, 3).map(Number);
  return { major, minor, revision, version: `${major}.${minor}.${revision}` };
}

function methodText(method: string): string | number {
  return namedMethods.find((name) => name === method) ?? methodNumbers[method] ?? -1;
}

function headersOf(headers: IncomingHttpHeaders): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]): [string, string] => {
    if (secretHeaders.has(name)) return [name, '***'];
    return [name, Array.isArray(value) ? value.join(', ') : (value ?? '')];
  });
  return Object.fromEntries(entries);
}
