/** The memory of one ring, checked once when it is opened. */
import { type Arena, SrsError } from '@srs/kernel';
import {
  capacityWithin,
  type EndReason,
  isCapacity,
  LAYOUT_VERSION,
  maxPayloadBytes,
  RECORDS_OFFSET,
  RING_MAGIC,
  ringBytes,
  ringEndReasons,
  STICKY_SLOTS,
  stickyWords,
  words,
} from './layout.ts';
import type { Region } from './region.ts';

/** What readers and writers of a ring work on. The numbers are copies, so that a corrupt header cannot change them later. */
export interface RingMemory {
  readonly region: Region;
  readonly generation: number;
  readonly capacityBytes: number;
  readonly maxPayloadBytes: number;
  /** The whole region. */
  readonly bytes: Buffer;
  /** The whole region as words. */
  readonly words: Int32Array;
  /** The records only. */
  readonly records: Buffer;
  /** Index of the first word of the records. */
  readonly recordsWord: number;
}

export interface NewRing {
  readonly firstPosition: number;
  readonly firstSequence: number;
  readonly writerSlot: number;
  readonly writerPid: number;
}

/**
 * Writes the header of an empty ring. Nobody can open the ring before the last word of it is written.
 * @throws SrsError SharedMemory when the region is too small or lies outside of the arena
 */
export function createRingMemory(arena: Arena, region: Region, generation: number, ring: NewRing): RingMemory {
  const capacityBytes = capacityWithin(region.sizeBytes);
  if (capacityBytes === undefined) {
    throw new SrsError('SharedMemory', `region of ${region.sizeBytes} bytes must have ${RECORDS_OFFSET} and room for records`);
  }
  const memory = mapRing(arena, region, generation, capacityBytes);
  const header = memory.words;
  header.fill(0, 0, words.sticky + STICKY_SLOTS * stickyWords.stride);
  header[words.layoutVersion] = LAYOUT_VERSION;
  header[words.generation] = generation;
  header[words.capacityBytes] = capacityBytes;
  header[words.firstPosition] = ring.firstPosition;
  header[words.firstSequence] = ring.firstSequence;
  header[words.writerSlot] = ring.writerSlot;
  header[words.writerPid] = ring.writerPid;
  header[words.halfTurns] = ring.firstPosition >>> 31;
  header[words.tailIntent] = ring.firstPosition;
  header[words.tail] = ring.firstPosition;
  header[words.nextSequence] = ring.firstSequence;
  header[words.pictureSequence] = ring.firstSequence;
  Atomics.store(header, words.magic, RING_MAGIC);
  return memory;
}

/**
 * @throws SrsError RingCorrupt when the region does not hold the ring of that generation
 * @throws SrsError SharedMemory when the region lies outside of the arena
 */
export function openRingMemory(arena: Arena, region: Region, generation: number): RingMemory {
  const largest = capacityWithin(region.sizeBytes);
  if (largest === undefined) {
    throw new SrsError('RingCorrupt', `region of ${region.sizeBytes} bytes at ${region.offset} cannot hold a ring`);
  }
  const bytes = arena.region(region.offset, RECORDS_OFFSET);
  const header = wordsOf(bytes);
  const where = `ring at ${region.offset}`;
  const magic = Atomics.load(header, words.magic);
  if (magic !== RING_MAGIC) {
    throw new SrsError('RingCorrupt', `${where}: mark 0x${(magic >>> 0).toString(16)} must be 0x${RING_MAGIC.toString(16)}`);
  }
  const version = Atomics.load(header, words.layoutVersion);
  if (version !== LAYOUT_VERSION) {
    throw new SrsError('RingCorrupt', `${where}: layout version ${version} must be ${LAYOUT_VERSION}`);
  }
  const found = Atomics.load(header, words.generation);
  if (found !== generation) throw new SrsError('RingCorrupt', `${where}: generation ${found} must be ${generation}`);
  const capacityBytes = Atomics.load(header, words.capacityBytes);
  if (!isCapacity(capacityBytes) || capacityBytes > largest) {
    throw new SrsError('RingCorrupt', `${where}: capacity ${capacityBytes} must be a power of two up to ${largest}`);
  }
  return mapRing(arena, region, generation, capacityBytes);
}

function mapRing(arena: Arena, region: Region, generation: number, capacityBytes: number): RingMemory {
  const bytes = arena.region(region.offset, ringBytes(capacityBytes));
  return {
    region,
    generation,
    capacityBytes,
    maxPayloadBytes: maxPayloadBytes(capacityBytes),
    bytes,
    words: wordsOf(bytes),
    records: bytes.subarray(RECORDS_OFFSET),
    recordsWord: RECORDS_OFFSET / 4,
  };
}

function wordsOf(bytes: Buffer): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

/**
 * Marks the end of a ring whose writer is dead; for the owner of the region. Readers still get everything that was
 * published; a record the writer was in is never seen. The first reason given stays.
 * @param onArmed is told the slots that sleep on this ring, so that they can be woken
 * @returns false when the region holds another ring or none
 */
export function endRing(arena: Arena, region: Region, reason: EndReason, onArmed?: (slot: number) => void): boolean {
  let memory: RingMemory;
  try {
    memory = openRingMemory(arena, region, region.generation);
  } catch (thrown) {
    if (thrown instanceof SrsError && thrown.errorName === 'RingCorrupt') return false;
    throw thrown;
  }
  Atomics.compareExchange(memory.words, words.end, 0, reason);
  if (onArmed !== undefined) takeArmed(memory.words, onArmed);
  return true;
}

/** Calls back once for each armed slot and disarms it. Hot path: two loads when nobody sleeps. */
export function takeArmed(header: Int32Array, callback: (slot: number) => void): void {
  for (let word = 0; word < 2; word++) {
    if (Atomics.load(header, words.armed + word) === 0) continue;
    let bits = Atomics.exchange(header, words.armed + word, 0);
    while (bits !== 0) {
      const lowest = bits & -bits;
      bits ^= lowest;
      callback(word * 32 + 31 - Math.clz32(lowest));
    }
  }
}

/** An end word as a reason; whatever else stands there means that the memory is not this ring's any more. */
export function endReasonOf(word: number): EndReason | 0 {
  if (word === 0 || word === ringEndReasons.finished || word === ringEndReasons.moved || word === ringEndReasons.writerDied)
    return word;
  return ringEndReasons.gone;
}
