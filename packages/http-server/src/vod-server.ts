/** Answers requests for recordings over HLS. */
import type { IncomingMessage } from 'node:http';
import type { FastifyReply } from 'fastify';
import { ApiError } from './api-errors.ts';
import { decideAnswer } from './file-conditions.ts';
import { contentTypeOf } from './file-types.ts';
import { MediaError } from './media-errors.ts';
import type { MediaServices } from './media-services.ts';
import type { FileIdentity } from './vod-file-window.ts';
import { type FoundRecording, VodFiles } from './vod-files.ts';
import { FlvRecording } from './vod-flv-recording.ts';
import { SCANNED_AT_ONCE_BYTES } from './vod-limits.ts';
import { Mp4Recording } from './vod-mp4-recording.ts';
import { vodPlaylist } from './vod-playlist.ts';
import { defaultPoolLimits, VodPool, type VodPoolLimits } from './vod-pool.ts';
import type { VodOutline, VodRecording } from './vod-recording.ts';
import { VodRecordings } from './vod-recordings.ts';
import { type SegmentLimits, VodSegments } from './vod-segments.ts';
import { parseVodTarget, type VodTarget } from './vod-target.ts';

export interface VodLimits extends VodPoolLimits, SegmentLimits {
  /** Of what is remembered of recordings. */
  readonly indexBytes: number;
  /** An FLV file up to this size is looked through before the first answer. */
  readonly scannedBytes: number;
}

export interface VodServices extends Pick<MediaServices, 'config' | 'clock' | 'log' | 'times'> {
  /** For tests. */
  readonly limits?: Partial<VodLimits>;
}

const MEBIBYTE = 1024 * 1024;
const defaultLimits: VodLimits = Object.freeze({
  ...defaultPoolLimits,
  keptBytes: 64 * MEBIBYTE,
  heldBytes: 256 * MEBIBYTE,
  indexBytes: 128 * MEBIBYTE,
  scannedBytes: SCANNED_AT_ONCE_BYTES,
});

/** For a client that takes nothing. */
const STALL_MS = 60_000;
/** A change is told from the next by its time only when they are that far apart. */
const SETTLED_MS = 1000;
/** Another version of the file has other URLs. */
const SEGMENT_CACHE_CONTROL = 'public, max-age=31536000, immutable';

export class VodServer {
  readonly #services: VodServices;
  readonly #files: VodFiles;
  readonly #pool: VodPool;
  readonly #segments: VodSegments;
  readonly #flvs: VodRecordings;
  readonly #mp4s: VodRecordings;
  readonly #stallMs: number;
  readonly #told = new WeakSet<VodRecording>();

  constructor(services: VodServices) {
    const limits: VodLimits = { ...defaultLimits, ...services.limits };
    this.#services = services;
    this.#files = new VodFiles(services);
    this.#pool = new VodPool(limits);
    this.#segments = new VodSegments(limits);
    const openFlv = (file: FileIdentity): VodRecording => new FlvRecording(this.#pool, file, limits.scannedBytes);
    this.#flvs = new VodRecordings(limits.indexBytes, openFlv);
    this.#mp4s = new VodRecordings(limits.indexBytes, (file) => new Mp4Recording(this.#pool, file));
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
    if (target.kind === 'segment') return await this.#answerSegment(request, reply, target, host);
    const found = await this.#files.findFor(target.base, host);
    return found === undefined ? undefined : await this.#answerPlaylist(request, reply, found);
  }

  /** What is being made is given up. */
  close(): Promise<void> {
    return this.#pool.close();
  }

  async #answerPlaylist(request: IncomingMessage, reply: FastifyReply, found: FoundRecording): Promise<FastifyReply> {
    const recording = this.#recordingOf(found);
    const outline = await this.#outlineOf(recording, found.name);
    const text = vodPlaylist(outline, found.name, recording.id);
    void reply.header('cache-control', 'no-cache');
    return this.#send(request, reply, found.file, `"${recording.id}"`, 'm3u8', Buffer.from(text));
  }

  async #answerSegment(
    request: IncomingMessage,
    reply: FastifyReply,
    target: VodTarget & { readonly kind: 'segment' },
    host: string,
  ): Promise<FastifyReply | undefined> {
    const { recording: path, format, id, index } = target;
    const found = await this.#files.find(path, format, host);
    if (found === undefined) return undefined;
    const recording = this.#recordingOf(found);
    // Of a version that is gone, or a file that has such a name.
    if (recording.id !== id || index >= (await this.#outlineOf(recording, found.name)).durationsMs.length) return undefined;
    const bytes = await this.#segments.hold(`${id}-${index}`, () => this.#slice(recording, index, found.name));
    const response = reply.raw;
    if (response.destroyed) {
      this.#segments.release(bytes);
      return reply.hijack();
    }
    response.once('close', () => this.#segments.release(bytes));
    response.setTimeout(this.#stallMs);
    void reply.header('cache-control', SEGMENT_CACHE_CONTROL);
    return this.#send(
      request,
      reply,
      found.file,
      `"${id}-${index}"`,
      'ts',
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length),
    );
  }

  /** Tells of it once, for operators who wonder what is slow. */
  async #outlineOf(recording: VodRecording, name: string): Promise<VodOutline> {
    const { clock, log } = this.#services;
    const startMs = clock.nowMs();
    const outline = await recording.outline();
    if (!this.#told.has(recording)) {
      this.#told.add(recording);
      const { length } = outline.durationsMs;
      const seconds = Math.round(outline.durationsMs.reduce((sum, durationMs) => sum + durationMs, 0) / 1000);
      const tookMs = Math.round(clock.nowMs() - startMs);
      log.info(`HTTP ${JSON.stringify(name)} over HLS: ${length} segments, ${seconds} s, found out in ${tookMs} ms`);
    }
    return outline;
  }

  async #slice(recording: VodRecording, index: number, name: string): Promise<Uint8Array<ArrayBuffer>> {
    const { bytes, leftOut } = await recording.slice(index);
    if (leftOut > 0) this.#services.log.info(`HTTP segment ${index} of ${JSON.stringify(name)}: ${leftOut} frames are left out`);
    return bytes;
  }

  #recordingOf({ file, format }: FoundRecording): VodRecording {
    return (format === 'flv' ? this.#flvs : this.#mp4s).get(file);
  }

  #send(
    { method = '', headers }: IncomingMessage,
    reply: FastifyReply,
    file: FileIdentity,
    etag: string,
    extension: string,
    bytes: Buffer,
  ): FastifyReply {
    const nowMs = this.#services.clock.wallMs();
    const modifiedMs = Math.floor(Math.min(file.modifiedMs, nowMs) / 1000) * 1000;
    const isSettled = nowMs - file.modifiedMs >= SETTLED_MS;
    void reply.header('etag', etag).header('last-modified', new Date(modifiedMs).toUTCString()).header('accept-ranges', 'bytes');
    const answer = decideAnswer(method, headers, { etag, modifiedMs, isSettled }, bytes.length);
    switch (answer.kind) {
      case 'changed':
        throw new ApiError(412, 'the recording is not what the request supposes');
      case 'unsatisfiable':
        throw new MediaError(416, `range ${JSON.stringify(headers.range)} must begin below ${bytes.length}`, {
          'content-range': `bytes */${bytes.length}`,
        });
      case 'not-modified':
        return reply.code(304).send();
      case 'whole':
        return reply.type(contentTypeOf(extension)).send(bytes);
      case 'part': {
        const { first, end } = answer.range;
        void reply.code(206).header('content-range', `bytes ${first}-${end - 1}/${bytes.length}`);
        return reply.type(contentTypeOf(extension)).send(bytes.subarray(first, end));
      }
    }
  }
}
