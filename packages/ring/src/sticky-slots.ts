/** What every joiner needs whatever was overwritten: metadata and sequence headers, each under a sequence lock. */
import { SrsError } from '@srs/kernel';
import { MAX_RECORD_FLAGS, MAX_RECORD_TYPE, STICKY_SLOTS, stickyBytes, stickyOffset, stickyWords, words } from './layout.ts';
import type { RingMemory } from './ring-memory.ts';

/*
 * A slot has two halves and the updates alternate between them, so that a reader always finds a complete one, even when the
 * writer was stopped or killed within an update: update n goes to half n & 1, first `intent` is set to n, then the half is
 * written, then `published` is set to n. A reader that copied update n is right unless the intent has reached n + 2.
 */

export interface StickyRecord {
  readonly type: number;
  readonly flags: number;
  readonly timestampMs: number;
  /** A copy; the caller owns it. */
  readonly payload: Buffer;
  /** Changes with every update of the slot. */
  readonly version: number;
}

const EMPTY_KIND = 0;
/** More updates than this during as many copies cannot happen by chance. */
const MAX_ATTEMPTS = 1000;

/** @returns false when the payload, type or flags are too large for the slot */
export function writeSticky(
  memory: RingMemory,
  slot: number,
  type: number,
  flags: number,
  timestampMs: number,
  payload: Uint8Array,
): boolean {
  checkSlot(slot);
  if (payload.length > stickyBytes(slot) || type < 1 || type > MAX_RECORD_TYPE || flags >>> 0 > MAX_RECORD_FLAGS) return false;
  publish(memory, slot, type | (flags << 8), timestampMs, payload);
  return true;
}

const NOTHING = new Uint8Array(0);

export function clearSticky(memory: RingMemory, slot: number): void {
  checkSlot(slot);
  if (stickyVersion(memory, slot) !== 0) publish(memory, slot, EMPTY_KIND, 0, NOTHING);
}

function publish(memory: RingMemory, slot: number, kind: number, timestampMs: number, payload: Uint8Array): void {
  const header = memory.words;
  const group = groupOf(slot);
  const update = nextUpdate(Atomics.load(header, group + stickyWords.published));
  Atomics.store(header, group + stickyWords.intent, update);
  // On arm64 later stores could pass the store above; the load behind it keeps them back.
  Atomics.load(header, group + stickyWords.intent);
  const half = update & 1;
  const fields = group + stickyWords.halves + half * stickyWords.halfStride;
  header[fields] = kind;
  header[fields + 1] = timestampMs;
  header[fields + 2] = payload.length;
  memory.bytes.set(payload, stickyOffset(slot) + half * stickyBytes(slot));
  Atomics.store(header, group + stickyWords.published, update);
}

/** 0 is kept for a slot that was never written; 2 after 2^32 - 1 keeps the alternation. */
function nextUpdate(update: number): number {
  const next = (update + 1) | 0;
  return next === 0 ? 2 : next;
}

const fence = new Int32Array(1);

/**
 * @returns undefined when nothing is in the slot
 * @throws SrsError RingCorrupt
 */
export function readSticky(memory: RingMemory, slot: number): StickyRecord | undefined {
  checkSlot(slot);
  const header = memory.words;
  const group = groupOf(slot);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const version = Atomics.load(header, group + stickyWords.published);
    if (version === 0) return undefined;
    const half = version & 1;
    const fields = group + stickyWords.halves + half * stickyWords.halfStride;
    const kind = header[fields]!;
    const timestampMs = header[fields + 1]!;
    const length = header[fields + 2]! >>> 0;
    const isPossible = length <= stickyBytes(slot);
    const start = stickyOffset(slot) + half * stickyBytes(slot);
    const payload = isPossible ? Buffer.from(memory.bytes.subarray(start, start + length)) : undefined;
    Atomics.add(fence, 0, 0);
    const intent = Atomics.load(header, group + stickyWords.intent);
    if (Atomics.load(header, words.generation) !== memory.generation) return undefined;
    if (intent !== version && intent !== nextUpdate(version)) continue;
    if (payload === undefined) {
      throw new SrsError('RingCorrupt', `sticky slot ${slot}: length ${length} must be up to ${stickyBytes(slot)}`);
    }
    if (kind === EMPTY_KIND) return undefined;
    return { type: kind & MAX_RECORD_TYPE, flags: kind >>> 8, timestampMs: timestampMs >>> 0, payload, version };
  }
  throw new SrsError('RingCorrupt', `sticky slot ${slot}: no stable content in ${MAX_ATTEMPTS} attempts`);
}

export function stickyVersion(memory: RingMemory, slot: number): number {
  checkSlot(slot);
  return Atomics.load(memory.words, groupOf(slot) + stickyWords.published);
}

function groupOf(slot: number): number {
  return words.sticky + slot * stickyWords.stride;
}

function checkSlot(slot: number): void {
  if (!(slot >= 0 && slot < STICKY_SLOTS)) throw new RangeError(`sticky slot ${slot} must be 0..${STICKY_SLOTS - 1}`);
}
