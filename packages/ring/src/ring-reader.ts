/** The reading end of a ring. */
import type { Arena } from '@srs/kernel';
import { ARMED_SLOTS, type EndReason, RECORD_ALIGNMENT, RECORD_HEADER_BYTES, ringEndReasons, words } from './layout.ts';
import type { Region } from './region.ts';
import { looks, RingCursor } from './ring-cursor.ts';
import { endReasonOf, openRingMemory, type RingMemory } from './ring-memory.ts';
import { readSticky, type StickyRecord, stickyVersion } from './sticky-slots.ts';

export interface RecordSink {
  /**
   * One record.
   * @param flags `frameFlags`
   * @param timestampMs of the stream, 0 .. 2^32 - 1
   * @param wallMs when it arrived, modulo 2^32 and signed: `(Date.now() - wallMs) | 0` is its age in milliseconds
   * @param sequence an Int32 that wraps around; the next record's is one more
   * @param payload valid during the call only
   */
  onRecord(type: number, flags: number, timestampMs: number, wallMs: number, sequence: number, payload: Buffer): void;
}

/** Takes views of the ring itself. */
export interface ViewSink extends RecordSink {
  /**
   * The record of the last `onRecord` was overwritten during the call: everything about it may be wrong. Take back what was
   * kept of it. `poll` then returns `lapped` or `ended`.
   */
  onTorn(): void;
}

/** What `poll` returns when it is not the number of records, 1 or more. */
export const pollResults = {
  /** Nothing new. */
  idle: 0,
  /**
   * Records before the next one were overwritten; the reader stands at the newest key frame again, or at the live edge without one.
   * Records this call delivered are good.
   */
  lapped: -1,
  /** Everything was read and nothing follows: `ended` says why. */
  ended: -2,
  /** What stands in the ring cannot be: `fault` says what. This reader is of no more use. */
  corrupt: -3,
} as const;

/**
 * One place in a ring, moving on; it costs the writer nothing. Any number of readers in any process.
 *
 * The writer never waits, so it may overwrite a record while it is read. Two ways to read lead round that:
 * - `poll` hands out views and checks *after* each record whether the writer came by. If so the sink is told (`onTorn`) and
 *   takes back that one record: a batch builder remembers its length before `onRecord` and returns to it. Nothing is copied
 *   twice, so this is the way of the fan-out.
 * - `pollCopies` copies first, checks, and hands out only what is right: for sinks that cannot take back.
 */
export class RingReader {
  readonly #arena: Arena;
  readonly #memory: RingMemory;
  readonly #words: Int32Array;
  readonly #cursor: RingCursor;
  #fault: string | undefined;
  #ended: EndReason | 0 = 0;
  #laps = 0;
  #skippedRecords = 0;
  #copy: Buffer | undefined;

  /**
   * Opens the ring at its live edge.
   * @param memory of a reader of the same ring, as `fork` passes it on
   * @throws SrsError RingCorrupt when the region does not hold the ring of that generation
   * @throws SrsError SharedMemory when the region lies outside of the arena
   */
  constructor(
    arena: Arena,
    region: Region,
    expectedGeneration: number = region.generation,
    memory: RingMemory = openRingMemory(arena, region, expectedGeneration),
  ) {
    this.#arena = arena;
    this.#memory = memory;
    this.#words = this.#memory.words;
    this.#cursor = new RingCursor(this.#memory);
    this.#cursor.seekToLiveEdge();
  }

  get region(): Region {
    return this.#memory.region;
  }

  get capacityBytes(): number {
    return this.#memory.capacityBytes;
  }

  /** Bytes written before the next record, modulo 2^32 and signed. */
  get position(): number {
    return this.#cursor.position;
  }

  /** Number of the next record. After a seek to the live edge within a record it may be one too high until that has been read. */
  get sequence(): number {
    return this.#cursor.sequence;
  }

  /** Why the ring ended, once all of it has been read; 0 before. */
  get ended(): EndReason | 0 {
    return this.#ended;
  }

  /** What was found to be impossible, once `poll` has returned `corrupt`. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** How often the writer overtook this reader. */
  get laps(): number {
    return this.#laps;
  }

  /** Records lost by that; one too many for a lap that ended at the live edge within a record. */
  get skippedRecords(): number {
    return this.#skippedRecords;
  }

  /** Bytes from here to the newest record; more than the capacity when the writer has overtaken this reader. */
  get lagBytes(): number {
    return this.#cursor.distanceTo(Atomics.load(this.#words, words.tail));
  }

  /** Whether `poll` would return anything but `idle`. */
  get hasNews(): boolean {
    const { position } = this.#cursor;
    return (
      Atomics.load(this.#words, words.tail) !== position || Atomics.load(this.#words, words.end) !== 0 || !this.#cursor.isOurs()
    );
  }

  /** Whether there is a picture from here on. */
  get hasPictureAhead(): boolean {
    return ((Atomics.load(this.#words, words.pictureSequence) - this.#cursor.sequence) | 0) > 0;
  }

  /** Whether a picture was ever written to this ring. */
  get hasHadPicture(): boolean {
    return Atomics.load(this.#words, words.pictureSequence) !== this.#words[words.firstSequence];
  }

  /** Of the newest picture or sound; headers and metadata do not count. */
  get newestTimestampMs(): number {
    return Atomics.load(this.#words, words.newestTimestamp) >>> 0;
  }

  /** Number of the newest record, an Int32. */
  get newestSequence(): number {
    return (Atomics.load(this.#words, words.nextSequence) - 1) | 0;
  }

  /** Bytes of all payloads ever written, modulo 2^32. */
  get payloadBytes(): number {
    return Atomics.load(this.#words, words.payloadBytes) >>> 0;
  }

  /** Records the writer had to refuse because they were too large. */
  get rejectedRecords(): number {
    return Atomics.load(this.#words, words.rejectedRecords) >>> 0;
  }

  get writerSlot(): number {
    return Atomics.load(this.#words, words.writerSlot);
  }

  get writerPid(): number {
    return Atomics.load(this.#words, words.writerPid);
  }

  /**
   * Delivers views of the records from here on, until nothing is left or `maxBytes` of the ring have passed (at least one
   * record). The sink must not move this reader.
   *
   * Hot path: one view for each record, no copy.
   * @returns the number of records, or one of `pollResults`
   */
  poll(sink: ViewSink, maxBytes: number = Number.POSITIVE_INFINITY): number {
    let available = this.#begin();
    if (available <= 0) return available;
    const cursor = this.#cursor;
    const end = available - maxBytes;
    let delivered = 0;
    while (available > 0 && (delivered === 0 || available > end)) {
      const padding = this.#lookAtRecord(available);
      if (padding < 0) return this.#explain(available);
      const bytes = cursor.recordBytes;
      available -= padding + bytes;
      // Passed before the call: a sink that throws does not meet the same record again.
      const { sequence } = cursor;
      cursor.passRecord();
      this.#deliver(sink, sequence, this.#view());
      if (!cursor.isIntact(bytes)) {
        sink.onTorn();
        cursor.sequence = sequence;
        return this.#lap();
      }
      delivered++;
    }
    return delivered;
  }

  /**
   * As `poll`, with payloads that the writer cannot reach; they are valid during the call only all the same.
   *
   * Hot path: one copy of each record.
   */
  pollCopies(sink: RecordSink, maxBytes: number = Number.POSITIVE_INFINITY): number {
    let available = this.#begin();
    if (available <= 0) return available;
    const cursor = this.#cursor;
    const end = available - maxBytes;
    let delivered = 0;
    while (available > 0 && (delivered === 0 || available > end)) {
      const padding = this.#lookAtRecord(available);
      if (padding < 0) return this.#explain(available);
      available -= padding + cursor.recordBytes;
      const payload = this.#copyOut();
      if (!cursor.isIntact(0)) return this.#lap();
      const { sequence } = cursor;
      cursor.passRecord();
      this.#deliver(sink, sequence, payload);
      delivered++;
    }
    return delivered;
  }

  /** Goes to the newest key frame; false, and stays, when none is in the ring: join at the live edge then. */
  seekToNewestKeyFrame(): boolean {
    return this.#cursor.seekToNewestKeyFrame();
  }

  /** Goes to the first record that was written; false, and stays, when that is overwritten. */
  seekToFirst(): boolean {
    const there = new RingCursor(this.#memory);
    there.seekToFirst();
    if (!there.walkTo(there.sequence)) return false;
    this.#cursor.copyFrom(there);
    return true;
  }

  /**
   * Goes to the oldest picture or sound that is at most `backMs` older than the newest, as far as the ring has it; stays when none is.
   * Looks through all of the ring.
   */
  seekBack(backMs: number): boolean {
    return this.#cursor.seekBack(backMs, this.newestTimestampMs);
  }

  /** Goes behind the newest record. */
  seekToLiveEdge(): void {
    this.#cursor.seekToLiveEdge();
  }

  /**
   * Goes to the record with that number, or behind the newest when it is the next to come: how a reader goes on in a bigger
   * ring. It is found from the newest key frame or, while that is still there, from the first record on.
   * @returns false, and stays, when it cannot be found so
   */
  seekToSequence(sequence: number): boolean {
    const wanted = sequence | 0;
    const there = new RingCursor(this.#memory);
    if (there.seekToNewestKeyFrame() && ((wanted - there.sequence) | 0) >= 0) {
      if (!there.walkTo(wanted)) return false;
    } else {
      there.seekToFirst();
      if (!there.walkTo(wanted)) return false;
    }
    this.#cursor.copyFrom(there);
    return true;
  }

  /** A reader of its own at the same place, with counters at 0. */
  fork(): RingReader {
    const reader = new RingReader(this.#arena, this.region, this.#memory.generation, this.#memory);
    reader.#cursor.copyFrom(this.#cursor);
    reader.#fault = this.#fault;
    return reader;
  }

  /** A copy of what is in a sticky slot; undefined when nothing is. @throws SrsError RingCorrupt */
  readSticky(slot: number): StickyRecord | undefined {
    return readSticky(this.#memory, slot);
  }

  /** Changes whenever the slot does; 0 before the first time. */
  stickyVersion(slot: number): number {
    return stickyVersion(this.#memory, slot);
  }

  /**
   * Asks the writer to wake process `slot`, then looks again.
   * @param slot 0..63; all readers of a process share one, so a wake-up may be meant for another of them
   * @returns true when there is nothing to read: sleep. False when there is: read on; a wake-up may come all the same.
   */
  arm(slot: number): boolean {
    if (!(slot >= 0 && slot < ARMED_SLOTS)) throw new RangeError(`wake-up slot ${slot} must be 0..${ARMED_SLOTS - 1}`);
    // Memory that became somebody else's must not be touched.
    if (!this.#cursor.isOurs()) return false;
    // A read-modify-write: the look at the tail cannot happen before it, nor the writer's look at the bit before its tail.
    Atomics.or(this.#words, words.armed + (slot >> 5), 1 << (slot & 31));
    const tail = Atomics.load(this.#words, words.tail);
    return this.#cursor.distanceTo(tail) === 0 && Atomics.load(this.#words, words.end) === 0 && this.#cursor.isOurs();
  }

  /** The bytes that can be read, or a result of `pollResults`. */
  #begin(): number {
    if (this.#fault !== undefined) return pollResults.corrupt;
    // The end before the tail: what was written before the end must be read first.
    const end = Atomics.load(this.#words, words.end);
    const tail = Atomics.load(this.#words, words.tail);
    if (!this.#cursor.isOurs()) return this.#end(ringEndReasons.gone);
    const available = this.#cursor.distanceTo(tail);
    if (available === 0) return end === 0 ? pollResults.idle : this.#end(endReasonOf(end));
    if (available < 0 || (tail & (RECORD_ALIGNMENT - 1)) !== 0)
      return this.#fail(`tail ${tail} is ${available} bytes ahead of ${this.position}`);
    return available > this.#memory.capacityBytes ? this.#lap() : available;
  }

  /** Passes the padding before the next record, if any; returns its size, or -1 when no record can be read. */
  #lookAtRecord(available: number): number {
    const cursor = this.#cursor;
    const look = cursor.look(available);
    if (look === looks.record) return 0;
    if (look === looks.invalid) return -1;
    const padding = cursor.recordBytes;
    cursor.passPadding();
    return cursor.look(available - padding) === looks.record ? padding : -1;
  }

  #view(): Buffer {
    const start = this.#cursor.recordOffset + RECORD_HEADER_BYTES;
    return this.#memory.records.subarray(start, start + this.#cursor.length);
  }

  #copyOut(): Buffer {
    const { length, recordOffset } = this.#cursor;
    if (this.#copy === undefined || this.#copy.length < length)
      this.#copy = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(length + 1)));
    this.#memory.records.copy(this.#copy, 0, recordOffset + RECORD_HEADER_BYTES, recordOffset + RECORD_HEADER_BYTES + length);
    return this.#copy.subarray(0, length);
  }

  #deliver(sink: RecordSink, sequence: number, payload: Buffer): void {
    const { kind, timestampMs, wallMs } = this.#cursor;
    sink.onRecord(kind & 0xff, kind >>> 8, timestampMs >>> 0, wallMs, sequence, payload);
  }

  /** No record can be read here: because the writer came by, or because the ring is broken. */
  #explain(available: number): number {
    const cursor = this.#cursor;
    if (!cursor.isIntact(0)) return this.#lap();
    return this.#fail(`no record ${cursor.sequence} at ${cursor.position}, ${available} bytes before the tail`);
  }

  #lap(): number {
    if (!this.#cursor.isOurs()) return this.#end(ringEndReasons.gone);
    const missed = this.#cursor.sequence;
    if (!this.#cursor.seekToNewestKeyFrame()) this.#cursor.seekToLiveEdge();
    this.#laps++;
    this.#skippedRecords += Math.max(0, (this.#cursor.sequence - missed) | 0);
    return pollResults.lapped;
  }

  #end(reason: EndReason | 0): number {
    this.#ended = reason;
    return pollResults.ended;
  }

  #fail(text: string): number {
    this.#fault = `ring at ${this.region.offset}, generation ${this.#memory.generation}: ${text}`;
    return pollResults.corrupt;
  }
}
