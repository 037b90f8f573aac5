/** HLS of one publish, from its first frame to its last playlist. */
import type { HlsConfig } from '@srs/config';
import { type Clock, describeError, type FrameType, SrsError } from '@srs/kernel';
import type { FrameConsumer, OutputEnd, OutputStream } from '@srs/stream';
import { HeldFrames } from './held-frames.ts';
import type { LiveStream } from './live-stream.ts';
import { LowLatencyPlaylist } from './ll-playlist.ts';
import { PartFiles } from './part-files.ts';
import { type ListedSegment, Playlist } from './playlist.ts';
import { PlaylistFiles } from './playlist-files.ts';
import type { SegmentEvent } from './segment-event.ts';
import type { SegmentFiles } from './segment-files.ts';
import type { CreateMuxer } from './segment-muxer.ts';
import type { FileName, SegmentNames } from './segment-names.ts';
import { SlotPackager } from './slot-packager.ts';
import type { HlsStore } from './store.ts';
import type { MemoryStore } from './store-memory.ts';
import type { StreamFiles } from './stream-files.ts';
import { type Packager, StreamPackager } from './stream-packager.ts';

export interface HlsOutputOptions {
  readonly stream: OutputStream;
  readonly config: HlsConfig;
  readonly names: SegmentNames;
  readonly files: StreamFiles;
  readonly store: HlsStore;
  /** What low-latency HLS needs. */
  readonly live?: { readonly stream: LiveStream; readonly store: MemoryStore } | undefined;
  readonly clock: Clock;
  readonly randomBytes: (size: number) => Buffer;
  readonly createMuxer: CreateMuxer;
  readonly onSegment: (segment: SegmentEvent) => void;
  /** Nothing is written any more. */
  readonly onEnded: () => void;
}

/** What may come while the old playlist is being read: a long group of pictures in one burst. */
const MAX_HELD_BYTES = 32 * 1024 * 1024;
/** In memory, what is over goes after this time where `hls_dispose` says nothing: it would stay until the process ends. */
const MEMORY_DISPOSE_MS = 120_000;

export class HlsOutput implements FrameConsumer {
  readonly #options: HlsOutputOptions;
  readonly #begun: Promise<void>;
  /** Until the old playlist is read, for it says which number comes next. */
  #held: HeldFrames | undefined = new HeldFrames(MAX_HELD_BYTES);
  #packager: Packager | undefined;
  #playlist: Playlist | undefined;
  #segmentFiles: (SegmentFiles & { settle(): Promise<void> }) | undefined;
  #hasFailed = false;
  /** A failure that happened where nobody could be told. */
  #untold: Error | undefined;

  constructor(options: HlsOutputOptions) {
    this.#options = options;
    this.#begun = this.#begin().catch((error: unknown) => {
      this.#untold = this.#hasFailed ? asError(error) : this.#fail(error);
    });
  }

  /** Hot path. */
  onFrame(type: FrameType, flags: number, timestampMs: number, wallMs: number, payload: Buffer): void {
    this.#throwUntold();
    if (this.#hasFailed) return;
    if (this.#held !== undefined) {
      if (this.#held.add(type, flags, timestampMs, wallMs, payload)) return;
      throw this.#fail(new SrsError('FileRead', `read ${this.#options.names.playlistPath}: the disk is too slow`));
    }
    this.#package(type, flags, timestampMs, wallMs, payload);
  }

  onGap(lostFrames: number): void {
    this.#throwUntold();
    if (this.#hasFailed) return;
    if (this.#held !== undefined) {
      this.#held.addGap(lostFrames);
      return;
    }
    this.#options.stream.log.warn(`hls: ${lostFrames} frames are lost, a discontinuity follows`);
    try {
      this.#packager?.onGap();
    } catch (error) {
      throw this.#fail(error);
    }
  }

  async onEnd(reason: OutputEnd): Promise<void> {
    const { files, names, config, onEnded } = this.#options;
    const disposeMs = config.disposeMs === 0 && isInMemory(config) ? MEMORY_DISPOSE_MS : config.disposeMs;
    try {
      await this.#begun;
      this.#finishSegment();
      await this.#segmentFiles?.settle();
      this.#throwUntold();
    } finally {
      this.#hasFailed = true;
      if (this.#playlist !== undefined && reason !== 'stopping') files.end(names.playlistPath, this.#playlist, disposeMs);
      onEnded();
    }
  }

  async #begin(): Promise<void> {
    const { files, names, config, clock, randomBytes, createMuxer, stream } = this.#options;
    const { log } = stream;
    const state = await files.begin(names, stream.log);
    const playlist = new Playlist({ windowMs: config.windowMs, targetMs: config.fragmentMs * config.tdRatio }, state);
    const segmentFiles = this.#createFiles(playlist);
    const { nextSequence } = playlist;
    const packagerOptions = { config, names, files: segmentFiles, nextSequence, clock, randomBytes, createMuxer, log };
    this.#playlist = playlist;
    this.#segmentFiles = segmentFiles;
    this.#packager = config.originBackup ? new SlotPackager(packagerOptions) : new StreamPackager(packagerOptions);
    stream.log.trace(`hls: ${names.playlistPath} goes on with segment ${nextSequence}, ${state.segments.length} are listed`);
    const held = this.#held;
    this.#held = undefined;
    held?.release(this);
  }

  #createFiles(playlist: Playlist): SegmentFiles & { settle(): Promise<void> } {
    const { stream, files, names, config, store, live } = this.#options;
    const onListed = (segment: ListedSegment, name: FileName): void => this.#tellSegment(segment, name);
    const onError = (error: unknown): void => this.#failLater(error);
    if (live === undefined) {
      const cleanup = config.cleanup || isInMemory(config);
      const isBackedUp = config.originBackup;
      return new PlaylistFiles({ files, log: stream.log, store, names, playlist, cleanup, isBackedUp, onListed, onError });
    }
    const parts = new LowLatencyPlaylist(playlist, config.partMs);
    const left = live.stream.begin(parts);
    if (left.length > 0) files.linger(left, playlist.targetSeconds * 1000);
    return new PartFiles({ files, store: live.store, live: live.stream, names, playlist: parts, onListed, onError });
  }

  /** Nothing in memory has a path that others could open. */
  #tellSegment({ durationMs, sequence }: ListedSegment, { path, url }: FileName): void {
    const { stream, names, config, onSegment } = this.#options;
    const isFile = !isInMemory(config);
    const file = isFile ? path : url;
    const m3u8 = isFile ? names.playlistPath : names.playlistUrl;
    onSegment({ stream, durationMs, sequence, file, url, m3u8, m3u8Url: names.playlistUrl });
  }

  #package(type: FrameType, flags: number, timestampMs: number, wallMs: number, payload: Buffer): void {
    const packager = this.#packager!;
    try {
      packager.onFrame(type, flags, timestampMs, wallMs, payload);
    } catch (error) {
      // What is kept in memory fails at once: it has been noted already.
      if (error === this.#untold) this.#throwUntold();
      if (this.#maySkip(error) && packager.hasHeaderSize(type, payload)) return;
      throw this.#fail(error);
    }
  }

  /** The strategy `continue`: some encoders send a broken copy of their configuration as media. */
  #maySkip(error: unknown): boolean {
    return this.#options.config.onError === 'continue' && error instanceof SrsError && error.errorName === 'HlsDecode';
  }

  /** What has come before a failure is listed too. */
  #finishSegment(): void {
    try {
      this.#packager?.end();
    } catch (error) {
      if (!this.#hasFailed) this.#failLater(error);
    }
  }

  #failLater(error: unknown): void {
    if (!this.#hasFailed) this.#untold = this.#fail(error);
  }

  /** Nothing more is packaged. @returns the error */
  #fail(error: unknown): Error {
    this.#hasFailed = true;
    this.#held = undefined;
    const { config, stream } = this.#options;
    // The strategy `ignore` leaves the publisher alone.
    if (config.onError !== 'ignore') stream.dismissPublisher(`hls: ${describeError(error)}`);
    return asError(error);
  }

  #throwUntold(): void {
    const error = this.#untold;
    if (error === undefined) return;
    this.#untold = undefined;
    throw error;
  }
}

/** Low-latency HLS always is. */
export function isInMemory({ format, storage }: HlsConfig): boolean {
  return format === 'll' || storage === 'memory';
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(describeError(thrown));
}
