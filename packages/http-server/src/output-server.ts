/** Serves what back-sources keep in memory: HLS that is not written to a disk. */
import type { IncomingMessage } from 'node:http';
import { type Config, resolveVhost } from '@srs/config';
import { describeError } from '@srs/kernel';
import type { OutputAnswer, OutputRequest } from '@srs/stream';
import type { FastifyPluginAsync, FastifyReply } from 'fastify';
import { ApiError } from './api-errors.ts';
import { isKeptInMemory } from './hls-target.ts';
import { hostOf } from './live-server.ts';
import { mediaHeaders } from './media-headers.ts';
import type { MediaServices } from './media-services.ts';
import { OutputCache } from './output-cache.ts';
import { withParameter } from './playlist-uris.ts';
import { PreparedAnswer } from './quick-answer.ts';
import type { QuickAnswerer, QuickSource } from './quick-media.ts';

export interface OutputServerOptions extends Pick<MediaServices, 'config' | 'clock' | 'log' | 'identity'> {
  readonly ask: (request: OutputRequest) => Promise<OutputAnswer>;
}

/** Segments of all streams that are being watched, for some time. */
const MAX_CACHE_BYTES = 256 * 1024 * 1024;
const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl';
const ENDINGS = /\.(?:m3u8|ts|m4s|mp4|key)$/;

/** What is in memory by some name. */
export interface OutputContent {
  readonly body: Buffer;
  readonly contentType: string;
  readonly cacheControl: string;
}

type Found = OutputAnswer & { readonly status: 200 };

export class OutputServer implements QuickSource {
  readonly #options: OutputServerOptions;
  readonly #cache: OutputCache;
  readonly #headers: () => Readonly<Record<string, string>>;
  /** With their heads, for as long as the cache has them, by the vhost that their URIs name. */
  readonly #prepared = new WeakMap<Found, Map<string | undefined, PreparedAnswer>>();

  constructor(options: OutputServerOptions) {
    this.#options = options;
    this.#cache = new OutputCache({ ask: options.ask, nowMs: () => options.clock.nowMs(), maxBytes: MAX_CACHE_BYTES });
    this.#headers = mediaHeaders(options);
  }

  /** Asked at each request before files are looked for. @param hides whether what it asks for is kept from it */
  routes(hides: (request: IncomingMessage) => boolean): FastifyPluginAsync {
    return async (app) => {
      app.addHook('onRequest', async ({ raw }, reply) => {
        if ((raw.method !== 'GET' && raw.method !== 'HEAD') || hides(raw)) return undefined;
        const answer = await this.read(raw, raw.url ?? '/');
        return answer === undefined ? undefined : send(reply, answer);
      });
    };
  }

  /**
   * Waits for what is yet to be made.
   * @returns undefined when nothing of that name is in memory; a file may have it
   * @throws ApiError
   */
  async read(request: IncomingMessage, url: string): Promise<OutputContent | undefined> {
    const { config, log } = this.#options;
    const wanted = findOutput(config(), hostOf(request), url);
    if (wanted === undefined) return undefined;
    const gone = new AbortController();
    const onGone = (): void => gone.abort();
    request.socket.once('close', onGone);
    let answer: OutputAnswer;
    try {
      answer = await this.#cache.get({ ...wanted.request, signal: gone.signal });
    } catch (error) {
      if (!gone.signal.aborted) log.error(`HTTP ${request.method} ${wanted.request.path}: ${describeError(error)}`);
      throw new ApiError(503, 'the stream cannot be asked for at the moment');
    } finally {
      request.socket.off('close', onGone);
    }
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw new ApiError(answer.status, answer.reason);
    const { body } = this.#prepare(answer, wanted.namedVhost);
    return { body, contentType: answer.contentType, cacheControl: cacheControlOf(answer) };
  }

  /** @returns what reads that which is kept already */
  reader(url: string, host: string): () => Buffer | undefined {
    const wanted = findOutput(this.#options.config(), hostOf({ headers: { host } }), url);
    const key = wanted === undefined ? '' : OutputCache.keyOf(wanted.request);
    return () => {
      const found = this.#cache.find(key);
      return found === undefined ? undefined : this.#prepare(found, wanted?.namedVhost).body;
    };
  }

  /** Answers with what is kept; what is not is asked for where requests are served that wait. */
  find(url: string, host: string): QuickAnswerer | undefined {
    const { config, clock } = this.#options;
    const wanted = findOutput(config(), hostOf({ headers: { host } }), url);
    if (wanted === undefined) return undefined;
    const key = OutputCache.keyOf(wanted.request);
    return ({ method }) => {
      const found = this.#cache.find(key);
      return found === undefined ? undefined : this.#prepare(found, wanted.namedVhost).get(method, clock.wallMs());
    };
  }

  #prepare(found: Found, namedVhost: string | undefined): PreparedAnswer {
    let prepared = this.#prepared.get(found);
    if (prepared === undefined) {
      prepared = new Map();
      this.#prepared.set(found, prepared);
    }
    let answer = prepared.get(namedVhost);
    if (answer === undefined) {
      const headers = [...Object.entries(this.#headers()).flat(), 'Content-Type', found.contentType];
      headers.push('Cache-Control', cacheControlOf(found));
      answer = new PreparedAnswer(headers, bodyOf(found, namedVhost));
      prepared.set(namedVhost, answer);
    }
    return answer;
  }
}

interface WantedOutput {
  readonly request: Omit<OutputRequest, 'signal'>;
  /** The vhost that the URL names instead of its host. */
  readonly namedVhost: string | undefined;
}

/** What may be in memory. */
function findOutput(config: Config, host: string, url: string): WantedOutput | undefined {
  const queryStart = url.indexOf('?');
  const encoded = queryStart < 0 ? url : url.slice(0, queryStart);
  const parameters = new URLSearchParams(queryStart < 0 ? '' : url.slice(queryStart + 1));
  if (!ENDINGS.test(encoded)) return undefined;
  const namedVhost = parameters.get('vhost') ?? undefined;
  const found = resolveVhost(config, namedVhost ?? host);
  if (found.kind !== 'found' || !isKeptInMemory(found.vhost)) return undefined;
  try {
    const path = decodeURIComponent(encoded.replace(/^\/+/, ''));
    return { request: { vhost: found.vhost.name, path, query: deliveryDirectives(parameters) }, namedVhost };
  } catch {
    return undefined;
  }
}

/** All else in a query has no meaning here, and must not make two answers of one. */
function deliveryDirectives(parameters: URLSearchParams): string {
  const directives = Array.from(parameters).filter(([name]) => name.startsWith('_HLS_'));
  return new URLSearchParams(directives).toString();
}

function send(reply: FastifyReply, { body, contentType, cacheControl }: OutputContent): FastifyReply {
  return reply.type(contentType).header('cache-control', cacheControl).send(body);
}

function cacheControlOf({ maxAgeSeconds }: Found): string {
  return maxAgeSeconds > 0 ? `max-age=${maxAgeSeconds}` : 'no-cache';
}

function bodyOf({ contentType, body }: Found, namedVhost: string | undefined): Buffer {
  const isPlaylist = namedVhost !== undefined && contentType === PLAYLIST_TYPE;
  return isPlaylist ? Buffer.from(withParameter(body.toString(), 'vhost', namedVhost)) : body;
}
