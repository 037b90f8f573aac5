/** Bytes that must wait: appended in pieces, taken all at once, never more than a limit. */

const MIN_CAPACITY_BYTES = 1024;

/** Grows by doubling, so that a peer who sends single bytes costs no more memory than one who sends them together. */
export class ByteQueue {
  readonly #maxBytes: number;
  #bytes: Buffer | undefined;
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#length;
  }

  /** Copies `bytes` to the end; false, and nothing is taken, when they do not fit under the limit. */
  append(bytes: Buffer): boolean {
    const length = this.#length + bytes.length;
    if (length > this.#maxBytes) return false;
    if (bytes.length === 0) return true;
    if (this.#bytes === undefined || this.#bytes.length < length) this.#grow(length);
    bytes.copy(this.#bytes as Buffer, this.#length);
    this.#length = length;
    return true;
  }

  /** Empties the queue; the bytes belong to the caller. */
  takeAll(): Buffer {
    const all = this.#bytes?.subarray(0, this.#length) ?? Buffer.alloc(0);
    this.#bytes = undefined;
    this.#length = 0;
    return all;
  }

  #grow(neededBytes: number): void {
    const doubled = Math.max(MIN_CAPACITY_BYTES, 2 * (this.#bytes?.length ?? 0));
    const grown = Buffer.allocUnsafeSlow(Math.max(neededBytes, Math.min(doubled, this.#maxBytes)));
    this.#bytes?.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}
