/** A few counters that every process of a server reads and writes at any time, without asking anybody. */
import { randomInt } from 'node:crypto';
import { AddressTable, addressTableBytes, ViewerTable, viewerTableBytes } from '@srs/access';
import { COUNTER_WORDS, readCounters, type SlotCounters } from '@srs/control';

/** Slots of one server: back-sources first, then stream workers, then those for HTTP. */
export const MAX_SLOTS = 64;

/**
 * ```
 * word 0      next trackable id
 * word 1..15  free
 * word 16 + slot * 16 + 0   open client connections of the slot
 * byte 8192 + slot * 1024   what the slot has counted so far: doubles, see `Counters`
 * byte 8192 + 64 * 1024     who has connected from where, see `AddressTable`: large, and memory only where it has been written
 * behind it                 who watches HLS, see `ViewerTable`: the same
 * ```
 * A double that lies on a multiple of 8 is never seen half written.
 */
const HEADER_WORDS = 16;
const WORDS_PER_SLOT = 16;
const NEXT_CID = 0;
const CONNECTIONS = 0;

const FIRST_CLIENT_CID = 200;

const COUNTERS_OFFSET = 8192;
const COUNTER_BYTES_PER_SLOT = 1024;
if (COUNTER_WORDS * Float64Array.BYTES_PER_ELEMENT > COUNTER_BYTES_PER_SLOT) throw new Error('a slot has too many counters');

const ADDRESSES_OFFSET = COUNTERS_OFFSET + MAX_SLOTS * COUNTER_BYTES_PER_SLOT;
const VIEWERS_OFFSET = ADDRESSES_OFFSET + addressTableBytes(MAX_SLOTS);
export const STATUS_BOARD_BYTES = VIEWERS_OFFSET + viewerTableBytes();

export class StatusBoard {
  /** Client connections by address, of all slots. */
  readonly addresses: AddressTable;
  /** Viewers of HLS, of all slots. */
  readonly viewers: ViewerTable;
  readonly #words: Int32Array;
  readonly #counters: readonly Float64Array[];
  readonly #slot: number;

  /**
   * @param memory shared by all processes, zero at first, STATUS_BOARD_BYTES long
   * @param slot whose counters this process may write
   */
  constructor(memory: Buffer, slot: number) {
    this.#words = new Int32Array(memory.buffer, memory.byteOffset, HEADER_WORDS + MAX_SLOTS * WORDS_PER_SLOT);
    this.#counters = Array.from({ length: MAX_SLOTS }, (_, index) => {
      const offset = memory.byteOffset + COUNTERS_OFFSET + index * COUNTER_BYTES_PER_SLOT;
      return new Float64Array(memory.buffer, offset, COUNTER_WORDS);
    });
    this.addresses = new AddressTable(memory.subarray(ADDRESSES_OFFSET, VIEWERS_OFFSET), {
      slots: MAX_SLOTS,
      slot,
      seed: randomInt(2 ** 31),
    });
    this.viewers = new ViewerTable(memory.subarray(VIEWERS_OFFSET), slot);
    this.#slot = slot;
    Atomics.compareExchange(this.#words, NEXT_CID, 0, FIRST_CLIENT_CID);
  }

  /** A trackable id that no other process of this server gives out. */
  nextCid(): number {
    return Atomics.add(this.#words, NEXT_CID, 1);
  }

  /** Client connections of all slots. */
  connectionCount(): number {
    let sum = 0;
    for (let slot = 0; slot < MAX_SLOTS; slot += 1) sum += this.connectionsOf(slot);
    return sum;
  }

  connectionsOf(slot: number): number {
    return Atomics.load(this.#words, this.#index(slot, CONNECTIONS));
  }

  /** Where this slot's process counts. They outlive it: its successor goes on from what it finds. */
  get ownCounters(): Float64Array {
    return this.#counters[this.#slot]!;
  }

  /** Of every slot, also when its process is dead or hangs. */
  counters(): readonly SlotCounters[] {
    return this.#counters.map((words, slot) => ({ slot, ...readCounters(words) }));
  }

  /** Counts a new client connection unless the server is full. Two workers that count at once may both refuse the last place. */
  claimConnection(maxConnections: number): boolean {
    const index = this.#index(this.#slot, CONNECTIONS);
    Atomics.add(this.#words, index, 1);
    if (this.connectionCount() <= maxConnections) return true;
    Atomics.sub(this.#words, index, 1);
    return false;
  }

  releaseConnection(): void {
    Atomics.sub(this.#words, this.#index(this.#slot, CONNECTIONS), 1);
  }

  /** The master, when the process of a slot is dead. */
  clearSlot(slot: number): void {
    Atomics.store(this.#words, this.#index(slot, CONNECTIONS), 0);
    this.addresses.clearSlot(slot);
    this.viewers.clearSlot(slot);
  }

  #index(slot: number, counter: number): number {
    return HEADER_WORDS + slot * WORDS_PER_SLOT + counter;
  }
}
