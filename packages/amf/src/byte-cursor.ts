/** A position in bytes that refuses to read past their end. */
import { type ErrorName, SrsError } from '@srs/kernel';

export class ByteCursor {
  readonly bytes: Buffer;
  readonly #error: ErrorName;
  #offset: number;

  constructor(bytes: Buffer, offset: number, error: ErrorName) {
    this.bytes = bytes;
    this.#offset = offset;
    this.#error = error;
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.bytes.length - this.#offset;
  }

  /** @returns the offset of the bytes taken */
  take(count: number, what: string): number {
    if (count > this.remaining) {
      throw new SrsError(this.#error, `amf ${what} needs ${count} bytes at ${this.#offset}, ${this.remaining} are left`);
    }
    const offset = this.#offset;
    this.#offset += count;
    return offset;
  }

  skipTo(offset: number): void {
    this.#offset = offset;
  }

  u8(what: string): number {
    return this.bytes[this.take(1, what)]!;
  }

  u16(what: string): number {
    return this.bytes.readUInt16BE(this.take(2, what));
  }

  i16(what: string): number {
    return this.bytes.readInt16BE(this.take(2, what));
  }

  u32(what: string): number {
    return this.bytes.readUInt32BE(this.take(4, what));
  }

  i32(what: string): number {
    return this.bytes.readInt32BE(this.take(4, what));
  }

  double(what: string): number {
    return this.bytes.readDoubleBE(this.take(8, what));
  }

  /** Bytes that are no UTF-8 become U+FFFD: a bad character in a title is no reason to drop a publisher. */
  utf8(count: number, what: string): string {
    const offset = this.take(count, what);
    return this.bytes.toString('utf8', offset, offset + count);
  }
}
