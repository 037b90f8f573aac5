/** Counts per client address, in memory that all processes of a server share. No process waits for another one. */
import type { AddressWords } from './address.ts';

/*
 * The memory, in words of 32 bits:
 *
 *   0              seed of the hash
 *   1..15          free
 *   16 + slot      1 while a process of that slot counts here
 *   1024 + (slot * entries + entry) * 8
 *
 *   an entry:  +0 address, high word     +4 players
 *              +1 address, low word      +5 a second, of 32 bits of Unix time
 *              +2 connections            +6 connections opened in that second
 *              +3 publishers             +7 connections opened in the second before
 *
 * A slot's entries are written by its own process only, and read by all: the count of an address is the sum over the slots. Whoever
 * counts adds first and sums up afterwards, so of two that add at once at least one sees both, and no limit is ever passed.
 */
const SEED = 0;
const SLOT_FLAGS = 16;
const HEADER_WORDS = 1024;
const MAX_SLOTS = HEADER_WORDS - SLOT_FLAGS;
const ENTRY_WORDS = 8;
const LOW = 1;
const SECOND = 5;
const OPENED = 6;
const OPENED_BEFORE = 7;
const WORD_BYTES = 4;

/** Addresses of one process that have a place at the same time, nearly: at three quarters of it, one of ten thousand finds none. */
const DEFAULT_ENTRIES = 2 ** 16;
const MAX_PROBES = 32;
/** Nothing is missing from the sum over two seconds when an entry is older. */
const STALE_SECONDS = 2;

/** What is counted for an address, as the place in its entry. */
const counters = { connections: 2, publishers: 3, players: 4 } as const;
export type Counter = keyof typeof counters;

/** @param entries addresses that each process can count, a power of two */
export function addressTableBytes(slots: number, entries: number = DEFAULT_ENTRIES): number {
  return (HEADER_WORDS + slots * entries * ENTRY_WORDS) * WORD_BYTES;
}

export interface AddressTableOptions {
  /** As many as the memory was made for. */
  readonly slots: number;
  /** Whose entries this process writes. */
  readonly slot: number;
  /** Random: whoever comes first gives the seed, so that nobody outside knows which addresses get in each other's way. */
  readonly seed: number;
}

export class AddressTable {
  readonly #words: Int32Array;
  readonly #slots: number;
  readonly #slot: number;
  readonly #entries: number;

  /** @param memory shared by all processes, zero at first, `addressTableBytes` long */
  constructor(memory: Buffer, { slots, slot, seed }: AddressTableOptions) {
    if (slots < 1 || slots > MAX_SLOTS || slot < 0 || slot >= slots) {
      throw new RangeError(`slot ${slot} of ${slots} must be 0..${MAX_SLOTS - 1}`);
    }
    this.#words = new Int32Array(memory.buffer, memory.byteOffset, memory.byteLength / WORD_BYTES);
    this.#slots = slots;
    this.#slot = slot;
    this.#entries = (this.#words.length - HEADER_WORDS) / ENTRY_WORDS / slots;
    if (!Number.isInteger(Math.log2(this.#entries))) {
      throw new RangeError(`memory of ${memory.byteLength} bytes must be a table for ${slots} slots`);
    }
    Atomics.compareExchange(this.#words, SEED, 0, seed | 1);
  }

  /**
   * The entry of an address in this process's part, made when there is none.
   * @param second Unix time
   * @returns -1 when there is no room
   */
  claim(address: AddressWords, second: number): number {
    const { high, low } = keyOf(address);
    let free = -1;
    for (const at of this.#probes(this.#slot, high, low)) {
      if (this.#isKey(at, high, low)) return at;
      const isNew = this.#isNew(at);
      if (free < 0 && (isNew || this.#isDead(at, second))) free = at;
      if (isNew) break;
    }
    if (free < 0) return -1;
    Atomics.store(this.#words, SLOT_FLAGS + this.#slot, 1);
    const words = this.#words;
    for (let word = 2; word < ENTRY_WORDS; word += 1) Atomics.store(words, free + word, 0);
    Atomics.store(words, free, high);
    Atomics.store(words, free + LOW, low);
    return free;
  }

  /** Counts one more. @param limit 0 for none @returns false when there would be more than `limit` over all processes */
  add(entry: number, counter: Counter, limit: number): boolean {
    Atomics.add(this.#words, entry + counters[counter], 1);
    if (limit === 0 || this.count(entry, counter) <= limit) return true;
    this.subtract(entry, counter);
    return false;
  }

  subtract(entry: number, counter: Counter): void {
    Atomics.sub(this.#words, entry + counters[counter], 1);
  }

  /** Over all processes, of the address of an entry of this one. */
  count(entry: number, counter: Counter): number {
    let sum = 0;
    for (const at of this.#entriesLike(entry)) sum += this.#read(entry, at, counters[counter]);
    return sum;
  }

  /**
   * Counts one connection that is being opened. A second slides: of the one before, as much counts as lies within the last 1000 ms.
   * @param unixMs the same clock in all processes
   * @param limit 0 for none @returns false when `limit` were passed; it is not counted then
   */
  addOpened(entry: number, unixMs: number, limit: number): boolean {
    const second = Math.floor(unixMs / 1000) | 0;
    this.#turnTo(entry, second);
    Atomics.add(this.#words, entry + OPENED, 1);
    if (limit === 0) return true;
    const past = (unixMs % 1000) / 1000;
    let sum = 0;
    for (const at of this.#entriesLike(entry)) {
      const { now, before } = this.#openedIn(entry, at, second);
      sum += now + before * (1 - past);
    }
    if (sum <= limit) return true;
    Atomics.sub(this.#words, entry + OPENED, 1);
    return false;
  }

  /** The process of a slot is dead: what it counted is no more. */
  clearSlot(slot: number): void {
    if (Atomics.exchange(this.#words, SLOT_FLAGS + slot, 0) === 0) return;
    const start = this.#startOf(slot);
    this.#words.fill(0, start, start + this.#entries * ENTRY_WORDS);
  }

  /** The own entry, and those of the same address in the parts of others. */
  *#entriesLike(entry: number): Generator<number> {
    yield entry;
    const high = Atomics.load(this.#words, entry);
    const low = Atomics.load(this.#words, entry + LOW);
    for (let slot = 0; slot < this.#slots; slot += 1) {
      // A part that nobody counts in is not looked at: reading would make it memory.
      if (slot === this.#slot || Atomics.load(this.#words, SLOT_FLAGS + slot) === 0) continue;
      for (const at of this.#probes(slot, high, low)) {
        if (this.#isKey(at, high, low)) {
          yield at;
          break;
        }
        if (this.#isNew(at)) break;
      }
    }
  }

  /** A word of somebody's entry; 0 when it has become another address's meanwhile. */
  #read(own: number, at: number, word: number): number {
    const value = Atomics.load(this.#words, at + word);
    return this.#isKey(at, Atomics.load(this.#words, own), Atomics.load(this.#words, own + LOW)) ? value : 0;
  }

  #openedIn(own: number, at: number, second: number): { readonly now: number; readonly before: number } {
    const ageSeconds = (second - this.#read(own, at, SECOND)) | 0;
    const opened = this.#read(own, at, OPENED);
    const openedBefore = this.#read(own, at, OPENED_BEFORE);
    switch (ageSeconds) {
      // The other process has seen the next second begin already.
      case -1:
        return { now: openedBefore, before: 0 };
      case 0:
        return { now: opened, before: openedBefore };
      case 1:
        return { now: 0, before: opened };
      default:
        return { now: 0, before: 0 };
    }
  }

  #turnTo(entry: number, second: number): void {
    const ageSeconds = (second - Atomics.load(this.#words, entry + SECOND)) | 0;
    if (ageSeconds === 0) return;
    const opened = Atomics.load(this.#words, entry + OPENED);
    Atomics.store(this.#words, entry + OPENED_BEFORE, ageSeconds === 1 ? opened : 0);
    Atomics.store(this.#words, entry + OPENED, 0);
    Atomics.store(this.#words, entry + SECOND, second);
  }

  /**
   * Where an address may stand, in the order to look. Steps differ from address to address, so that neighbours do not heap up. An
   * entry is never new again, so whoever comes to a new one has seen all.
   */
  *#probes(slot: number, high: number, low: number): Generator<number> {
    const mask = this.#entries - 1;
    const hash = mix(mix(Atomics.load(this.#words, SEED) ^ high) ^ low);
    const step = mix(hash) | 1;
    for (let probe = 0; probe < MAX_PROBES; probe += 1) {
      yield this.#startOf(slot) + ((hash + Math.imul(probe, step)) & mask) * ENTRY_WORDS;
    }
  }

  #startOf(slot: number): number {
    return HEADER_WORDS + slot * this.#entries * ENTRY_WORDS;
  }

  #isKey(at: number, high: number, low: number): boolean {
    return Atomics.load(this.#words, at) === high && Atomics.load(this.#words, at + LOW) === low;
  }

  /** Never used by anybody. */
  #isNew(at: number): boolean {
    return this.#isKey(at, 0, 0);
  }

  /** Of an address that has no connection, and opened none lately. */
  #isDead(at: number, second: number): boolean {
    if (Atomics.load(this.#words, at + counters.connections) > 0) return false;
    return Math.abs((second - Atomics.load(this.#words, at + SECOND)) | 0) > STALE_SECONDS;
  }
}

/**
 * Two words for an address: an IPv4 address is itself, an IPv6 address its network of 64 bits, which is what one customer has.
 * Networks under 0:: are nobody's, so 1 in front tells IPv4 apart, and 2 the one that ::1 is in; 0, 0 is a new entry.
 */
function keyOf(address: AddressWords): { readonly high: number; readonly low: number } {
  if (address.length === 1) return { high: 1, low: address[0] | 0 };
  const [high, low] = address;
  return high === 0 && low === 0 ? { high: 2, low: 0 } : { high: high | 0, low: low | 0 };
}

/** Every bit of the word depends on every bit of the given one (MurmurHash3's finalizer). */
function mix(word: number): number {
  let mixed = word;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) | 0;
}
