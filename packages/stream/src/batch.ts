/** A contiguous run of encoded bytes that many sockets are given at once. */

const SLAB_BYTES = 256 * 1024;

/**
 * Appends to a slab and hands out what has been appended since the last `take`. Sockets may keep the bytes they were given, so a
 * slab is written only once and then left to the garbage collector, unless the owner knows that every byte has been taken.
 */
export class Batch {
  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
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

  take(): Buffer {
    const taken = this.#slab.subarray(this.#start, this.#end);
    this.#start = this.#end;
    return taken;
  }

  /** The bytes of the last `take` are in the kernel and nobody holds them: their place is used again. */
  reuse(taken: Buffer): void {
    const isLast = taken.buffer === this.#slab.buffer && taken.byteOffset - this.#slab.byteOffset + taken.length === this.#start;
    if (!isLast || this.length > 0) return;
    this.#start -= taken.length;
    this.#end = this.#start;
  }

  #renew(sizeBytes: number): void {
    const pending = this.#slab.subarray(this.#start, this.#end);
    // Twice what is needed: a batch that keeps growing is copied a few times, not once per frame.
    this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, 2 * (pending.length + sizeBytes)));
    pending.copy(this.#slab);
    this.#start = 0;
    this.#end = pending.length;
  }
}
