/** Reads the lists of parameter sets inside avcC and hvcC, and checks picture sizes. */
import { type ErrorName, SrsError } from '@srs/kernel';

/** Above the largest picture of any level (H.264 6.2: 16,880; H.265 6.2: 16,888 pixels a side). */
const MAX_PICTURE_SIDE = 16_896;

/** A position in a configuration record that refuses to read past its end. */
export class RecordCursor {
  readonly #bytes: Buffer;
  readonly #error: ErrorName;
  readonly #what: string;
  #offset = 0;

  constructor(bytes: Buffer, error: ErrorName, what: string) {
    this.#bytes = bytes;
    this.#error = error;
    this.#what = what;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  u8(field: string): number {
    return this.#bytes[this.#take(1, field)]!;
  }

  u16(field: string): number {
    return this.#bytes.readUInt16BE(this.#take(2, field));
  }

  u32(field: string): number {
    return this.#bytes.readUInt32BE(this.#take(4, field));
  }

  /** @returns a view of the record's bytes */
  slice(count: number, field: string): Buffer {
    const offset = this.#take(count, field);
    return this.#bytes.subarray(offset, offset + count);
  }

  /** `count` parameter sets, each behind its length in 16 bits. */
  parameterSets(count: number, field: string): Buffer[] {
    const sets: Buffer[] = [];
    for (let i = 0; i < count; i++) sets.push(this.slice(this.u16(`${field} length`), field));
    return sets;
  }

  #take(count: number, field: string): number {
    if (count > this.remaining) {
      throw new SrsError(
        this.#error,
        `${this.#what} ${field} needs ${count} bytes at ${this.#offset}, ${this.remaining} are left`,
      );
    }
    const offset = this.#offset;
    this.#offset += count;
    return offset;
  }
}

export interface PictureSize {
  /** Visible pixels, after cropping. */
  readonly width: number;
  readonly height: number;
}

/** Refuses sizes no decoder takes, so that nobody reserves memory for them. */
export function checkedPictureSize(width: number, height: number, error: ErrorName, what: string): PictureSize {
  if (width < 1 || height < 1 || width > MAX_PICTURE_SIDE || height > MAX_PICTURE_SIDE) {
    throw new SrsError(error, `${what} picture size ${width}x${height} must be 1..${MAX_PICTURE_SIDE} a side`);
  }
  return { width, height };
}

/** Pictures per second in thousandths, or undefined when the two numbers say nothing. */
export function frameRateOf(timeScale: number, unitsPerPicture: number): number | undefined {
  if (timeScale === 0 || unitsPerPicture === 0) return undefined;
  return Math.round((timeScale * 1000) / unitsPerPicture) / 1000;
}
