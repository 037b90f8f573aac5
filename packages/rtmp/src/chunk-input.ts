/** The bytes a chunk reader works on: the input of the moment, a header that lies across two inputs, and what must wait. */
import { SrsError } from '@srs/kernel';
import { ByteQueue } from './byte-queue.ts';

const NO_BYTES: Buffer = Buffer.alloc(0);
/** No header has a part longer than this: the message header of fmt 0. */
const CARRY_BYTES = 11;

/**
 * ```
 *            carry (at most 11)   bytes                     held
 *  earlier   +---------------+   +----------+------------+   +-------------+
 *  inputs    | of one header |   | read     | unread     |   | while paused|
 *            +---------------+   +----------+------------+   +-------------+
 *                                           at
 * ```
 */
export class ChunkInput {
  /** The input of the moment. It is the caller's, unless it had to be kept. */
  bytes: Buffer = NO_BYTES;
  /** How far `bytes` are read. */
  at = 0;
  /** Where `gather` put what it was asked for. */
  found: Buffer = NO_BYTES;
  foundAt = 0;
  #isOwn = false;
  /** Made when a header is first split, which for an idle player is never. */
  #carry = NO_BYTES;
  #carried = 0;
  readonly #held: ByteQueue;
  readonly #maxHeldBytes: number;

  constructor(maxHeldBytes: number) {
    this.#maxHeldBytes = maxHeldBytes;
    this.#held = new ByteQueue(maxHeldBytes);
  }

  get unreadBytes(): number {
    return this.bytes.length - this.at;
  }

  /** How many bytes of a split header are carried over. */
  get carriedBytes(): number {
    return this.#carried;
  }

  /** Works on `bytes`, which stay the caller's. All earlier ones are read. */
  open(bytes: Buffer): void {
    this.bytes = bytes;
    this.at = 0;
    this.#isOwn = false;
  }

  /** Goes on to what was held; false when nothing was. */
  openHeld(): boolean {
    if (this.#held.length === 0) return false;
    this.bytes = this.#held.takeAll();
    this.at = 0;
    this.#isOwn = true;
    return true;
  }

  /**
   * Lets go of the caller's input. What is unread is copied once, and read from that copy later.
   * @throws SrsError RtmpMemory when it is too much
   */
  keepRest(): void {
    this.found = NO_BYTES;
    if (this.unreadBytes === 0) {
      this.open(NO_BYTES);
    } else if (!this.#isOwn) {
      this.#assertHeld(this.unreadBytes + this.#held.length);
      this.bytes = Buffer.from(this.bytes.subarray(this.at));
      this.at = 0;
      this.#isOwn = true;
    }
  }

  /**
   * Copies bytes that must wait behind all others.
   * @param isReading the input of the moment is in work and not itself waiting
   * @throws SrsError RtmpMemory when it is too much
   */
  hold(bytes: Buffer, isReading: boolean): void {
    const waiting = isReading ? 0 : this.unreadBytes;
    this.#assertHeld(waiting + this.#held.length + bytes.length);
    this.#held.append(bytes);
  }

  /**
   * Finds the next `count` bytes in one piece, `found` at `foundAt`: in the input, or in the carry when they lie across two inputs.
   * False, with the bytes that are there carried over, when the input ends before.
   */
  gather(count: number): boolean {
    const unread = this.bytes.length - this.at;
    if (this.#carried === 0 && unread >= count) {
      this.found = this.bytes;
      this.foundAt = this.at;
      this.at += count;
      return true;
    }
    this.carryOver(Math.min(count - this.#carried, unread));
    if (this.#carried < count) return false;
    this.found = this.#carry;
    this.foundAt = 0;
    this.#carried = 0;
    return true;
  }

  /** Moves `count` bytes to the carry and returns all that is there now, at most four bytes, as a number. */
  carryOver(count: number): number {
    if (this.#carry === NO_BYTES) this.#carry = Buffer.alloc(CARRY_BYTES);
    this.bytes.copy(this.#carry, this.#carried, this.at, this.at + count);
    this.at += count;
    this.#carried += count;
    return this.#carried >= 1 && this.#carried <= 4 ? this.#carry.readUIntBE(0, this.#carried) : 0;
  }

  /** The carried bytes are read. */
  dropCarried(): void {
    this.#carried = 0;
  }

  /** Un-reads the last `count` bytes. Those of an earlier input are still in the carry; they go before the rest of this one. */
  putBack(count: number): void {
    this.#carried = 0;
    if (this.at >= count) {
      this.at -= count;
      return;
    }
    this.bytes = Buffer.concat([this.#carry.subarray(0, count - this.at), this.bytes]);
    this.at = 0;
    this.#isOwn = true;
  }

  #assertHeld(bytes: number): void {
    const max = this.#maxHeldBytes;
    if (bytes > max) throw new SrsError('RtmpMemory', `${bytes} bytes received before an answer must be at most ${max}`);
  }
}
