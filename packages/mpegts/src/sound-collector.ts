/** Frames of sound on their way into one PES packet. */
import { TICKS_PER_MS } from './clock-90k.ts';
import { MAX_COUNTED_PAYLOAD_BYTES } from './pes.ts';
import type { UnitBody } from './ts-writer.ts';

/** A longer packet would make players wait; shorter ones cost more for their heads and stuffing. */
const MAX_DURATION = 100 * TICKS_PER_MS;
const FIRST_CAPACITY = 4096;

export class SoundCollector implements UnitBody {
  #bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_CAPACITY);
  #sizeBytes = 0;
  #pts = 0;

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get isEmpty(): boolean {
    return this.#sizeBytes === 0;
  }

  /** Of the first frame, in ticks. */
  get pts(): number {
    return this.#pts;
  }

  /** Whether a frame may join those that are here already. */
  hasRoom(bytes: number, endTicks: number): boolean {
    return this.#sizeBytes + bytes <= MAX_COUNTED_PAYLOAD_BYTES && endTicks - this.#pts <= MAX_DURATION;
  }

  /** Room for a frame in `buffer`, from the returned offset on. */
  append(bytes: number, pts: number): number {
    const at = this.#sizeBytes;
    if (at === 0) this.#pts = pts;
    this.#sizeBytes = at + bytes;
    if (this.#sizeBytes > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(
        Math.max(this.#sizeBytes, Math.min(this.#bytes.length * 2, MAX_COUNTED_PAYLOAD_BYTES)),
      );
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    return at;
  }

  get buffer(): Buffer {
    return this.#bytes;
  }

  writeTo(target: Buffer, at: number): void {
    this.#bytes.copy(target, at, 0, this.#sizeBytes);
  }

  clear(): void {
    this.#sizeBytes = 0;
  }
}
