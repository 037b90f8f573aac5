/** Serves what back-sources keep in memory: HLS that is not written to a disk. */
import type { IncomingMessage } from 'node:http';
import { type Config, resolveVhost, type VhostConfig } from '@srs/config';
import { describeError, type Log } from '@srs/kernel';
import type { OutputAnswer, OutputRequest } from '@srs/stream';
import type { FastifyPluginAsync, FastifyReply } from 'fastify';
import { ApiError } from './api-errors.ts';
import { hostOf } from './live-server.ts';
import { OutputCache } from './output-cache.ts';
import { withParameter } from './playlist-uris.ts';

export interface OutputRoutesOptions {
  config(): Config;
  readonly clock: { nowMs(): number };
  readonly log: Log;
  readonly ask: (request: OutputRequest) => Promise<OutputAnswer>;
}

/** Segments of all streams that are being watched, for some time. */
const MAX_CACHE_BYTES = 256 * 1024 * 1024;
const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl';
const ENDINGS = /\.(?:m3u8|ts|m4s|mp4|key)$/;

export function outputRoutes(options: OutputRoutesOptions): FastifyPluginAsync {
  const cache = new OutputCache({ ask: options.ask, nowMs: () => options.clock.nowMs(), maxBytes: MAX_CACHE_BYTES });
  return async (app) => {
    app.addHook('onRequest', async ({ raw }, reply) => {
      if (raw.method !== 'GET' && raw.method !== 'HEAD') return undefined;
      const wanted = findOutput(options.config(), raw);
      if (wanted === undefined) return undefined;
      const gone = new AbortController();
      raw.socket.once('close', () => gone.abort());
      let answer: OutputAnswer;
      try {
        answer = await cache.get({ ...wanted.request, signal: gone.signal });
      } catch (error) {
        if (!gone.signal.aborted) options.log.error(`HTTP ${raw.method} ${wanted.request.path}: ${describeError(error)}`);
        throw new ApiError(503, 'the stream cannot be asked for at the moment');
      }
      // A file of that name may be there.
      if (answer.status === 404) return undefined;
      if (answer.status !== 200) throw new ApiError(answer.status, answer.reason);
      return send(reply, answer, wanted.namedVhost);
    });
  };
}

interface WantedOutput {
  readonly request: Omit<OutputRequest, 'signal'>;
  /** The vhost that the URL names instead of its host. */
  readonly namedVhost: string | undefined;
}

/** What may be in memory. */
function findOutput(config: Config, request: IncomingMessage): WantedOutput | undefined {
  const url = request.url ?? '/';
  const queryStart = url.indexOf('?');
  const encoded = queryStart < 0 ? url : url.slice(0, queryStart);
  const parameters = new URLSearchParams(queryStart < 0 ? '' : url.slice(queryStart + 1));
  if (!ENDINGS.test(encoded)) return undefined;
  const namedVhost = parameters.get('vhost') ?? undefined;
  const found = resolveVhost(config, namedVhost ?? hostOf(request));
  if (found.kind !== 'found' || !isKeptInMemory(found.vhost)) return undefined;
  try {
    const path = decodeURIComponent(encoded.replace(/^\/+/, ''));
    return { request: { vhost: found.vhost.name, path, query: deliveryDirectives(parameters) }, namedVhost };
  } catch {
    return undefined;
  }
}

const isKeptInMemory = ({ hls }: VhostConfig): boolean => hls.enabled && (hls.storage === 'memory' || hls.format === 'll');

/** All else in a query has no meaning here, and must not make two answers of one. */
function deliveryDirectives(parameters: URLSearchParams): string {
  const directives = Array.from(parameters).filter(([name]) => name.startsWith('_HLS_'));
  return new URLSearchParams(directives).toString();
}

function send(
  reply: FastifyReply,
  { contentType, body, maxAgeSeconds }: OutputAnswer & { readonly status: 200 },
  namedVhost: string | undefined,
): FastifyReply {
  const cacheControl = maxAgeSeconds > 0 ? `max-age=${maxAgeSeconds}` : 'no-cache';
  const isPlaylist = namedVhost !== undefined && contentType === PLAYLIST_TYPE;
  const sent = isPlaylist ? withParameter(body.toString(), 'vhost', namedVhost) : body;
  return reply.type(contentType).header('cache-control', cacheControl).send(sent);
}
