/** A page that plays the live streams, for a server that has no page of its own. */
import { stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { describeError, systemErrorCode } from '@srs/kernel';
import type { FastifyPluginAsync, FastifyReply } from 'fastify';
import { ApiError, JSON_TYPE } from './api-errors.ts';
import { pathOf } from './api-path.ts';
import { FileMounts } from './file-mounts.ts';
import { hostOf } from './live-server.ts';
import type { MediaServices } from './media-services.ts';
import { PageAssets } from './page-assets.ts';
import { type PageStream, pageDocument } from './page-documents.ts';

export interface StartPageOptions extends Pick<MediaServices, 'config' | 'clock'> {
  /** Those of the whole server. Asked once a second at most, however many pages are open. */
  streams(): Promise<readonly PageStream[]>;
}

const STREAMS_PATH = '/srs/streams';
const LIST_AGE_MS = 1000;

/**
 * The players make pictures of what they fetch (`blob:`), one of them in a worker that it makes of its own text. Nothing comes from
 * another host, and no text of a client can become a script.
 */
const contentSecurityPolicy = [
  "default-src 'self'",
  "media-src 'self' blob:",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join('; ');

const pageHeaders = {
  // Asked for anew each time, and sent only when it is another one.
  'Cache-Control': 'no-cache',
  'Content-Security-Policy': contentSecurityPolicy,
  'Cross-Origin-Resource-Policy': 'same-origin',
  // Streams that are for certain pages only (`refer_play`) are told which one this is; other hosts are told nothing.
  'Referrer-Policy': 'same-origin',
};

/** Serves `/` and what belongs to it below `/srs/`, unless there is an `index.html` where files for `/` are looked for. */
export function startPage(options: StartPageOptions): FastifyPluginAsync {
  return async (app) => {
    const page = new StartPage(options);
    app.addHook('onRequest', async ({ raw }, reply) => {
      if (raw.method !== 'GET' && raw.method !== 'HEAD') return undefined;
      if (!options.config().httpStream.startPage) return undefined;
      return await page.answer(raw, reply);
    });
  };
}

class StartPage {
  readonly #options: StartPageOptions;
  readonly #assets = new PageAssets();
  #config: ReturnType<StartPageOptions['config']>;
  #mounts: FileMounts;
  #streams: Promise<readonly PageStream[]> | undefined;
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(options: StartPageOptions) {
    this.#options = options;
    this.#config = options.config();
    this.#mounts = new FileMounts(this.#config);
  }

  /** @returns undefined when the request is for something else, or the operator has a page of his own */
  async answer(request: IncomingMessage, reply: FastifyReply): Promise<FastifyReply | undefined> {
    const path = pathOf(request.url ?? '');
    const isList = path === STREAMS_PATH;
    if ((!isList && !this.#assets.has(path)) || (await this.#hasOtherPage(request))) return undefined;
    // A page of another site has its own way to streams, but is not told which there are.
    void reply.removeHeader('access-control-allow-origin').headers(pageHeaders);
    return isList ? await this.#sendStreams(request, reply) : await this.#sendAsset(request, reply, path);
  }

  async #sendAsset(request: IncomingMessage, reply: FastifyReply, path: string): Promise<FastifyReply> {
    const asset = await this.#assets.find(path);
    if (asset === undefined) throw new ApiError(404, '');
    const { etag, contentType, bytes } = asset;
    void reply.header('etag', etag);
    if (request.headers['if-none-match']?.includes(etag) === true) return reply.code(304).send();
    return reply.type(contentType).send(bytes);
  }

  async #sendStreams(request: IncomingMessage, reply: FastifyReply): Promise<FastifyReply> {
    const streams = await this.#currentStreams().catch((error: unknown) => {
      throw new ApiError(503, describeError(error));
    });
    const query = new URLSearchParams(request.url?.split('?', 2)[1] ?? '');
    const document = pageDocument(this.#options.config(), streams, {
      host: hostOf(request),
      vhostName: query.get('vhost') ?? undefined,
      streamName: query.get('stream') ?? undefined,
    });
    return reply.type(JSON_TYPE).header('cache-control', 'no-store').send(JSON.stringify(document));
  }

  /** However it could be read: the files are somebody else's business. */
  async #hasOtherPage(request: IncomingMessage): Promise<boolean> {
    const place = this.#currentMounts().find([], request.headers.host ?? '');
    if (place === undefined) return false;
    try {
      await stat(`${place.directory.path}/index.html`);
      return true;
    } catch (error) {
      return systemErrorCode(error) !== 'ENOENT';
    }
  }

  #currentMounts(): FileMounts {
    const config = this.#options.config();
    if (config !== this.#config) {
      this.#config = config;
      this.#mounts = new FileMounts(config);
    }
    return this.#mounts;
  }

  #currentStreams(): Promise<readonly PageStream[]> {
    const nowMs = this.#options.clock.nowMs();
    if (this.#streams === undefined || nowMs - this.#askedMs >= LIST_AGE_MS) {
      this.#askedMs = nowMs;
      const streams = this.#options.streams();
      this.#streams = streams;
      // What failed is asked for again at once.
      streams.catch(() => {
        if (this.#streams === streams) this.#streams = undefined;
      });
    }
    return this.#streams;
  }
}
