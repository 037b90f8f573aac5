/** Answers a request with a file: headers, conditions, ranges, and the bytes. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describeError } from '@srs/kernel';
import type { FastifyReply } from 'fastify';
import { ApiError } from './api-errors.ts';
import { bodyOf, type FileBody, partOf, sendPieces, sizeOf } from './file-body.ts';
import { decideAnswer } from './file-conditions.ts';
import { describeFile, type FileDocument } from './file-document.ts';
import { type FlvSeek, parseFlvSeek, seekFlv } from './file-flv.ts';
import type { HeldFile } from './file-held.ts';
import type { FileTarget } from './file-target.ts';
import { extensionOf } from './file-types.ts';
import { MediaError } from './media-errors.ts';
import { mediaHeaders } from './media-headers.ts';
import type { MediaServices } from './media-services.ts';

/** For a client that takes nothing. */
const STALL_MS = 60_000;

/** What was asked for, before conditions and ranges are looked at. */
interface Document extends FileDocument {
  readonly body: FileBody;
}

export class FileSender {
  readonly #services: MediaServices;
  readonly #headers: () => Readonly<Record<string, string>>;
  readonly #stallMs: number;
  readonly #documents = new WeakMap<HeldFile, Document>();

  constructor(services: MediaServices) {
    this.#services = services;
    this.#headers = mediaHeaders(services);
    this.#stallMs = services.times?.stallMs ?? STALL_MS;
  }

  /**
   * Resolves when all is sent or the client has gone; the file must be held until then.
   * @throws ApiError when something else than the file is to be answered
   */
  async send(request: IncomingMessage, reply: FastifyReply, file: HeldFile, target: FileTarget): Promise<void> {
    const extension = target.isDirectory ? 'html' : extensionOf(target.segments.at(-1) ?? '');
    const seek = extension === 'flv' || extension === 'fhv' ? parseFlvSeek(target.query) : undefined;
    const { body, version, headers } =
      seek === undefined ? this.#wholeDocument(file, extension) : await this.#seekingDocument(file, seek, target);
    const method = request.method ?? '';
    const sizeBytes = sizeOf(body);
    const answer = decideAnswer(method, request.headers, version, sizeBytes);
    switch (answer.kind) {
      case 'changed':
        throw new ApiError(412, 'the file is not what the request supposes');
      case 'unsatisfiable':
        throw new MediaError(416, `range ${JSON.stringify(request.headers.range)} must begin below ${sizeBytes}`, {
          'content-range': `bytes */${sizeBytes}`,
        });
      case 'not-modified':
        reply.hijack();
        reply.raw.writeHead(304, [...headers]).end();
        return;
      case 'whole':
      case 'part':
    }
    const isPart = answer.kind === 'part';
    const sent = isPart ? partOf(body, answer.range) : body;
    const all = [...headers, 'Content-Length', String(sizeOf(sent))];
    if (isPart) all.push('Content-Range', `bytes ${answer.range.first}-${answer.range.end - 1}/${sizeBytes}`);
    const whole = method === 'HEAD' || sent.head.length > 0 ? undefined : await file.whole();
    if (whole !== undefined && whole.length < file.sizeBytes) throw new ApiError(503, 'the file was cut while it was read');
    const response = reply.raw;
    reply.hijack();
    // Whoever has gone meanwhile closes no second time.
    if (response.destroyed) return;
    response.writeHead(isPart ? 206 : 200, all);
    if (method === 'HEAD') response.end();
    else if (whole === undefined) await this.#sendPieces(response, file, sent, target);
    else await this.#sendWhole(response, whole.subarray(sent.first, sent.end));
  }

  async #seekingDocument(file: HeldFile, seek: FlvSeek, { segments }: FileTarget): Promise<Document> {
    const { body, isTag } = await seekFlv(file, seek);
    if (!isTag) this.#services.log.info(`HTTP ${nameOf(segments)}: no tag begins at ${seek.start}`);
    return this.#makeDocument(file, body, 'flv', `-${body.first}-${body.end}`);
  }

  /** Made once for all who share the file. */
  #wholeDocument(file: HeldFile, extension: string): Document {
    let document = this.#documents.get(file);
    if (document === undefined) {
      document = this.#makeDocument(file, bodyOf(0, file.sizeBytes), extension);
      this.#documents.set(file, document);
    }
    return document;
  }

  #makeDocument({ stats }: HeldFile, body: FileBody, extension: string, part = ''): Document {
    return { body, ...describeFile(stats, extension, this.#headers(), this.#services.clock.wallMs(), part) };
  }

  async #sendWhole(response: ServerResponse, bytes: Buffer): Promise<void> {
    const closed = new Promise((resolve) => response.once('close', resolve));
    response.end(bytes);
    if ((response.socket?.writableLength ?? 0) > 0) response.setTimeout(this.#stallMs);
    await closed;
  }

  async #sendPieces(response: ServerResponse, file: HeldFile, body: FileBody, { segments }: FileTarget): Promise<void> {
    response.setTimeout(this.#stallMs);
    try {
      const isComplete = await sendPieces(response, file, body);
      if (!isComplete) this.#services.log.info(`HTTP ${nameOf(segments)} was cut while it was sent`);
    } catch (error) {
      this.#services.log.warn(`HTTP ${nameOf(segments)}: ${describeError(error)}`);
      response.destroy();
    }
  }
}

/** For the log: with line feeds and the like escaped. */
function nameOf(segments: readonly string[]): string {
  return JSON.stringify(`/${segments.join('/')}`);
}
