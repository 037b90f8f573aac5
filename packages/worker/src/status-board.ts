/** A few counters that every process of a server reads and writes at any time, without asking anybody. */

/** Slots of one server: back-sources first, then stream workers. */
export const MAX_SLOTS = 64;

/**
 * ```
 * word 0      next trackable id
 * word 1..15  free
 * word 16 + slot * 16 + 0   open client connections of the slot
 * ```
 */
const HEADER_WORDS = 16;
const WORDS_PER_SLOT = 16;
const NEXT_CID = 0;
const CONNECTIONS = 0;

const FIRST_CLIENT_CID = 200;

export const STATUS_BOARD_BYTES = 8192;

export class StatusBoard {
  readonly #words: Int32Array;
  readonly #slot: number;

  /**
   * @param memory shared by all processes, zero at first, STATUS_BOARD_BYTES long
   * @param slot whose counters this process may write
   */
  constructor(memory: Buffer, slot: number) {
    this.#words = new Int32Array(memory.buffer, memory.byteOffset, HEADER_WORDS + MAX_SLOTS * WORDS_PER_SLOT);
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
    for (let slot = 0; slot < MAX_SLOTS; slot += 1) sum += Atomics.load(this.#words, this.#index(slot, CONNECTIONS));
    return sum;
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
  }

  #index(slot: number, counter: number): number {
    return HEADER_WORDS + slot * WORDS_PER_SLOT + counter;
  }
}
