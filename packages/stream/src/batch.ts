/** A contiguous run of encoded bytes that many sockets are given at once. */
import { addressOf } from '@srs/native';

const SLAB_BYTES = 256 * 1024;

/** Bytes for sockets, and where they lie: what is sent to thousands is looked up once. */
export interface EncodedBytes {
  readonly bytes: Buffer;
  /** Of the first byte in memory; right as long as `bytes` is referenced. */
  readonly address: number;
}

/**
 * Appends to a slab and hands out what has been appended since the last `take`. Sockets may keep the bytes they were given, so a
 * slab is written only once and then left to the garbage collector, unless the owner knows that every byte has been taken.
 */
export class Batch {
  #slab: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #address: number = addressOf(this.#slab);
  #start = 0;
  #end = 0;

  /** Bytes appended and not taken yet. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** Room for `sizeBytes` at `offset` of `slab`; write there, then `commit`. Hot path: allocates only when the slab is full. */
  reserve(sizeBytes: number): number {
    if (this.#end + sizeBytes > this.#slab.length) this.#renew(sizeBytes);
    return this.#end;
  }

  get slab(): Buffer {
    return this.#slab;
  }

  commit(sizeBytes: number): void {
    this.#end += sizeBytes;
  }

  /** Forgets what was appended after `length`: the last record turned out to be torn. */
  truncate(length: number): void {
    this.#end = this.#start + length;
  }

  take(): EncodedBytes {
    const taken = { bytes: this.#slab.subarray(this.#start, this.#end), address: this.#address + this.#start };
    this.#start = this.#end;
    return taken;
  }

  /** The bytes of the last `take` are in the kernel and nobody holds them: their place is used again. */
  reuse({ bytes, address }: EncodedBytes): void {
    const isLast = bytes.buffer === this.#slab.buffer && address + bytes.length === this.#address + this.#start;
    if (!isLast || this.length > 0) return;
    this.#start -= bytes.length;
    this.#end = this.#start;
  }

  #renew(sizeBytes: number): void {
    const pending = this.#slab.subarray(this.#start, this.#end);
    // Twice what is needed: a batch that keeps growing is copied a few times, not once per frame.
    this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, 2 * (pending.length + sizeBytes)));
    this.#address = addressOf(this.#slab);
    pending.copy(this.#slab);
    this.#start = 0;
    this.#end = pending.length;
  }
}
