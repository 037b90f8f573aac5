/** Bits of a decoder configuration, most significant first, never past the end. */
import { type ErrorName, SrsError } from '@srs/kernel';

/** An Exp-Golomb code longer than this does not fit 32 bits. */
const MAX_LEADING_ZEROS = 31;

export class BitReader {
  readonly #bytes: Uint8Array;
  readonly #error: ErrorName;
  readonly #what: string;
  #position = 0;

  /** @param what the thing that is read, for messages */
  constructor(bytes: Uint8Array, error: ErrorName, what: string) {
    this.#bytes = bytes;
    this.#error = error;
    this.#what = what;
  }

  get remaining(): number {
    return this.#bytes.length * 8 - this.#position;
  }

  skip(count: number): void {
    if (count > this.remaining) {
      throw new SrsError(this.#error, `${this.#what} of ${this.#bytes.length} bytes ends within a field of ${count} bits`);
    }
    this.#position += count;
  }

  flag(): boolean {
    return this.bits(1) === 1;
  }

  /** @param count 0..32 */
  bits(count: number): number {
    let position = this.#position;
    this.skip(count);
    let value = 0;
    while (position < this.#position) {
      const bitsLeft = 8 - (position & 7);
      const take = Math.min(bitsLeft, this.#position - position);
      const part = (this.#bytes[position >>> 3]! >>> (bitsLeft - take)) & ((1 << take) - 1);
      value = value * 2 ** take + part;
      position += take;
    }
    return value;
  }

  /** Unsigned Exp-Golomb, `ue(v)` (H.264 9.1), 0..2^32-2. */
  ue(): number {
    let zeros = 0;
    while (!this.flag()) {
      zeros += 1;
      if (zeros > MAX_LEADING_ZEROS) {
        throw new SrsError(this.#error, `${this.#what} has an Exp-Golomb code of more than ${MAX_LEADING_ZEROS} leading zeros`);
      }
    }
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** `ue(v)` that must not exceed `max`: a count about to be looped over, or an index. */
  ueUpTo(max: number, field: string): number {
    const value = this.ue();
    if (value > max) throw new SrsError(this.#error, `${this.#what} ${field} ${value} must be 0..${max}`);
    return value;
  }

  /** Signed Exp-Golomb, `se(v)` (H.264 9.1.1). */
  se(): number {
    const code = this.ue();
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
  }
}

/** NAL unit bytes without the 03 of each 00 00 03 (H.264 7.4.1, "emulation prevention"). */
export function withoutEmulationPrevention(nalUnit: Uint8Array): Uint8Array {
  if (!hasEmulationPrevention(nalUnit)) return nalUnit;
  const plain = new Uint8Array(nalUnit.length);
  let size = 0;
  let zeros = 0;
  for (const byte of nalUnit) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    plain[size] = byte;
    size += 1;
  }
  return plain.subarray(0, size);
}

function hasEmulationPrevention(nalUnit: Uint8Array): boolean {
  for (let i = 2; i < nalUnit.length; i++) {
    if (nalUnit[i] === 3 && nalUnit[i - 1] === 0 && nalUnit[i - 2] === 0) return true;
  }
  return false;
}

/** What `read` gives, or undefined when the bytes end too early: for facts that are hints, and no reason to refuse a stream. */
export function readHint<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SrsError) return undefined;
    throw error;
  }
}
