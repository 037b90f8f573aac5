/** A place in a ring: which record comes next there, and how far the writer is ahead. */
import { frameFlags, timestampDelta } from '@srs/kernel';
import { PADDING_TYPE, RECORD_ALIGNMENT, RECORD_HEADER_BYTES, recordBytes, recordWords, words } from './layout.ts';
import type { RingMemory } from './ring-memory.ts';

const HALF_TURN_BYTES = 2 ** 31;
const HALF_TURN_MASK = 0x7fffffff;
/** The newest key frame is overwritten within the few instructions of a look at it only when the ring is far too small. */
const KEY_FRAME_ATTEMPTS = 8;
/** Enough to see the writer between two small records. */
const LIVE_EDGE_ATTEMPTS = 8;

/** What `look` found. */
export const looks = { record: 0, padding: 1, invalid: 2 } as const;
export type Look = (typeof looks)[keyof typeof looks];

/** The writer comes by at the oldest records: this part of the ring is left to it. */
const LEFT_FRACTION = 8;
/** Bytes that look like a record and are none are rarer than one in 2^32. */
const SEEK_BACK_ATTEMPTS = 4;
/** What tells about the media often has a time of its own: 0, or that of the start. */
const NO_MEDIA_MASK = frameFlags.sequenceHeader | frameFlags.metadata | frameFlags.videoMetadata;

const fence = new Int32Array(1);

/**
 * Position and sequence number of the next record. Positions are Int32 that wrap around; with the number of half turns beside
 * them distances are exact however long a reader has slept.
 */
export class RingCursor {
  readonly memory: RingMemory;
  readonly #words: Int32Array;
  readonly #recordsWord: number;
  readonly #generation: number;
  readonly #capacityBytes: number;
  position = 0;
  /** How many half turns of 2^31 bytes lie before the position. */
  #halfTurns = 0;
  sequence = 0;
  /** The next record tells its number: it is not known for sure at the live edge within a record. */
  #isSequenceOpen = false;

  // What the last `look` saw.
  kind = 0;
  length = 0;
  timestampMs = 0;
  wallMs = 0;
  recordOffset = 0;
  recordBytes = 0;

  constructor(memory: RingMemory) {
    this.memory = memory;
    this.#words = memory.words;
    this.#recordsWord = memory.recordsWord;
    this.#generation = memory.generation;
    this.#capacityBytes = memory.capacityBytes;
  }

  copyFrom(other: RingCursor): void {
    this.position = other.position;
    this.#halfTurns = other.#halfTurns;
    this.sequence = other.sequence;
    this.#isSequenceOpen = other.#isSequenceOpen;
  }

  /** Bytes from here to `position`, which was read from the header just now. */
  distanceTo(position: number): number {
    const turns = this.#halfTurnsOf(position);
    return ((turns - this.#halfTurns) | 0) * HALF_TURN_BYTES + ((position & HALF_TURN_MASK) - (this.position & HALF_TURN_MASK));
  }

  /** The half turns are written before the positions they belong to, so they can only be ahead, and by one. */
  #halfTurnsOf(position: number): number {
    const turns = Atomics.load(this.#words, words.halfTurns);
    return ((turns ^ (position >>> 31)) & 1) === 0 ? turns : (turns - 1) | 0;
  }

  /**
   * Whether all that was read from `bytesBefore` bytes before the position on is what the writer put there: neither
   * overwritten nor in memory that became somebody else's.
   */
  isIntact(bytesBefore: number): boolean {
    // An atomic read-modify-write: on arm64 the reads before it could otherwise happen after the look at the intent.
    Atomics.add(fence, 0, 0);
    const intent = Atomics.load(this.#words, words.tailIntent);
    return this.distanceTo(intent) + bytesBefore <= this.#capacityBytes && this.isOurs();
  }

  isOurs(): boolean {
    return this.#words[words.generation] === this.#generation;
  }

  /**
   * Reads the header of the record at the position into the fields of this object, without going beyond `available` bytes.
   * Hot path: the words may be torn; everything that leads to memory is checked, the rest by `isIntact` afterwards.
   */
  look(available: number): Look {
    const header = this.#words;
    const offset = this.position & (this.#capacityBytes - 1);
    const room = this.#capacityBytes - offset;
    const word = this.#recordsWord + (offset >> 2);
    const length = header[word + recordWords.length]!;
    const kind = header[word + recordWords.kind]!;
    if ((kind & 0xff) === PADDING_TYPE) {
      this.recordBytes = room;
      return kind === PADDING_TYPE && length === room && room < available ? looks.padding : looks.invalid;
    }
    // Room first: the words behind the first two are there only when a whole record header fits.
    if (room < RECORD_HEADER_BYTES || length < 0 || length > this.memory.maxPayloadBytes) return looks.invalid;
    const bytes = recordBytes(length);
    if (bytes > room || bytes > available) return looks.invalid;
    if (header[word + recordWords.check]! !== (this.position ^ this.#generation)) return looks.invalid;
    const sequence = header[word + recordWords.sequence]!;
    if (sequence !== this.sequence) {
      if (!this.#isSequenceOpen) return looks.invalid;
      this.sequence = sequence;
    }
    this.kind = kind;
    this.length = length;
    this.timestampMs = header[word + recordWords.timestamp]!;
    this.wallMs = header[word + recordWords.wall]!;
    this.recordOffset = offset;
    this.recordBytes = bytes;
    return looks.record;
  }

  passPadding(): void {
    this.#advance(this.recordBytes);
  }

  passRecord(): void {
    this.#advance(this.recordBytes);
    this.sequence = (this.sequence + 1) | 0;
    this.#isSequenceOpen = false;
  }

  #advance(bytes: number): void {
    const next = (this.position + bytes) | 0;
    if ((next ^ this.position) < 0) this.#halfTurns = (this.#halfTurns + 1) | 0;
    this.position = next;
  }

  seekToFirst(): void {
    this.position = this.#words[words.firstPosition]! & -RECORD_ALIGNMENT;
    this.#halfTurns = this.position >>> 31;
    this.sequence = this.#words[words.firstSequence]!;
    this.#isSequenceOpen = false;
  }

  seekToLiveEdge(): void {
    for (let attempt = 1; ; attempt++) {
      const tail = Atomics.load(this.#words, words.tail);
      this.sequence = Atomics.load(this.#words, words.nextSequence);
      // The number belongs to the tail if no record was begun behind it. Within a record either of two may be right.
      this.#isSequenceOpen = Atomics.load(this.#words, words.tailIntent) !== tail;
      if (this.#isSequenceOpen && attempt < LIVE_EDGE_ATTEMPTS) continue;
      this.#halfTurns = this.#halfTurnsOf(tail);
      this.position = tail & -RECORD_ALIGNMENT;
      return;
    }
  }

  /** Goes to the newest key frame; false, and stays, when there is none in the ring. */
  seekToNewestKeyFrame(): boolean {
    for (let attempt = 0; attempt < KEY_FRAME_ATTEMPTS; attempt++) {
      const keyFrame = Atomics.load(this.#words, words.keyFrame);
      if ((keyFrame & 1) === 0) return false;
      const position = keyFrame & -RECORD_ALIGNMENT;
      const tail = Atomics.load(this.#words, words.tail);
      const distance = (tail - position) | 0;
      // Overwritten between the two loads.
      if (distance <= 0 || distance > this.#capacityBytes) continue;
      const tailTurns = this.#halfTurnsOf(tail);
      const there = new RingCursor(this.memory);
      there.position = position;
      there.#halfTurns = (position ^ tail) < 0 ? (tailTurns - 1) | 0 : tailTurns;
      there.#isSequenceOpen = true;
      const look = there.look(distance);
      if (!there.isIntact(0)) continue;
      if (look !== looks.record || ((there.kind >>> 8) & frameFlags.keyFrame) === 0) return false;
      there.#isSequenceOpen = false;
      this.copyFrom(there);
      return true;
    }
    return false;
  }

  /**
   * Goes to the oldest picture or sound that is at most `backMs` older than `newestTimestampMs`; false, and stays, when there is none.
   * Records do not say where those before them begin, but each knows its own place: one is looked for from the oldest bytes on, and
   * believed when the records behind it lead to the end.
   */
  seekBack(backMs: number, newestTimestampMs: number): boolean {
    const tail = Atomics.load(this.#words, words.tail);
    const there = this.#oldest(tail);
    let available = there.distanceTo(tail);
    // The writer has gone on by half a turn meanwhile, or the header is broken.
    if (available > this.#capacityBytes) return false;
    for (let attempt = 0; attempt < SEEK_BACK_ATTEMPTS && available > 0; available -= RECORD_ALIGNMENT) {
      there.#isSequenceOpen = true;
      if (there.look(available) === looks.record) {
        attempt++;
        const found = there.#firstSince(available, backMs, newestTimestampMs);
        if (found !== undefined) {
          this.copyFrom(found);
          return true;
        }
      }
      there.#advance(RECORD_ALIGNMENT);
    }
    return false;
  }

  /** At the first record, or at bytes that the writer will not come to soon, where no record need begin. */
  #oldest(tail: number): RingCursor {
    const there = new RingCursor(this.memory);
    there.seekToFirst();
    const reach = this.#capacityBytes - this.#capacityBytes / LEFT_FRACTION;
    if (there.distanceTo(tail) <= reach) return there;
    const tailTurns = this.#halfTurnsOf(tail);
    there.position = (tail - reach) & -RECORD_ALIGNMENT;
    there.#halfTurns = (there.position ^ tail) < 0 ? (tailTurns - 1) | 0 : tailTurns;
    return there;
  }

  /** The first picture or sound from here on that is so young; undefined when the records from here on do not lead to the end. */
  #firstSince(availableBytes: number, backMs: number, newestTimestampMs: number): RingCursor | undefined {
    const walker = new RingCursor(this.memory);
    walker.copyFrom(this);
    let found: RingCursor | undefined;
    for (let available = availableBytes; available > 0; available -= walker.recordBytes) {
      const look = walker.look(available);
      if (look === looks.invalid || !walker.isIntact(0)) return undefined;
      if (look === looks.padding) {
        walker.passPadding();
        continue;
      }
      const ageMs = timestampDelta(walker.timestampMs, newestTimestampMs);
      if (found === undefined && ((walker.kind >>> 8) & NO_MEDIA_MASK) === 0 && ageMs >= 0 && ageMs <= backMs) {
        found = new RingCursor(this.memory);
        found.copyFrom(walker);
      }
      walker.passRecord();
    }
    return found;
  }

  /** Goes on to record `sequence`, or to the end when it is the next to be written; false when it does not come. */
  walkTo(sequence: number): boolean {
    let available = this.distanceTo(Atomics.load(this.#words, words.tail));
    while (this.sequence !== sequence) {
      if (available <= 0 || available > this.#capacityBytes) return false;
      const look = this.look(available);
      if (look === looks.invalid || !this.isIntact(0)) return false;
      available -= this.recordBytes;
      if (look === looks.padding) this.passPadding();
      else this.passRecord();
    }
    return available >= 0 && this.isIntact(0);
  }
}
