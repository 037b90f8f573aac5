/** The samples of one track for the fragment that is being collected. */

const FIRST_RESERVE_BYTES = 16 * 1024;
/** Room above what the last fragment needed that is kept. */
const SPARE_BYTES = 64 * 1024;

export interface Sample {
  /** Ticks of the track's time scale. */
  readonly dts: number;
  /** PTS minus DTS. */
  readonly compositionOffset: number;
  readonly isSync: boolean;
  /** Ticks by the codec, 0 when only the next sample tells. */
  readonly ticks: number;
}

/** Keeps the bytes in one buffer that grows, and is used again for the next fragment. */
export class SampleStore {
  readonly #samples: Sample[] = [];
  readonly #sizes: number[] = [];
  #bytes = Buffer.alloc(0);
  #used = 0;
  /** What the last fragment took, and the next will about need. */
  #usual = FIRST_RESERVE_BYTES;

  get count(): number {
    return this.#samples.length;
  }

  /** A view of the bytes of all samples, valid until the next `add`. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#used);
  }

  get samples(): readonly Sample[] {
    return this.#samples;
  }

  get sizes(): readonly number[] {
    return this.#sizes;
  }

  /** @param data copied */
  add(sample: Sample, data: Buffer): void {
    this.#reserve(this.#used + data.length);
    data.copy(this.#bytes, this.#used);
    this.#used += data.length;
    this.#samples.push(sample);
    this.#sizes.push(data.length);
  }

  clear(): void {
    this.#usual = Math.max(FIRST_RESERVE_BYTES, this.#used);
    if (this.#bytes.length > 2 * this.#usual + SPARE_BYTES) this.#bytes = Buffer.alloc(0);
    this.#used = 0;
    this.#samples.length = 0;
    this.#sizes.length = 0;
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(bytes, this.#usual, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#used);
    this.#bytes = grown;
  }
}
