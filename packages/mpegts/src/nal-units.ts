/** Finds the NAL units of a picture, behind lengths or behind start codes. */
import { SrsError } from '@srs/kernel';

/** More than any encoder makes of a picture: 1080p has 68 rows of macroblocks, each of which may be a slice. */
const MAX_NAL_UNITS = 1024;

/** Behind two more zeros or fewer; found by `Buffer.indexOf` (H.264 and H.265, annex B). */
const startCode = Buffer.of(0, 0, 1);

const ALL_READ = -1;
const TOO_MANY = -2;

/** The places of the units of one picture; used again for the next. */
export class NalUnits {
  /** Where each unit begins and ends in the payload; the first `count` numbers mean something. */
  readonly begins = new Int32Array(MAX_NAL_UNITS);
  readonly ends = new Int32Array(MAX_NAL_UNITS);
  readonly #what: string;
  #count = 0;
  #hasEmptyUnit = false;

  /** @param what the thing that is read, for messages: `h264 frame` */
  constructor(what: string) {
    this.#what = what;
  }

  get count(): number {
    return this.#count;
  }

  /**
   * Reads the units in `payload[from..to)`; empty ones are left out.
   *
   * Some encoders put start codes where the lengths should be. That is believed when the bytes begin with one and make no sense
   * as lengths.
   *
   * Hot path: no allocation.
   *
   * @param lengthBytes 1, 2 or 4
   * @throws SrsError HlsDecode when the bytes are neither, or have more than 1,024 units
   */
  read(payload: Buffer, from: number, to: number, lengthBytes: number): void {
    const failedAt = this.#readPrefixed(payload, from, to, lengthBytes);
    const isPrefixed = failedAt === ALL_READ && !(this.#hasEmptyUnit && beginsWithStartCode(payload, from, to));
    if (isPrefixed) return;
    if (beginsWithStartCode(payload, from, to)) this.readAnnexB(payload, from, to);
    else if (failedAt === TOO_MANY) throw this.#tooManyError();
    else throw this.#lengthError(payload, from, to, lengthBytes, failedAt);
  }

  /**
   * Reads the units behind start codes in `payload[from..to)`; what stands before the first belongs to none.
   *
   * Hot path: no allocation.
   *
   * @throws SrsError HlsDecode when there are more than 1,024 units
   */
  readAnnexB(payload: Buffer, from: number, to: number): void {
    this.#count = 0;
    let begin = nextStartCode(payload, from, to) + startCode.length;
    while (begin < to) {
      const next = nextStartCode(payload, begin, to);
      // Zeros in front of a start code and at the end belong to no unit.
      let end = next;
      while (end > begin && payload[end - 1] === 0) end -= 1;
      if (end > begin && !this.#add(begin, end)) throw this.#tooManyError();
      begin = next + startCode.length;
    }
  }

  /** @returns where a length leads past the end, or one of the constants */
  #readPrefixed(payload: Buffer, from: number, to: number, lengthBytes: number): number {
    this.#count = 0;
    this.#hasEmptyUnit = false;
    let at = from;
    while (at < to) {
      if (at + lengthBytes > to) return at;
      const length = payload.readUIntBE(at, lengthBytes);
      const begin = at + lengthBytes;
      if (length > to - begin) return at;
      if (length === 0) this.#hasEmptyUnit = true;
      else if (!this.#add(begin, begin + length)) return TOO_MANY;
      at = begin + length;
    }
    return ALL_READ;
  }

  #add(begin: number, end: number): boolean {
    if (this.#count === MAX_NAL_UNITS) return false;
    this.begins[this.#count] = begin;
    this.ends[this.#count] = end;
    this.#count += 1;
    return true;
  }

  #tooManyError(): SrsError {
    return new SrsError('HlsDecode', `${this.#what} has more than ${MAX_NAL_UNITS} NAL units`);
  }

  #lengthError(payload: Buffer, from: number, to: number, lengthBytes: number, failedAt: number): SrsError {
    const left = to - failedAt;
    if (left < lengthBytes) {
      return new SrsError('HlsDecode', `${this.#what} ends within the NAL unit length at ${failedAt - from}`);
    }
    const length = payload.readUIntBE(failedAt, lengthBytes);
    return new SrsError(
      'HlsDecode',
      `${this.#what} NAL unit at ${failedAt - from} needs ${length} bytes, ${left - lengthBytes} are left`,
    );
  }
}

/** Where the next start code begins, or `to`. */
function nextStartCode(payload: Buffer, from: number, to: number): number {
  const found = payload.indexOf(startCode, from);
  return found < 0 || found + startCode.length > to ? to : found;
}

export function beginsWithStartCode(payload: Buffer, from: number, to: number): boolean {
  if (to - from < startCode.length + 1 || payload[from] !== 0 || payload[from + 1] !== 0) return false;
  return payload[from + 2] === 1 || (payload[from + 2] === 0 && payload[from + 3] === 1);
}
