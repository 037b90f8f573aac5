/** Answers requests for recordings over HLS. */
import type { IncomingMessage } from 'node:http';
import { SrsError, systemErrorCode } from '@srs/kernel';
import { type RecordingFile, VodLibrary, type VodLimits } from '@srs/vod';
import type { FastifyReply } from 'fastify';
import { ApiError } from './api-errors.ts';
import { decideAnswer, type FileAnswer } from './file-conditions.ts';
import { openError } from './file-names.ts';
import { contentTypeOf } from './file-types.ts';
import { MediaError } from './media-errors.ts';
import type { MediaServices } from './media-services.ts';
import { VodFiles } from './vod-files.ts';
import { parseVodTarget, type VodTarget } from './vod-target.ts';

export interface VodServices extends Pick<MediaServices, 'config' | 'clock' | 'log' | 'times'> {
  /** For tests. */
  readonly limits?: Partial<VodLimits>;
}

/** What a request is answered with, as far as that is known before the bytes are. */
interface Document {
  readonly file: RecordingFile;
  readonly etag: string;
  readonly contentType: string;
  readonly cacheControl: string;
}

/** For a client that takes nothing. */
const STALL_MS = 60_000;
/** A change is told from the next by its time only when they are that far apart. */
const SETTLED_MS = 1000;
/** Another version of the file has other URLs. */
const SEGMENT_CACHE_CONTROL = 'public, max-age=31536000, immutable';
const RETRY_SECONDS = '1';

export class VodServer {
  readonly #services: VodServices;
  readonly #files: VodFiles;
  readonly #library: VodLibrary;
  readonly #stallMs: number;

  constructor(services: VodServices) {
    this.#services = services;
    this.#files = new VodFiles(services);
    this.#library = new VodLibrary(services);
    this.#stallMs = services.times?.stallMs ?? STALL_MS;
  }

  /**
   * @returns undefined when the request is for something else
   * @throws ApiError
   */
  async answer(request: IncomingMessage, reply: FastifyReply): Promise<FastifyReply | undefined> {
    const target = parseVodTarget(request.url ?? '/');
    if (target === undefined) return undefined;
    const response = reply.raw;
    // Who sends many requests at once is given one answer at a time: the next is looked at when this one has left.
    if (response.socket === null) await new Promise((resolve) => response.once('socket', resolve));
    const host = target.file.authority ?? request.headers.host ?? '';
    try {
      if (target.kind === 'segment') return await this.#answerSegment(request, reply, target, host);
      const file = await this.#files.findFor(target.base, host);
      return file === undefined ? undefined : await this.#answerPlaylist(request, reply, file);
    } catch (error) {
      throw answerTo(error);
    }
  }

  /** What is being made is given up. */
  close(): Promise<void> {
    return this.#library.close();
  }

  async #answerPlaylist(request: IncomingMessage, reply: FastifyReply, file: RecordingFile): Promise<FastifyReply> {
    const bytes = await this.#library.playlistOf(file);
    const etag = `"${this.#library.idOf(file)}"`;
    const document = { file, etag, contentType: contentTypeOf('m3u8'), cacheControl: 'no-cache' };
    return this.#send(request, reply, document, bytes);
  }

  async #answerSegment(
    request: IncomingMessage,
    reply: FastifyReply,
    { recording, format, id, index }: VodTarget & { readonly kind: 'segment' },
    host: string,
  ): Promise<FastifyReply | undefined> {
    const file = await this.#files.find(recording, format, host);
    // Of a version that is gone, or a file that has such a name.
    if (file === undefined || this.#library.idOf(file) !== id) return undefined;
    if (!(await this.#library.hasSegment(file, index))) return undefined;
    const etag = `"${id}-${index}"`;
    const document = { file, etag, contentType: contentTypeOf('ts'), cacheControl: SEGMENT_CACHE_CONTROL };
    // Who has it, or wants another, need not wait until it is made.
    const { kind } = this.#decide(request, document, 0);
    if (kind === 'not-modified' || kind === 'changed') return this.#send(request, reply, document, Buffer.alloc(0));
    const held = await this.#library.holdSegment(file, index);
    const response = reply.raw;
    if (response.destroyed) {
      held.release();
      return reply.hijack();
    }
    response.once('close', () => held.release());
    const { bytes } = held;
    return this.#send(request, reply, document, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  }

  #decide({ method = '', headers }: IncomingMessage, { file, etag }: Document, sizeBytes: number): FileAnswer {
    const { modifiedMs } = file.identity;
    const nowMs = this.#services.clock.wallMs();
    const version = { etag, modifiedMs: toldTime(modifiedMs, nowMs), isSettled: nowMs - modifiedMs >= SETTLED_MS };
    return decideAnswer(method, headers, version, sizeBytes);
  }

  #send(request: IncomingMessage, reply: FastifyReply, document: Document, bytes: Buffer): FastifyReply {
    const { file, etag, contentType, cacheControl } = document;
    const modifiedMs = toldTime(file.identity.modifiedMs, this.#services.clock.wallMs());
    void reply.header('etag', etag).header('last-modified', new Date(modifiedMs).toUTCString());
    void reply.header('cache-control', cacheControl).header('accept-ranges', 'bytes');
    reply.raw.setTimeout(this.#stallMs);
    const answer = this.#decide(request, document, bytes.length);
    switch (answer.kind) {
      case 'changed':
        throw new ApiError(412, 'the recording is not what the request supposes');
      case 'unsatisfiable':
        throw new MediaError(416, `range ${JSON.stringify(request.headers.range)} must begin below ${bytes.length}`, {
          'content-range': `bytes */${bytes.length}`,
        });
      case 'not-modified':
        return reply.code(304).send();
      case 'whole':
        return reply.type(contentType).send(bytes);
      case 'part': {
        const { first, end } = answer.range;
        void reply.code(206).header('content-range', `bytes ${first}-${end - 1}/${bytes.length}`);
        return reply.type(contentType).send(bytes.subarray(first, end));
      }
    }
  }
}

/** A clock that was set back must not make a file come from the future. */
function toldTime(modifiedMs: number, nowMs: number): number {
  return Math.floor(Math.min(modifiedMs, nowMs) / 1000) * 1000;
}

/** @param error of the library, or one that is an answer already */
function answerTo(error: unknown): unknown {
  if (!(error instanceof SrsError)) return systemErrorCode(error) === undefined ? error : openError(error);
  // Players try again by themselves.
  if (error.errorName === 'VodBusy') return new MediaError(503, error.message, { 'retry-after': RETRY_SECONDS });
  return new ApiError(415, error.message, error.code);
}
