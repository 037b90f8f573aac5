/** The writing end of a ring. */
import { type Arena, frameFlags, frameTypes } from '@srs/kernel';
import {
  type EndReason,
  MAX_RECORD_FLAGS,
  MAX_RECORD_TYPE,
  PADDING_TYPE,
  RECORD_ALIGNMENT,
  RECORD_HEADER_BYTES,
  recordBytes,
  recordWords,
  STICKY_SLOTS,
  words,
} from './layout.ts';
import type { Region } from './region.ts';
import { createRingMemory, endReasonOf, openRingMemory, type RingMemory, takeArmed } from './ring-memory.ts';
import { clearSticky, writeSticky } from './sticky-slots.ts';

export interface RingWriterOptions {
  /** The generation of the region unless given. */
  readonly generation?: number;
  /** Number of the first record; a bigger ring that follows another goes on with its numbers. */
  readonly firstSequence?: number;
  /** The worker that writes, and its process: for diagnosis, and to know whom a ring belonged to. */
  readonly writerSlot: number;
  readonly writerPid: number;
  /** Where positions begin, a multiple of 8: near 2^31 or 2^32 to see them wrap around. */
  readonly firstPosition?: number;
}

const KEY_FRAME_MASK = frameFlags.keyFrame | frameFlags.sequenceHeader;
const KEY_FRAME_IN_RING = 1;
/** What tells about the media often has a time of its own: 0, or that of the start. */
const NO_MEDIA_MASK = frameFlags.sequenceHeader | frameFlags.metadata | frameFlags.videoMetadata;

/**
 * The one writer of a ring; it never waits for a reader. Only one process may hold a writer of a region: whoever hands regions
 * out sees to it.
 */
export class RingWriter {
  readonly capacityBytes: number;
  /** A larger payload is refused: the owner needs a bigger ring first. */
  readonly maxPayloadBytes: number;
  readonly #memory: RingMemory;
  readonly #words: Int32Array;
  readonly #records: Buffer;
  readonly #recordsWord: number;
  readonly #generation: number;
  readonly #mask: number;
  #tail: number;
  #halfTurns: number;
  #nextSequence: number;
  #payloadBytes = 0;
  #rejectedRecords = 0;
  #hasKeyFrame = false;
  #isKeyFrameInRing = false;
  #gopBytes = 0;

  private constructor(memory: RingMemory) {
    this.#memory = memory;
    this.#words = memory.words;
    this.#records = memory.records;
    this.#recordsWord = memory.recordsWord;
    this.#generation = memory.generation;
    this.#mask = memory.capacityBytes - 1;
    this.capacityBytes = memory.capacityBytes;
    this.maxPayloadBytes = memory.maxPayloadBytes;
    this.#tail = memory.words[words.tail]!;
    this.#halfTurns = memory.words[words.halfTurns]!;
    this.#nextSequence = memory.words[words.nextSequence]!;
  }

  /**
   * Makes an empty ring in `region`, with the largest capacity that fits (`ringBytes` gives the size for a capacity).
   * @throws SrsError SharedMemory when the region is too small or lies outside of the arena
   */
  static create(arena: Arena, region: Region, options: RingWriterOptions): RingWriter {
    const memory = createRingMemory(arena, region, options.generation ?? region.generation, {
      firstPosition: (options.firstPosition ?? 0) & -RECORD_ALIGNMENT,
      firstSequence: (options.firstSequence ?? 0) | 0,
      writerSlot: options.writerSlot,
      writerPid: options.writerPid,
    });
    return new RingWriter(memory);
  }

  /**
   * Takes over a ring that `create` made and nobody has written to, in this process or another one. Its readers may be there
   * already: whoever hands regions out makes the ring before it tells anybody.
   * @throws SrsError RingCorrupt when the region does not hold the ring of that generation
   * @throws SrsError SharedMemory when the region lies outside of the arena
   */
  static open(
    arena: Arena,
    region: Region,
    options: Pick<RingWriterOptions, 'generation' | 'writerSlot' | 'writerPid'>,
  ): RingWriter {
    const memory = openRingMemory(arena, region, options.generation ?? region.generation);
    memory.words[words.writerSlot] = options.writerSlot;
    memory.words[words.writerPid] = options.writerPid;
    return new RingWriter(memory);
  }

  get region(): Region {
    return this.#memory.region;
  }

  /** The number the next record gets, an Int32 that wraps around. */
  get nextSequence(): number {
    return this.#nextSequence;
  }

  /**
   * Bytes of the ring since the newest key frame, it included; 0 without one. It keeps growing when the key frame is
   * overwritten. Past half of the capacity it is time for a bigger ring.
   */
  get gopBytes(): number {
    return this.#gopBytes;
  }

  /** Records that were too large. */
  get rejectedRecords(): number {
    return this.#rejectedRecords;
  }

  /** Why the ring ended, by this side or the owner of the region; 0 while it is written. */
  get ended(): EndReason | 0 {
    return endReasonOf(this.#isOurs() ? Atomics.load(this.#words, words.end) : -1);
  }

  /**
   * Appends one record with a copy of `payload`.
   *
   * Hot path: one copy, no allocation.
   * @param type 1..255, `frameTypes`
   * @param flags `frameFlags`, 24 bits; a key frame that is no sequence header becomes the place where joiners start
   * @param timestampMs kept modulo 2^32
   * @param wallMs when the frame arrived, kept modulo 2^32
   * @returns false when the payload, type or flags are too large (counted), or when the ring has ended
   */
  write(type: number, flags: number, timestampMs: number, wallMs: number, payload: Uint8Array): boolean {
    const header = this.#words;
    const length = payload.length;
    if (header[words.end] !== 0 || header[words.generation] !== this.#generation) return false;
    if (length > this.maxPayloadBytes || type < 1 || type > MAX_RECORD_TYPE || flags >>> 0 > MAX_RECORD_FLAGS) {
      this.#rejectedRecords++;
      header[words.rejectedRecords] = this.#rejectedRecords;
      return false;
    }

    const tail = this.#tail;
    const bytes = recordBytes(length);
    let offset = tail & this.#mask;
    const room = this.capacityBytes - offset;
    const padding = bytes > room ? room : 0;
    const start = (tail + padding) | 0;
    const next = (start + bytes) | 0;

    // First the half turns, then the intent: a reader that sees the intent also sees how often positions went round.
    if ((next ^ tail) < 0) {
      this.#halfTurns = (this.#halfTurns + 1) | 0;
      Atomics.store(header, words.halfTurns, this.#halfTurns);
    }
    Atomics.store(header, words.tailIntent, next);
    // On arm64 later stores could pass the store above; the load behind it keeps them back.
    Atomics.load(header, words.tailIntent);

    if (padding !== 0) {
      const word = this.#recordsWord + (offset >> 2);
      header[word + recordWords.length] = padding;
      header[word + recordWords.kind] = PADDING_TYPE;
      offset = 0;
    }
    const word = this.#recordsWord + (offset >> 2);
    header[word + recordWords.length] = length;
    header[word + recordWords.kind] = type | (flags << 8);
    header[word + recordWords.timestamp] = timestampMs;
    header[word + recordWords.wall] = wallMs;
    header[word + recordWords.sequence] = this.#nextSequence;
    header[word + recordWords.check] = start ^ this.#generation;
    this.#records.set(payload, offset + RECORD_HEADER_BYTES);

    this.#tail = next;
    this.#nextSequence = (this.#nextSequence + 1) | 0;
    this.#payloadBytes = (this.#payloadBytes + length) | 0;
    header[words.nextSequence] = this.#nextSequence;
    if ((flags & NO_MEDIA_MASK) === 0) {
      header[words.newestTimestamp] = timestampMs;
      if (type === frameTypes.video) header[words.pictureSequence] = this.#nextSequence;
    }
    header[words.newestWall] = wallMs;
    header[words.payloadBytes] = this.#payloadBytes;
    Atomics.store(header, words.tail, next);

    // Behind the tail, so that nobody starts at a key frame that is not there yet.
    if ((flags & KEY_FRAME_MASK) === frameFlags.keyFrame) {
      Atomics.store(header, words.keyFrame, start | KEY_FRAME_IN_RING);
      this.#hasKeyFrame = true;
      this.#isKeyFrameInRing = true;
      this.#gopBytes = bytes;
    } else if (this.#hasKeyFrame) {
      this.#gopBytes += padding + bytes;
      if (this.#isKeyFrameInRing && this.#gopBytes > this.capacityBytes) this.#dropKeyFrame();
    }
    return true;
  }

  /** Joiners start live from now on, until the next key frame: for a stream that has had only audio for long. */
  forgetKeyFrame(): void {
    this.#hasKeyFrame = false;
    this.#gopBytes = 0;
    this.#dropKeyFrame();
  }

  /**
   * Keeps a record for every joiner, in place of the one before.
   * @param slot 0..7, `stickySlots`
   * @returns false when the payload is larger than `stickyBytes(slot)`, or type or flags out of range
   */
  setSticky(slot: number, type: number, flags: number, timestampMs: number, payload: Uint8Array): boolean {
    return this.#isOurs() && writeSticky(this.#memory, slot, type, flags, timestampMs, payload);
  }

  clearSticky(slot: number): void {
    if (this.#isOurs()) clearSticky(this.#memory, slot);
  }

  clearStickies(): void {
    for (let slot = 0; slot < STICKY_SLOTS; slot++) this.clearSticky(slot);
  }

  /**
   * Calls back once for each reader slot that went to sleep, and disarms it: ring its doorbell. Once per tick is enough.
   *
   * Hot path: two loads when nobody sleeps.
   */
  takeArmed(callback: (slot: number) => void): void {
    takeArmed(this.#words, callback);
  }

  /** Ends the ring; the first reason given stays. Wake the sleepers afterwards (`takeArmed`). */
  end(reason: EndReason): void {
    if (this.#isOurs()) Atomics.compareExchange(this.#words, words.end, 0, reason);
  }

  #dropKeyFrame(): void {
    this.#isKeyFrameInRing = false;
    if (this.#isOurs()) Atomics.store(this.#words, words.keyFrame, 0);
  }

  #isOurs(): boolean {
    return Atomics.load(this.#words, words.generation) === this.#generation;
  }
}
