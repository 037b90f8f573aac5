/** Collects a known number of bytes from pieces of any size, reserving memory only for what has come. */

const FIRST_RESERVE_BYTES = 4096;
/** A buffer that one large tag made grow is given back. */
const KEPT_RESERVE_BYTES = 1024 * 1024;

/**
 * Gathers `need` bytes. When they lie in one piece they are given as a view of it and nothing is copied; else they are put
 * together in a buffer that the next gathering uses again.
 */
export class ByteGatherer {
  #buffer = Buffer.alloc(0);
  #gathered = 0;

  /** Bytes that were taken and not yet given. */
  get gatheredBytes(): number {
    return this.#gathered;
  }

  /**
   * Takes from `piece` what is missing.
   *
   * @param offset where the bytes of `piece` that are not yet used begin; `need - gatheredBytes` of them are used, or all
   * @returns the `need` bytes, valid until the next call, or undefined when more pieces are needed
   */
  gather(piece: Buffer, offset: number, need: number): Buffer | undefined {
    const missing = need - this.#gathered;
    const available = piece.length - offset;
    if (this.#gathered === 0 && available >= need) return piece.subarray(offset, offset + need);
    const count = Math.min(missing, available);
    this.#reserve(this.#gathered + count, need);
    piece.copy(this.#buffer, this.#gathered, offset, offset + count);
    this.#gathered += count;
    if (this.#gathered < need) return undefined;
    this.#gathered = 0;
    const bytes = this.#buffer.subarray(0, need);
    if (this.#buffer.length > KEPT_RESERVE_BYTES) this.#buffer = Buffer.alloc(0);
    return bytes;
  }

  /** Doubles, so that `need` bytes that never come reserve no more than twice what did. */
  #reserve(bytes: number, need: number): void {
    if (bytes <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(bytes, Math.min(need, Math.max(FIRST_RESERVE_BYTES, this.#buffer.length * 2))));
    this.#buffer.copy(grown, 0, 0, this.#gathered);
    this.#buffer = grown;
  }
}
