/** The recordings that are being played, and what is made of them: all that a server needs to play them over HLS. */
import type { Clock, Log } from '@srs/kernel';
import { FlvRecording } from './flv-recording.ts';
import { SCANNED_AT_ONCE_BYTES } from './limits.ts';
import { Mp4Recording } from './mp4-recording.ts';
import { vodPlaylist } from './playlist.ts';
import { defaultPoolLimits, VodPool, type VodPoolLimits } from './pool.ts';
import type { RecordingFile, VodOutline, VodRecording } from './recording.ts';
import { VodRecordings } from './recordings.ts';
import { type HeldSegment, type SegmentLimits, VodSegments } from './segments.ts';

export interface VodLimits extends VodPoolLimits, SegmentLimits {
  /** Of what is remembered of recordings. */
  readonly indexBytes: number;
  /** An FLV file up to this size is looked through before the first answer. */
  readonly scannedBytes: number;
}

export interface VodLibraryOptions {
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Log;
  /** For tests. */
  readonly limits?: Partial<VodLimits>;
}

interface NamedPlaylist {
  readonly name: string;
  readonly bytes: Buffer;
}

const MEBIBYTE = 1024 * 1024;
const defaultLimits: VodLimits = Object.freeze({
  ...defaultPoolLimits,
  keptBytes: 64 * MEBIBYTE,
  heldBytes: 256 * MEBIBYTE,
  indexBytes: 128 * MEBIBYTE,
  scannedBytes: SCANNED_AT_ONCE_BYTES,
});

/**
 * Whatever it is asked for, it throws SrsError: `VodBusy` for who should come again, any other for a file that cannot be played;
 * or the system's error when the file cannot be opened any more.
 */
export class VodLibrary {
  readonly #options: VodLibraryOptions;
  readonly #pool: VodPool;
  readonly #segments: VodSegments;
  readonly #recordings: VodRecordings;
  readonly #playlists = new WeakMap<VodRecording, NamedPlaylist>();
  readonly #told = new WeakSet<VodRecording>();

  constructor(options: VodLibraryOptions) {
    const limits: VodLimits = { ...defaultLimits, ...options.limits };
    this.#options = options;
    this.#pool = new VodPool(limits);
    this.#segments = new VodSegments(limits);
    this.#recordings = new VodRecordings(limits.indexBytes, ({ identity, format }) =>
      format === 'flv' ? new FlvRecording(this.#pool, identity, limits.scannedBytes) : new Mp4Recording(this.#pool, identity),
    );
  }

  /** Of this version of the file: it is part of the names of the segments. */
  idOf(file: RecordingFile): string {
    return this.#recordings.get(file).id;
  }

  /** @returns bytes that are shared by all who ask */
  async playlistOf(file: RecordingFile): Promise<Buffer> {
    const recording = this.#recordings.get(file);
    const outline = await this.#outlineOf(recording, file.name);
    const known = this.#playlists.get(recording);
    // A recording of days has one of megabytes.
    if (known?.name === file.name) return known.bytes;
    const bytes = Buffer.from(vodPlaylist(outline, file.name, recording.id));
    this.#playlists.set(recording, { name: file.name, bytes });
    return bytes;
  }

  async hasSegment(file: RecordingFile, index: number): Promise<boolean> {
    return index < (await this.#outlineOf(this.#recordings.get(file), file.name)).durationsMs.length;
  }

  /** @param index of a segment that it has */
  async holdSegment(file: RecordingFile, index: number): Promise<HeldSegment> {
    const recording = this.#recordings.get(file);
    const { sizesBytes } = await recording.outline();
    return await this.#segments.hold(`${recording.id}-${index}`, sizesBytes[index]!, () =>
      this.#slice(recording, index, file.name),
    );
  }

  /** What is being made is given up. */
  close(): Promise<void> {
    return this.#pool.close();
  }

  /** Tells of it once, for operators who wonder what is slow. */
  async #outlineOf(recording: VodRecording, name: string): Promise<VodOutline> {
    const { clock, log } = this.#options;
    const startMs = clock.nowMs();
    const outline = await recording.outline();
    if (!this.#told.has(recording)) {
      this.#told.add(recording);
      const { length } = outline.durationsMs;
      const seconds = Math.round(outline.durationsMs.reduce((sum, durationMs) => sum + durationMs, 0) / 1000);
      const tookMs = Math.round(clock.nowMs() - startMs);
      log.info(`VOD ${JSON.stringify(name)}: ${length} segments, ${seconds} s, found out in ${tookMs} ms`);
    }
    return outline;
  }

  async #slice(recording: VodRecording, index: number, name: string): Promise<Uint8Array<ArrayBuffer>> {
    const { bytes, leftOut } = await recording.slice(index);
    if (leftOut > 0) this.#options.log.info(`VOD ${JSON.stringify(name)}: segment ${index} leaves out ${leftOut} frames`);
    return bytes;
  }
}
