/**
 * Delivers HLS to viewers by the rules of its vhost. With sessions, the first request for a playlist is answered with a playlist of
 * one playlist, whose URL carries the key of the viewer; in the one that it names, the URLs of segments do.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { checkSecurity } from '@srs/access';
import { assertAllowed, plainAddress } from '@srs/clients';
import type { VhostConfig } from '@srs/config';
import type { FastifyPluginAsync, FastifyReply } from 'fastify';
import { ApiError } from './api-errors.ts';
import type { HlsPlaylists, LocatedHls } from './hls-playlists.ts';
import { hasSessions } from './hls-sessions.ts';
import type { HlsPlaylist, HlsSegment } from './hls-target.ts';
import type { HlsViewers, HlsWish } from './hls-viewers.ts';
import { mediaHeaders } from './media-headers.ts';
import { refusalOf } from './media-refusals.ts';
import type { MediaServices } from './media-services.ts';
import { ParameterPlaylist } from './playlist-uris.ts';
import { type QuickAnswer, sizeOfAnswer, textAnswer } from './quick-answer.ts';
import type { QuickRequest } from './quick-head.ts';
import type { QuickAnswerer, QuickSource } from './quick-media.ts';
import { KEY_PARAMETER, splitKey, withoutParameters } from './viewer-key.ts';

export interface HlsDeliveryOptions extends Pick<MediaServices, 'config' | 'clock' | 'identity'> {
  readonly playlists: HlsPlaylists;
  readonly viewers: HlsViewers;
  /** What delivers what may be delivered: memory, files. */
  readonly sources: readonly QuickSource[];
}

const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl';
/** It is for one viewer. */
const CACHE_CONTROL = 'no-store';
const kicked = 'this viewer was sent away';

export class HlsDelivery implements QuickSource {
  readonly #options: HlsDeliveryOptions;
  readonly #viewers: HlsViewers;
  readonly #headers: () => Readonly<Record<string, string>>;
  readonly #hidden = new WeakSet<IncomingMessage>();
  /** For as long as the contents of a playlist are kept. */
  readonly #playlists = new WeakMap<Buffer, ParameterPlaylist>();

  constructor(options: HlsDeliveryOptions) {
    this.#options = options;
    this.#viewers = options.viewers;
    this.#headers = mediaHeaders(options);
  }

  /** Whether this request was not let have what was not there: it may have come in the meantime. */
  hides(request: IncomingMessage): boolean {
    return this.#hidden.has(request);
  }

  /** Asked at each request before memory and files are. */
  routes(): FastifyPluginAsync {
    return async (app) => {
      app.addHook('onRequest', async ({ raw }, reply) => {
        if (raw.method !== 'GET' && raw.method !== 'HEAD') return undefined;
        const { url, key } = splitKey(raw.url ?? '/');
        const located = this.#options.playlists.locate(url, raw.headers.host ?? '');
        if (located === undefined) return undefined;
        const { target } = located;
        if (target.kind === 'playlist') return await this.#answer(raw, reply, located, target, key);
        await this.#admitSegment(raw, reply, located, target, key);
        return undefined;
      });
    };
  }

  /** Answers those who have been let in. Everybody else is let in, or refused, where requests are served that wait. */
  find(url: string, host: string): QuickAnswerer | 'never' | undefined {
    const located = this.#options.playlists.locate(url, host);
    if (located === undefined) return undefined;
    const { target } = located;
    const hasKeys = hasSessions(target.vhost, this.#options.config());
    if (target.kind === 'playlist' && hasKeys) return this.#quickPlaylist(located, target.vhost);
    let deliver: QuickAnswerer | 'never' | undefined;
    for (const source of this.#options.sources) deliver ??= source.find(url, host);
    if (deliver === undefined || deliver === 'never') return deliver;
    return target.kind === 'playlist'
      ? this.#quickWithRules(located, target, deliver)
      : this.#quickSegment(target, hasKeys && target.vhost.hls.tsCtx, deliver);
  }

  // Requests that may wait

  async #answer(
    request: IncomingMessage,
    reply: FastifyReply,
    located: LocatedHls,
    target: HlsPlaylist,
    key: string | undefined,
  ): Promise<FastifyReply | undefined> {
    const { playlists, config } = this.#options;
    const wish = wishOf(located, target, request.headers, request.socket);
    if (!hasSessions(target.vhost, config()) || request.method === 'HEAD') {
      const refusal = this.#refusalOf(wish);
      // A recording may have the name, whose playlist is made when it is asked for.
      if (refusal === undefined) return undefined;
      if (await playlists.isThere(located, request)) throw refusal;
      this.#hidden.add(request);
      return undefined;
    }
    const known = key === undefined ? undefined : this.#viewers.find(key);
    if (known !== undefined) this.#viewers.touch(known.entry);
    if (known?.state === 'kicked') throw new ApiError(403, kicked);
    const playlist = await playlists.read(located, request);
    if (playlist === undefined) {
      this.#hidden.add(request);
      return undefined;
    }
    const viewerKey = key ?? this.#viewers.newKey(target);
    const entry = known?.state === 'live' ? known.entry : await this.#viewers.admit(viewerKey, wish);
    // It may have waited.
    this.#viewers.touch(entry);
    const text = key === undefined ? playlistOfOne(located, viewerKey) : this.#playlistFor(playlist, target.vhost, viewerKey);
    this.#viewers.countSent(entry, Buffer.byteLength(text));
    return reply.type(PLAYLIST_TYPE).header('cache-control', CACHE_CONTROL).send(text);
  }

  #refusalOf(wish: HlsWish): ApiError | undefined {
    try {
      this.#viewers.check(wish);
      return undefined;
    } catch (error) {
      return refusalOf(error);
    }
  }

  /** @throws ApiError when it may not have it */
  async #admitSegment(
    request: IncomingMessage,
    reply: FastifyReply,
    located: LocatedHls,
    target: HlsSegment,
    key: string | undefined,
  ): Promise<void> {
    const { vhost } = target;
    const hasKeys = hasSessions(vhost, this.#options.config()) && vhost.hls.tsCtx;
    const entry = this.#entryFor(target, hasKeys, request.socket, key);
    if (entry instanceof ApiError) {
      if (await this.#options.playlists.isThere(located, request)) throw entry;
      this.#hidden.add(request);
      return;
    }
    if (entry < 0) return;
    const { socket } = request;
    const before = socket.bytesWritten;
    reply.raw.once('close', () => this.#viewers.countSent(entry, socket.bytesWritten - before));
  }

  // Requests that are answered at once

  #quickPlaylist(located: LocatedHls, vhost: VhostConfig): QuickAnswerer | 'never' {
    const read = this.#options.playlists.quickReader(located);
    if (read === undefined) return 'never';
    const headers = Object.entries(this.#headers()).flat();
    headers.push('Content-Type', PLAYLIST_TYPE, 'Cache-Control', CACHE_CONTROL);
    return ({ method }, _socket, key) => {
      const known = key === undefined || method === 'HEAD' ? undefined : this.#viewers.find(key);
      if (key === undefined || known?.state !== 'live') return undefined;
      const { entry } = known;
      const answer = (playlist: Buffer | undefined): QuickAnswer | undefined => {
        if (playlist === undefined) return undefined;
        const text = this.#playlistFor(playlist, vhost, key);
        const made = textAnswer(headers, text, this.#options.clock.wallMs());
        this.#viewers.touch(entry);
        this.#viewers.countSent(entry, sizeOfAnswer(made));
        return made;
      };
      const playlist = read();
      return playlist instanceof Promise ? playlist.then(answer) : answer(playlist);
    };
  }

  #quickWithRules(located: LocatedHls, target: HlsPlaylist, deliver: QuickAnswerer): QuickAnswerer {
    const { security, refer, referPlay, playAuth } = target.vhost;
    if (!security.enabled && refer.length === 0 && referPlay.length === 0 && !playAuth.enabled) return deliver;
    return (request, socket, key) => {
      const refusal = this.#refusalOf(wishOf(located, target, request.headers, socket));
      return refusal === undefined ? deliver(request, socket, key) : undefined;
    };
  }

  #quickSegment(target: HlsSegment, hasKeys: boolean, deliver: QuickAnswerer): QuickAnswerer {
    if (!target.vhost.security.enabled && !hasKeys) return deliver;
    return (request, socket, key) => {
      const entry = this.#entryFor(target, hasKeys, socket, key);
      if (entry instanceof ApiError) return undefined;
      const answer = deliver(request, socket, key);
      if (entry < 0 || answer === undefined) return answer;
      if (!(answer instanceof Promise)) return this.#counted(entry, answer);
      return answer.then((found) => (found === undefined ? undefined : this.#counted(entry, found)));
    };
  }

  #counted(entry: number, answer: QuickAnswer): QuickAnswer {
    this.#viewers.countSent(entry, sizeOfAnswer(answer));
    return answer;
  }

  /** @returns the entry of the viewer who asks for a segment; -1 when there is none */
  #entryFor(target: HlsSegment, hasKeys: boolean, socket: Socket, key: string | undefined): number | ApiError {
    const { vhost, labels } = target;
    if (vhost.security.enabled) {
      try {
        assertAllowed(checkSecurity(vhost.security, 'play', plainAddress(socket.remoteAddress)));
      } catch (error) {
        return refusalOf(error);
      }
    }
    if (!hasKeys) return -1;
    const known = key === undefined ? undefined : this.#viewers.find(key);
    if (known?.state === 'kicked') return new ApiError(403, kicked);
    if (
      known === undefined ? key === undefined || !this.#viewers.isIssued(key, target) : !this.#viewers.isFor(known.entry, labels)
    )
      return new ApiError(403, `segments are for viewers who got them from a playlist (${KEY_PARAMETER})`);
    // One that was silent for too long may still have what its playlist names; it comes in again with the next one.
    if (known?.state === 'live') this.#viewers.touch(known.entry);
    return known?.entry ?? -1;
  }

  #playlistFor(playlist: Buffer, { hls }: VhostConfig, key: string): string {
    if (!hls.tsCtx) return playlist.toString();
    let parts = this.#playlists.get(playlist);
    if (parts === undefined) {
      parts = new ParameterPlaylist(playlist.toString(), KEY_PARAMETER);
      this.#playlists.set(playlist, parts);
    }
    return parts.with(key);
  }
}

/** A bandwidth has to be named, and nobody chooses by it. */
function playlistOfOne({ file }: LocatedHls, key: string): string {
  const query = withoutParameters(file.query, (name) => name === KEY_PARAMETER || isDeliveryDirective(name));
  const name = encodeURIComponent(file.segments.at(-1) ?? '');
  const url = `${name}?${query === '' ? '' : `${query}&`}${KEY_PARAMETER}=${key}`;
  return `#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,AVERAGE-BANDWIDTH=1\n${url}\n`;
}

function wishOf(located: LocatedHls, playlist: HlsPlaylist, headers: QuickRequest['headers'], socket: Socket): HlsWish {
  const { file, host } = located;
  // The vhost is known, and it is not for the viewer to say which one's rules count.
  const isLeftOut = (name: string): boolean => name === KEY_PARAMETER || name === 'vhost' || isDeliveryDirective(name);
  return {
    playlist,
    query: withoutParameters(file.query, isLeftOut),
    host,
    ip: plainAddress(socket.remoteAddress),
    pageUrl: headers.referer ?? '',
    userAgent: headers['user-agent'] ?? '',
  };
}

/** RFC 8216bis, 6.2.5: they say which state of a playlist is wanted. */
function isDeliveryDirective(name: string): boolean {
  return name.startsWith('_HLS_');
}
