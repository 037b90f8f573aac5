/** Makes the segments of one publish: where they begin, what they hold, how they follow each other. */
import type { Cipheriv } from 'node:crypto';
import type { HlsConfig } from '@srs/config';
import { type Clock, type FrameType, frameFlags, frameTypes } from '@srs/kernel';
import { KeyRotation } from './encryption.ts';
import { PartCutter } from './part-cutter.ts';
import type { InitSection, SegmentKey } from './playlist.ts';
import type { OpenSegment, SegmentFiles } from './segment-files.ts';
import type { CreateMuxer, SegmentMuxer } from './segment-muxer.ts';
import type { SegmentNames } from './segment-names.ts';
import { MIN_SEGMENT_MS, Segmenter } from './segmenter.ts';

/** Makes segments of the frames of one publish. */
export interface Packager {
  /**
   * Hot path.
   * @throws SrsError HlsDecode for media that does not fit into a segment; the frame is left out then, and the next may come
   */
  onFrame(type: FrameType, flags: number, timestampMs: number, wallMs: number, payload: Buffer): void;
  /** Frames are missing. */
  onGap(): void;
  /** The publish is over, or something else comes in its place. */
  end(): void;
  /** Whether a message is as long as the decoder configuration of its kind. */
  hasHeaderSize(type: FrameType, payload: Buffer): boolean;
}

export interface StreamPackagerOptions {
  readonly config: HlsConfig;
  readonly names: SegmentNames;
  readonly files: SegmentFiles;
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
  /** How many parts of it were given out. */
  parts: number;
  /** Something has come since the last part; and a key frame. */
  hasPartBytes: boolean;
  hasKeyFrame: boolean;
}

/** No pictures or sound. */
const NO_MEDIA_FLAGS = frameFlags.metadata | frameFlags.videoMetadata | frameFlags.endOfSequence;
const VIDEO_COMMAND = 5;
/** What `hls_ts_floor` counts in when `hls_fragment` is 0. */
const MIN_FLOOR_MS = 1000;

export class StreamPackager implements Packager {
  readonly #options: StreamPackagerOptions;
  readonly #segmenter: Segmenter;
  readonly #muxer: SegmentMuxer;
  readonly #keys: KeyRotation | undefined;
  /** Of low-latency HLS only. */
  readonly #parts: PartCutter | undefined;
  readonly #leftOut: FrameType | undefined;
  readonly #headers = new Map<FrameType, Buffer>();
  #segment: CurrentSegment | undefined;
  #init: { readonly version: number; readonly section: InitSection } | undefined;
  #hasVideo = false;
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
    this.#parts = config.format === 'll' ? new PartCutter(config.partMs) : undefined;
    this.#leftOut = trackLeftOut(config);
  }

  /**
   * Hot path: O(1) objects per segment and part, none per frame.
   * @throws SrsError HlsDecode for media that does not fit into a segment; the frame is left out then, and the next may come
   */
  onFrame(type: FrameType, flags: number, timestampMs: number, wallMs: number, payload: Buffer): void {
    if (type === frameTypes.data || type === this.#leftOut || payload.length === 0) return;
    if ((flags & frameFlags.sequenceHeader) !== 0) {
      this.#onHeader(type, payload);
      return;
    }
    if (!isMedia(type, flags, payload)) return;
    const isVideo = type === frameTypes.video;
    const isKeyFrame = isVideo && (flags & frameFlags.keyFrame) !== 0;
    switch (this.#segmenter.step(type, isKeyFrame, timestampMs)) {
      case 'skip':
        return;
      case 'append':
        this.#stepParts(isVideo, timestampMs);
        break;
      case 'begin':
        this.#begin(isVideo, timestampMs, wallMs);
        break;
      case 'cut':
        this.#finish(this.#segmenter.endedDurationMs, isVideo ? timestampMs : undefined);
        this.#begin(isVideo, timestampMs, wallMs);
        break;
      case 'break':
        this.#finish(this.#segmenter.endedDurationMs);
        this.#isDiscontinuity = true;
        this.#begin(isVideo, timestampMs, wallMs);
        break;
    }
    this.#muxer.onFrame(type, timestampMs, payload);
    if (this.#muxer.hasChanged) {
      this.#finish(this.#segmenter.split(type, isKeyFrame, timestampMs));
      this.#isDiscontinuity = true;
      this.#begin(isVideo, timestampMs, wallMs);
    }
    if (isVideo) this.#hasVideo = true;
    if (isKeyFrame) this.#segment!.hasKeyFrame = true;
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

  #stepParts(isVideo: boolean, timestampMs: number): void {
    const durationMs = this.#parts?.step(isVideo, timestampMs) ?? 0;
    if (durationMs === 0) return;
    this.#muxer.end(isVideo ? timestampMs : undefined);
    const segment = this.#segment!;
    if (!segment.hasPartBytes) return;
    this.#givePart(segment, durationMs);
    this.#parts!.cut(timestampMs);
  }

  #givePart(segment: CurrentSegment, durationMs: number): void {
    const { open, isDiscontinuity, programDateTimeMs, key, hasKeyFrame } = segment;
    const isIndependent = hasKeyFrame || !this.#hasVideo;
    const { targetMs } = this.#parts!;
    const init = this.#initSection(segment);
    this.#options.files.addPart?.(open, { durationMs, isIndependent, targetMs, isDiscontinuity, programDateTimeMs, key, init });
    segment.parts += 1;
    segment.hasPartBytes = false;
    segment.hasKeyFrame = false;
  }

  /** What has been given out of this segment needs it. */
  #initSection({ open }: CurrentSegment): InitSection | undefined {
    const init = this.#muxer.init();
    if (init === undefined) return undefined;
    if (this.#init?.version !== init.version) {
      this.#init = { version: init.version, section: this.#options.files.storeInit(init.bytes, open.facts) };
    }
    return this.#init.section;
  }

  #begin(isVideo: boolean, timestampMs: number, wallMs: number): void {
    const sequence = this.#nextSequence;
    const beginMs = absoluteMs(this.#options.clock.wallMs(), wallMs);
    const secret = this.#keys?.forSegment(sequence);
    const facts = { sequence, beginMs, durationMs: 0, timestamp: this.#timestampOf(beginMs) };
    // Parts are encrypted one by one, when they are complete.
    const open = this.#options.files.openSegment(facts, this.#parts === undefined ? undefined : secret);
    this.#segment = {
      open,
      isDiscontinuity: this.#isDiscontinuity,
      programDateTimeMs: this.#isDiscontinuity ? beginMs : this.#nextDateMs,
      key: secret?.key,
      cipher: this.#parts === undefined ? secret?.createCipher() : undefined,
      hasBytes: false,
      parts: 0,
      hasPartBytes: false,
      hasKeyFrame: false,
    };
    this.#parts?.begin(isVideo, timestampMs);
    this.#muxer.begin();
  }

  #finish(measuredMs: number, nextTimestampMs?: number): void {
    const segment = this.#segment;
    if (segment === undefined) return;
    let init: InitSection | undefined;
    try {
      this.#muxer.end(nextTimestampMs);
      if (!isTooShort(segment, measuredMs)) init = this.#initSection(segment);
      if (segment.cipher !== undefined) segment.open.sink.write(segment.cipher.final());
    } catch (error) {
      this.#segment = undefined;
      this.#discard(segment);
      throw error;
    }
    this.#segment = undefined;
    if (isTooShort(segment, measuredMs)) {
      this.#discard(segment);
      return;
    }
    const { open, isDiscontinuity, programDateTimeMs, key } = segment;
    const durationMs = this.#parts === undefined ? measuredMs : this.#finishParts(this.#parts, segment, measuredMs);
    this.#options.files.listSegment(open, { durationMs, isDiscontinuity, programDateTimeMs, key, init });
    this.#nextSequence += 1;
    this.#isDiscontinuity = false;
    this.#nextDateMs = programDateTimeMs + durationMs;
  }

  /** @returns the sum of the parts, for nothing of the segment is in none */
  #finishParts(parts: PartCutter, segment: CurrentSegment, measuredMs: number): number {
    if (!segment.hasPartBytes) return parts.givenMs;
    const restMs = parts.rest(measuredMs);
    this.#givePart(segment, restMs);
    return parts.givenMs + restMs;
  }

  /** Its number is used again, unless parts of it have been listed. */
  #discard({ open, parts }: CurrentSegment): void {
    this.#options.files.discardSegment(open);
    if (parts > 0) this.#nextSequence += 1;
    this.#isDiscontinuity = true;
  }

  /** Hot path. */
  #write(bytes: Buffer): void {
    const segment = this.#segment;
    if (segment === undefined) return;
    segment.hasBytes = true;
    segment.hasPartBytes = true;
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

/** What has been listed in parts stays, however short it is. */
function isTooShort({ parts, hasBytes }: CurrentSegment, durationMs: number): boolean {
  return parts === 0 && (durationMs < MIN_SEGMENT_MS || !hasBytes);
}

export function trackLeftOut({ acodec, vcodec }: HlsConfig): FrameType | undefined {
  return acodec === 'an' ? frameTypes.audio : vcodec === 'vn' ? frameTypes.video : undefined;
}

/** A picture or sound. @param payload at least a byte */
export function isMedia(type: FrameType, flags: number, payload: Buffer): boolean {
  const isCommand = type === frameTypes.video && ((payload[0]! >>> 4) & 0x07) === VIDEO_COMMAND;
  return (flags & NO_MEDIA_FLAGS) === 0 && !isCommand;
}

/** @param wallMs a time near `nowMs`, modulo 2^32 */
function absoluteMs(nowMs: number, wallMs: number): number {
  const now = Math.trunc(nowMs);
  return now - ((now - wallMs) | 0);
}
