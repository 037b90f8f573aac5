/** Which playlists and segments are answered past the routes of the HTTP server: those in memory, and files that many ask for. */
import type { Socket } from 'node:net';
import type { MediaServices } from './media-services.ts';
import type { QuickAnswer } from './quick-answer.ts';
import type { QuickService } from './quick-connection.ts';
import type { QuickRequest } from './quick-head.ts';
import { splitKey } from './viewer-key.ts';

/**
 * Answers requests for one URL; undefined when this one must be served as any other.
 * @param key of the viewer, which its URL carries
 */
export type QuickAnswerer = (
  request: QuickRequest,
  socket: Socket,
  key: string | undefined,
) => QuickAnswer | Promise<QuickAnswer | undefined> | undefined;

export interface QuickSource {
  /** @param url without the key of a viewer @returns `never` when requests for this URL must always be served as any other; undefined when it is none of this source */
  find(url: string, host: string): QuickAnswerer | 'never' | undefined;
}

/** Anybody can make up URLs. */
const MAX_URLS = 10_000;
const MEDIA = /^[^?]*\.(?:m3u8|ts|m4s|mp4|cmfv|cmfa|aac|vtt|mpd)(?:\?|$)/;

export class QuickMedia implements QuickService {
  readonly #services: Pick<MediaServices, 'config'>;
  readonly #sources: readonly QuickSource[];
  #config: ReturnType<MediaServices['config']>;
  /** By host and URL. */
  #answerers = new Map<string, Map<string, QuickAnswerer | 'never'>>();
  #urls = 0;

  /** @param sources are asked in turn */
  constructor(services: Pick<MediaServices, 'config'>, sources: readonly QuickSource[]) {
    this.#services = services;
    this.#sources = sources;
    this.#config = services.config();
  }

  /** Hot path: nothing is read of a URL that was asked for before. */
  answer(request: QuickRequest, socket: Socket): QuickAnswer | Promise<QuickAnswer | undefined> | undefined {
    const config = this.#services.config();
    if (config !== this.#config) {
      this.#config = config;
      this.#forget();
    }
    const { host } = request;
    const { url, key } = splitKey(request.url);
    const answerer = this.#answerers.get(host)?.get(url) ?? this.#find(url, host);
    return answerer === 'never' ? undefined : answerer(request, socket, key);
  }

  #find(url: string, host: string): QuickAnswerer | 'never' {
    if (!MEDIA.test(url)) return 'never';
    let found: QuickAnswerer | 'never' | undefined;
    for (const source of this.#sources) found ??= source.find(url, host);
    found ??= 'never';
    if (this.#urls >= MAX_URLS) this.#forget();
    this.#urls += 1;
    const ofHost = this.#answerers.get(host);
    if (ofHost === undefined) this.#answerers.set(host, new Map([[url, found]]));
    else ofHost.set(url, found);
    return found;
  }

  #forget(): void {
    this.#answerers.clear();
    this.#urls = 0;
  }
}
