/** Makes segments that follow from the frames alone, so that two servers that get the same stream make the same ones. */
import { type FrameType, frameFlags, frameTypes, type Log } from '@srs/kernel';
import { EncoderTime } from './encoder-time.ts';
import { HeldFrames } from './held-frames.ts';
import type { OpenSegment } from './segment-files.ts';
import type { SegmentMuxer } from './segment-muxer.ts';
import { isMedia, type Packager, type StreamPackagerOptions, trackLeftOut } from './stream-packager.ts';

export interface SlotPackagerOptions
  extends Pick<StreamPackagerOptions, 'config' | 'names' | 'files' | 'nextSequence' | 'clock' | 'createMuxer'> {
  readonly log: Log;
}

interface CurrentSegment {
  readonly open: OpenSegment;
  readonly beginMs: number;
  readonly muxer: SegmentMuxer;
  hasBytes: boolean;
}

/** What may be held back of a slot; with more, the segment begins without a key frame as if none came. */
const MAX_HELD_BYTES = 16 * 1024 * 1024;

/**
 * The time of the encoder is divided into slots of `hls_fragment`, and in each slot one segment begins, which has the number of the slot: with the
 * first key frame there, or with the first picture of the second half when no key frame comes. So numbers have no holes, however far apart key
 * frames are, and where a segment begins follows from the frames of one slot. Without pictures, sounds count as key frames.
 *
 * Whether a key frame comes is known only with it, or with the end of the slot: until then, what came since the middle is held back. A segment of
 * which a frame may be missing is not listed: the first one begins in a slot that was seen from its first picture on. The muxer of each segment is its own.
 */
export class SlotPackager implements Packager {
  readonly #options: SlotPackagerOptions;
  readonly #slotMs: number;
  readonly #leftOut: FrameType | undefined;
  readonly #time = new EncoderTime();
  readonly #headers = new Map<FrameType, Buffer>();
  #segment: CurrentSegment | undefined;
  #slot: number | undefined;
  /** The slot was seen from its first picture on. */
  #isWhole = false;
  /** The segment of the slot has begun. */
  #hasBegun = false;
  /** From the picture that begins the segment of the slot unless a key frame comes. */
  #held: HeldFrames | undefined;
  #heldMs = 0;
  #heldTimestampMs = 0;
  #nextSequence: number;
  #isBehindTold = false;

  constructor(options: SlotPackagerOptions) {
    this.#options = options;
    this.#slotMs = options.config.fragmentMs;
    this.#leftOut = trackLeftOut(options.config);
    this.#nextSequence = options.nextSequence;
  }

  /** Hot path: O(1) objects per segment; per frame only while frames are held back. */
  onFrame(type: FrameType, flags: number, timestampMs: number, wallMs: number, payload: Buffer): void {
    if (type === frameTypes.data || type === this.#leftOut || payload.length === 0) return;
    if ((flags & frameFlags.sequenceHeader) !== 0) {
      this.#onHeader(type, payload);
      return;
    }
    if (!isMedia(type, flags, payload)) return;
    const ms = this.#time.at(timestampMs, this.#options.clock.wallMs());
    const isVideo = type === frameTypes.video;
    if (isVideo || !this.#headers.has(frameTypes.video)) {
      this.#step(ms, timestampMs, !isVideo || (flags & frameFlags.keyFrame) !== 0);
    } else if (this.#slot !== undefined && this.#slotAt(ms) > this.#slot + 1) {
      // There are no pictures any more, and no segment ends without them.
      this.end();
    }
    if (this.#held?.add(type, flags, timestampMs, wallMs, payload) === true) return;
    if (this.#held !== undefined) this.#beginHeld();
    this.#write(type, timestampMs, payload);
  }

  onGap(): void {
    this.end();
  }

  /** What has begun and is not complete is given up: the other server has it. */
  end(): void {
    this.#giveUp();
    this.#slot = undefined;
  }

  hasHeaderSize(type: FrameType, payload: Buffer): boolean {
    return this.#headers.get(type)?.length === payload.length;
  }

  /** Encoders repeat their configuration; only another one makes a difference. */
  #onHeader(type: FrameType, payload: Buffer): void {
    if (this.#headers.get(type)?.equals(payload) === true) return;
    this.end();
    this.#headers.set(type, Buffer.from(payload));
  }

  /** Before a frame with which a segment may begin. */
  #step(ms: number, timestampMs: number, isKeyFrame: boolean): void {
    const slot = this.#slotAt(ms);
    if (slot !== this.#slot) this.#enter(slot);
    if (this.#hasBegun || !this.#isWhole) return;
    if (isKeyFrame) {
      this.#releaseHeld();
      this.#begin(slot, ms, timestampMs);
    } else if (this.#held === undefined && ms >= slot * this.#slotMs) {
      this.#held = new HeldFrames(MAX_HELD_BYTES);
      this.#heldMs = ms;
      this.#heldTimestampMs = timestampMs;
    }
  }

  /** Its middle is at a multiple of its length: there the key frames are of an encoder that begins at a whole second, and some come a little early. */
  #slotAt(ms: number): number {
    return Math.round(ms / this.#slotMs);
  }

  #enter(slot: number): void {
    const isNext = this.#slot !== undefined && slot === this.#slot + 1;
    if (isNext && this.#held !== undefined) this.#beginHeld();
    // Pictures are so far apart that none may begin the segment of the slot that is over; or it was not seen, or the time has jumped.
    else if (!isNext || (this.#isWhole && !this.#hasBegun)) this.#giveUp();
    this.#slot = slot;
    this.#isWhole = isNext;
    this.#hasBegun = false;
  }

  /** No key frame has come. */
  #beginHeld(): void {
    const held = this.#held;
    this.#held = undefined;
    this.#begin(this.#slot!, this.#heldMs, this.#heldTimestampMs);
    held?.release(this.#heldSink);
  }

  /** A key frame has come: what came before it belongs to the segment before. */
  #releaseHeld(): void {
    const held = this.#held;
    this.#held = undefined;
    held?.release(this.#heldSink);
  }

  readonly #heldSink = {
    onFrame: (type: FrameType, _flags: number, timestampMs: number, _wallMs: number, payload: Buffer): void => {
      this.#write(type, timestampMs, payload);
    },
    onGap: (): void => {},
  };

  #begin(sequence: number, ms: number, timestampMs: number): void {
    this.#finish(ms);
    this.#hasBegun = true;
    if (sequence < this.#nextSequence) {
      this.#tellBehind(sequence);
      return;
    }
    const { files, createMuxer } = this.#options;
    const open = files.openSegment({
      sequence,
      beginMs: ms,
      durationMs: 0,
      timestamp: this.#options.config.tsFloor ? sequence : ms,
    });
    const output = (bytes: Buffer): void => {
      segment.hasBytes = true;
      open.sink.write(bytes);
    };
    const segment: CurrentSegment = { open, beginMs: ms, muxer: createMuxer(output, { timestampMs, ms }), hasBytes: false };
    this.#segment = segment;
    segment.muxer.begin();
    for (const [type, header] of this.#headers) segment.muxer.onHeader(type, header);
  }

  /** @param endMs where the next segment begins */
  #finish(endMs: number): void {
    const segment = this.#segment;
    if (segment === undefined) return;
    const { open, beginMs, muxer } = segment;
    this.#segment = undefined;
    try {
      muxer.end(undefined);
    } catch (error) {
      this.#options.files.discardSegment(open);
      throw error;
    }
    if (!segment.hasBytes) {
      this.#options.files.discardSegment(open);
      return;
    }
    this.#nextSequence = open.facts.sequence + 1;
    // Neither date nor discontinuity: when frames came, and what has left the list, each server knows for itself only.
    this.#options.files.listSegment(open, {
      durationMs: endMs - beginMs,
      isDiscontinuity: false,
      programDateTimeMs: undefined,
      key: undefined,
      init: undefined,
    });
  }

  #giveUp(): void {
    this.#held = undefined;
    const segment = this.#segment;
    this.#segment = undefined;
    if (segment !== undefined) this.#options.files.discardSegment(segment.open);
  }

  /** Hot path. */
  #write(type: FrameType, timestampMs: number, payload: Buffer): void {
    this.#segment?.muxer.onFrame(type, timestampMs, payload);
  }

  /** An encoder has begun to count anew: its numbers would fall. */
  #tellBehind(sequence: number): void {
    if (this.#isBehindTold) return;
    this.#isBehindTold = true;
    const { log, names } = this.#options;
    const seconds = ((this.#nextSequence - sequence) * this.#slotMs) / 1000;
    log.error(
      `hls: ${names.playlistPath} has come to segment ${this.#nextSequence}, and the time of the encoder has gone back to ${sequence}: ` +
        `nothing is listed for ${seconds} s, or until nobody has published for hls_dispose; with hls_origin_backup encoders must count from 1970`,
    );
  }
}
