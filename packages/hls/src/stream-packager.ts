/** Makes the segments of one publish: where they begin, what they hold, how they follow each other. */
import type { Cipheriv } from 'node:crypto';
import type { HlsConfig } from '@srs/config';
import { type Clock, type FrameType, frameFlags, frameTypes } from '@srs/kernel';
import { KeyRotation } from './encryption.ts';
import type { SegmentKey } from './playlist.ts';
import type { OpenSegment, PlaylistFiles } from './playlist-files.ts';
import type { CreateMuxer, SegmentMuxer } from './segment-muxer.ts';
import type { SegmentNames } from './segment-names.ts';
import { MIN_SEGMENT_MS, Segmenter } from './segmenter.ts';

export interface StreamPackagerOptions {
  readonly config: HlsConfig;
  readonly names: SegmentNames;
  readonly files: PlaylistFiles;
  readonly nextSequence: number;
  readonly clock: Clock;
  readonly randomBytes: (size: number) => Buffer;
  readonly createMuxer: CreateMuxer;
}

interface CurrentSegment {
  readonly open: OpenSegment;
  readonly isDiscontinuity: boolean;
  readonly programDateTimeMs: number;
  readonly key: SegmentKey | undefined;
  readonly cipher: Cipheriv | undefined;
  hasBytes: boolean;
}

/** No pictures or sound. */
const NO_MEDIA_FLAGS = frameFlags.metadata | frameFlags.videoMetadata | frameFlags.endOfSequence;
const VIDEO_COMMAND = 5;
/** What `hls_ts_floor` counts in when `hls_fragment` is 0. */
const MIN_FLOOR_MS = 1000;

export class StreamPackager {
  readonly #options: StreamPackagerOptions;
  readonly #segmenter: Segmenter;
  readonly #muxer: SegmentMuxer;
  readonly #keys: KeyRotation | undefined;
  readonly #leftOut: FrameType | undefined;
  readonly #headers = new Map<FrameType, Buffer>();
  #segment: CurrentSegment | undefined;
  #nextSequence: number;
  /** The next segment does not go on where the last one ended; the first one of a publish never does. */
  #isDiscontinuity = true;
  /** When the next segment begins, if it goes on. */
  #nextDateMs = 0;
  #floorTimestamp = 0;

  constructor(options: StreamPackagerOptions) {
    const { config, createMuxer } = options;
    this.#options = options;
    this.#nextSequence = options.nextSequence;
    this.#segmenter = new Segmenter(config);
    this.#muxer = createMuxer((bytes) => this.#write(bytes));
    this.#keys = config.keys.enabled ? this.#keyRotation() : undefined;
    this.#leftOut = config.acodec === 'an' ? frameTypes.audio : config.vcodec === 'vn' ? frameTypes.video : undefined;
  }

  /**
   * Hot path: O(1) objects per segment, none per frame.
   * @throws SrsError HlsDecode for media that does not fit into a segment; the frame is left out then, and the next may come
   */
  onFrame(type: FrameType, flags: number, timestampMs: number, wallMs: number, payload: Buffer): void {
    if (type === frameTypes.data || type === this.#leftOut || payload.length === 0) return;
    if ((flags & frameFlags.sequenceHeader) !== 0) {
      this.#onHeader(type, payload);
      return;
    }
    if ((flags & NO_MEDIA_FLAGS) !== 0 || isCommand(type, payload[0]!)) return;
    switch (this.#segmenter.step(type, (flags & frameFlags.keyFrame) !== 0, timestampMs)) {
      case 'skip':
        return;
      case 'append':
        break;
      case 'begin':
        this.#begin(wallMs);
        break;
      case 'cut':
        this.#finish(this.#segmenter.endedDurationMs);
        this.#begin(wallMs);
        break;
      case 'break':
        this.#finish(this.#segmenter.endedDurationMs);
        this.#isDiscontinuity = true;
        this.#begin(wallMs);
        break;
    }
    this.#muxer.onFrame(type, timestampMs, payload);
  }

  /** Frames are missing. */
  onGap(): void {
    this.end();
    this.#segmenter.restart();
  }

  /** Finishes the segment that has begun. What follows, if anything, is a discontinuity. */
  end(): void {
    this.#finish(this.#segmenter.end());
    this.#isDiscontinuity = true;
  }

  /** Whether a message is as long as the decoder configuration of its kind. */
  hasHeaderSize(type: FrameType, payload: Buffer): boolean {
    return this.#headers.get(type)?.length === payload.length;
  }

  /** Encoders repeat their configuration; only another one makes a difference. */
  #onHeader(type: FrameType, payload: Buffer): void {
    if (this.#headers.get(type)?.equals(payload) === true) return;
    this.end();
    if (type === frameTypes.video) this.#segmenter.awaitKeyFrame();
    this.#muxer.onHeader(type, payload);
    this.#headers.set(type, Buffer.from(payload));
  }

  #begin(wallMs: number): void {
    const sequence = this.#nextSequence;
    const beginMs = absoluteMs(this.#options.clock.wallMs(), wallMs);
    const secret = this.#keys?.forSegment(sequence);
    const open = this.#options.files.openSegment({ sequence, beginMs, durationMs: 0, timestamp: this.#timestampOf(beginMs) });
    this.#segment = {
      open,
      isDiscontinuity: this.#isDiscontinuity,
      programDateTimeMs: this.#isDiscontinuity ? beginMs : this.#nextDateMs,
      key: secret?.key,
      cipher: secret?.cipher,
      hasBytes: false,
    };
    this.#muxer.begin();
  }

  #finish(durationMs: number): void {
    const segment = this.#segment;
    if (segment === undefined) return;
    try {
      this.#muxer.end();
      if (segment.cipher !== undefined) segment.open.sink.write(segment.cipher.final());
    } catch (error) {
      this.#segment = undefined;
      this.#discard(segment);
      throw error;
    }
    this.#segment = undefined;
    if (durationMs < MIN_SEGMENT_MS || !segment.hasBytes) {
      this.#discard(segment);
      return;
    }
    const { open, isDiscontinuity, programDateTimeMs, key } = segment;
    this.#options.files.listSegment(open, { durationMs, isDiscontinuity, programDateTimeMs, key });
    this.#nextSequence += 1;
    this.#isDiscontinuity = false;
    this.#nextDateMs = programDateTimeMs + durationMs;
  }

  /** Its number is used again. */
  #discard({ open }: CurrentSegment): void {
    this.#options.files.discardSegment(open);
    this.#isDiscontinuity = true;
  }

  /** Hot path. */
  #write(bytes: Buffer): void {
    const segment = this.#segment;
    if (segment === undefined) return;
    segment.hasBytes = true;
    segment.open.sink.write(segment.cipher === undefined ? bytes : segment.cipher.update(bytes));
  }

  /** Servers that get the same stream count the same fragments; each has one segment for one number. */
  #timestampOf(beginMs: number): number {
    const { tsFloor, fragmentMs } = this.#options.config;
    if (!tsFloor) return beginMs;
    this.#floorTimestamp = Math.max(this.#floorTimestamp + 1, Math.floor(beginMs / Math.max(fragmentMs, MIN_FLOOR_MS)));
    return this.#floorTimestamp;
  }

  #keyRotation(): KeyRotation {
    const { config, names, files, clock, randomBytes } = this.#options;
    return new KeyRotation({
      fragmentsPerKey: config.keys.fragmentsPerKey,
      randomBytes,
      nameKey: (sequence) => names.key(sequence, clock.wallMs(), (path) => files.isKeyTaken(path)),
      storeKey: (path, bytes) => files.storeKey(path, bytes),
    });
  }
}

function isCommand(type: FrameType, head: number): boolean {
  return type === frameTypes.video && ((head >>> 4) & 0x07) === VIDEO_COMMAND;
}

/** @param wallMs a time near `nowMs`, modulo 2^32 */
function absoluteMs(nowMs: number, wallMs: number): number {
  const now = Math.trunc(nowMs);
  return now - ((now - wallMs) | 0);
}
