/** Where everything stands in the memory of a ring. */
import { SrsError } from '@srs/kernel';

/*
 *   region
 *   +--------+---------------------------------+----------------------------------+
 *   | header | sticky slots, two halves each   | records                          |
 *   | 4 KiB  | slot 0: 2 x 64, others 2 x 16 K | capacityBytes, a power of two    |
 *   +--------+---------------------------------+----------------------------------+
 *
 *   record, aligned to 8 bytes, never across the end of the records
 *   +-----------+------------------+-----------+-----------+----------+-------+---------+-----+
 *   | length    | type | flags     | timestamp | wall      | sequence | check | payload | pad |
 *   | 4         | 1    | 3         | 4         | 4         | 4        | 4     | length  | 0-7 |
 *   +-----------+------------------+-----------+-----------+----------+-------+---------+-----+
 *   Type 0 is padding up to the end of the records: its length is all the bytes left, and only the first two words count.
 *   `check` is the record's own position XOR the generation of the ring: a place where no record begins is told by it.
 *
 * A position counts the bytes ever written, modulo 2^32; the record is found at position & (capacityBytes - 1).
 */

/** "SRSR" */
export const RING_MAGIC = 0x53525352;
export const LAYOUT_VERSION = 1;

export const PAGE_BYTES = 4096;
const HEADER_BYTES = PAGE_BYTES;

/** Indices of Int32 words of the header; a group that one side writes often has cache lines of its own. */
export const words = {
  // Written once.
  magic: 0,
  layoutVersion: 1,
  generation: 2,
  capacityBytes: 3,
  firstPosition: 4,
  firstSequence: 5,
  writerSlot: 6,
  writerPid: 7,
  // Written with every record.
  /** How often the intent has passed a multiple of 2^31: tells positions apart that are whole turns of 2^32 away. */
  halfTurns: 16,
  /** Everything more than a capacity behind it is overwritten or about to be. */
  tailIntent: 17,
  /** Everything before it is complete. */
  tail: 18,
  nextSequence: 19,
  /** Position of the newest key frame, with bit 0 set while it is still in the ring. */
  keyFrame: 20,
  /** 0 while the ring is written, then an end reason. */
  end: 21,
  newestTimestamp: 22,
  newestWall: 23,
  payloadBytes: 24,
  rejectedRecords: 25,
  /** Number of the record behind the newest picture; that of the first record before there is one. */
  pictureSequence: 26,
  // Written by readers that go to sleep, 64 bits.
  armed: 32,
  // One group for each sticky slot.
  sticky: 64,
} as const;

/** Words of one sticky slot's group. */
export const stickyWords = {
  /** Number of the update that is being written. */
  intent: 0,
  /** Number of the newest complete update; it stands in half `number & 1`. */
  published: 1,
  /** Kind, timestamp, length of half 0; those of half 1 follow. */
  halves: 2,
  halfStride: 3,
  stride: 16,
} as const;

/** Words of a record's header. */
export const recordWords = { length: 0, kind: 1, timestamp: 2, wall: 3, sequence: 4, check: 5 } as const;
export const RECORD_HEADER_BYTES = 24;
export const RECORD_ALIGNMENT = 8;
export const PADDING_TYPE = 0;
export const MAX_RECORD_TYPE = 0xff;
export const MAX_RECORD_FLAGS = 0xff_ffff;

/** A record takes at most this part of the ring, so that several key frames fit. */
export const MAX_RECORD_FRACTION = 4;
export const MIN_CAPACITY_BYTES = 4096;
/** Distances between positions must stay far below 2^31. */
export const MAX_CAPACITY_BYTES = 2 ** 29;

/** Slots for wake-up, one for each process that reads. */
export const ARMED_SLOTS = 64;

export const STICKY_SLOTS = 8;
/** What the slots hold; 4 and above are free for the owner. */
export const stickySlots = { metadata: 0, videoHeader: 1, audioHeader: 2, videoMetadata: 3 } as const;

const METADATA_BYTES = 64 * 1024;
const OTHER_STICKY_BYTES = 16 * 1024;

/** The largest payload of a sticky slot. */
export function stickyBytes(slot: number): number {
  return slot === stickySlots.metadata ? METADATA_BYTES : OTHER_STICKY_BYTES;
}

/** Where half 0 of a slot begins in the region; half 1 follows it. */
export function stickyOffset(slot: number): number {
  return slot === 0 ? HEADER_BYTES : HEADER_BYTES + 2 * METADATA_BYTES + 2 * OTHER_STICKY_BYTES * (slot - 1);
}

/** Where the records begin in the region. */
export const RECORDS_OFFSET = stickyOffset(STICKY_SLOTS);

/**
 * The size of the region for a ring of `capacityBytes`, which is a power of two. Pages that are never written take no memory:
 * of the sticky slots that is nearly all.
 * @throws SrsError SharedMemory when the capacity cannot be
 */
export function ringBytes(capacityBytes: number): number {
  if (!isCapacity(capacityBytes)) {
    throw new SrsError(
      'SharedMemory',
      `ring capacity ${capacityBytes} must be a power of two in ${MIN_CAPACITY_BYTES}..${MAX_CAPACITY_BYTES}`,
    );
  }
  return RECORDS_OFFSET + capacityBytes;
}

/** The largest capacity whose ring fits into `sizeBytes`; undefined when not even the smallest does. */
export function capacityWithin(sizeBytes: number): number | undefined {
  const room = Math.min(sizeBytes - RECORDS_OFFSET, MAX_CAPACITY_BYTES);
  return room >= MIN_CAPACITY_BYTES ? 2 ** Math.floor(Math.log2(room)) : undefined;
}

export function isCapacity(value: number): boolean {
  return value >= MIN_CAPACITY_BYTES && value <= MAX_CAPACITY_BYTES && (value & (value - 1)) === 0 && Number.isInteger(value);
}

export function maxPayloadBytes(capacityBytes: number): number {
  return capacityBytes / MAX_RECORD_FRACTION - RECORD_HEADER_BYTES;
}

/** The bytes a record with such a payload takes. */
export function recordBytes(payloadBytes: number): number {
  return (RECORD_HEADER_BYTES + payloadBytes + (RECORD_ALIGNMENT - 1)) & -RECORD_ALIGNMENT;
}

/** Why a ring ended. */
export const ringEndReasons = {
  /** The publisher stopped. */
  finished: 1,
  /** A bigger ring goes on with the next sequence number. */
  moved: 2,
  /** The writing process died. */
  writerDied: 3,
  /** The memory was given to somebody else while this reader still held it. */
  gone: 4,
} as const;
export type EndReason = (typeof ringEndReasons)[keyof typeof ringEndReasons];
