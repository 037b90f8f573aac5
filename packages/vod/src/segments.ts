/** Segments that were made: kept for those who come later, and shared by those who ask at the same time. */
import { SrsError } from '@srs/kernel';

export interface SegmentLimits {
  /** Of what is kept. */
  readonly keptBytes: number;
  /** Of what is being sent, when clients are slow, and of what is being made for others. */
  readonly heldBytes: number;
}

/** A segment that is in memory until it is released. */
export interface HeldSegment {
  readonly bytes: Bytes;
  /** Whoever holds it calls this when he has sent it. */
  release(): void;
}

type Bytes = Uint8Array<ArrayBuffer>;

export class VodSegments {
  readonly #limits: SegmentLimits;
  /** Those that were asked for last stand last. */
  readonly #kept = new Map<string, Bytes>();
  readonly #making = new Map<string, Promise<Bytes>>();
  /** How many are being sent each. */
  readonly #holders = new Map<Bytes, number>();
  #keptBytes = 0;
  #heldBytes = 0;
  #makingBytes = 0;

  constructor(limits: SegmentLimits) {
    this.#limits = limits;
  }

  get keptBytes(): number {
    return this.#keptBytes;
  }

  /**
   * @param expectedBytes how large it will be, about
   * @throws SrsError VodBusy when too much is being made and sent, or what `make` throws
   */
  async hold(key: string, expectedBytes: number, make: () => Promise<Bytes>): Promise<HeldSegment> {
    const bytes = this.#find(key) ?? (await this.#make(key, expectedBytes, make));
    const holders = this.#holders.get(bytes) ?? 0;
    if (holders === 0) this.#heldBytes += bytes.length;
    this.#holders.set(bytes, holders + 1);
    return { bytes, release: () => this.#release(bytes) };
  }

  #release(bytes: Bytes): void {
    const holders = (this.#holders.get(bytes) ?? 0) - 1;
    if (holders > 0) {
      this.#holders.set(bytes, holders);
    } else if (this.#holders.delete(bytes)) {
      this.#heldBytes -= bytes.length;
    }
  }

  #find(key: string): Bytes | undefined {
    const bytes = this.#kept.get(key);
    if (bytes === undefined) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, bytes);
    return bytes;
  }

  async #make(key: string, expectedBytes: number, make: () => Promise<Bytes>): Promise<Bytes> {
    const known = this.#making.get(key);
    if (known !== undefined) return await known;
    const usedBytes = this.#heldBytes + this.#makingBytes;
    // The first one is made whatever its size.
    if (usedBytes > 0 && usedBytes + expectedBytes > this.#limits.heldBytes) {
      throw new SrsError('VodBusy', 'too many clients are slow to take their segments');
    }
    this.#makingBytes += expectedBytes;
    const making = make()
      .then((bytes) => {
        this.#keep(key, bytes);
        return bytes;
      })
      .finally(() => {
        this.#making.delete(key);
        this.#makingBytes -= expectedBytes;
      });
    this.#making.set(key, making);
    return await making;
  }

  #keep(key: string, bytes: Bytes): void {
    if (bytes.length > this.#limits.keptBytes) return;
    this.#kept.set(key, bytes);
    this.#keptBytes += bytes.length;
    for (const [oldest, { length }] of this.#kept) {
      if (this.#keptBytes <= this.#limits.keptBytes) return;
      this.#kept.delete(oldest);
      this.#keptBytes -= length;
    }
  }
}
