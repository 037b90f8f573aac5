/** Reads boxes that lie in memory, and refuses to read past their ends. */
import { SrsError } from '@srs/kernel';

const BOX_HEAD_BYTES = 8;
const LONG_HEAD_BYTES = 16;
/** Sizes that are not sizes (ISO/IEC 14496-12, 4.2). */
const boxSizes = { toTheEnd: 0, long: 1 } as const;
const TWO_TO_32 = 2 ** 32;

export interface Box {
  readonly type: string;
  /** What follows the head; a view. */
  readonly body: Buffer;
}

export interface BoxHead {
  readonly type: string;
  readonly headBytes: number;
  /** The whole box, head included. */
  readonly sizeBytes: number;
}

/**
 * @param bytes at least 8 from `offset` on; a head with a long size has 16
 * @param available bytes from the head to the end of what holds the box
 * @throws SrsError Mp4File when the size cannot be one
 */
export function readBoxHead(bytes: Buffer, offset: number, available: number): BoxHead {
  const type = bytes.toString('latin1', offset + 4, offset + BOX_HEAD_BYTES);
  const size = bytes.readUInt32BE(offset);
  if (size === boxSizes.toTheEnd) return { type, headBytes: BOX_HEAD_BYTES, sizeBytes: available };
  if (size === boxSizes.long) {
    if (offset + LONG_HEAD_BYTES > bytes.length) throw cut(type, 'long size');
    const long = bytes.readUInt32BE(offset + 8) * TWO_TO_32 + bytes.readUInt32BE(offset + 12);
    if (long < LONG_HEAD_BYTES)
      throw new SrsError('Mp4File', `mp4 box ${nameOf(type)} size ${long} must be at least ${LONG_HEAD_BYTES}`);
    return { type, headBytes: LONG_HEAD_BYTES, sizeBytes: long };
  }
  if (size < BOX_HEAD_BYTES)
    throw new SrsError('Mp4File', `mp4 box ${nameOf(type)} size ${size} must be at least ${BOX_HEAD_BYTES}`);
  return { type, headBytes: BOX_HEAD_BYTES, sizeBytes: size };
}

/** The boxes in `bytes`, one behind the other. Fewer than 8 bytes behind the last are padding, which QuickTime writes. */
export function* boxesIn(bytes: Buffer): Generator<Box> {
  let offset = 0;
  while (offset + BOX_HEAD_BYTES <= bytes.length) {
    const left = bytes.length - offset;
    const { type, headBytes, sizeBytes } = readBoxHead(bytes, offset, left);
    if (sizeBytes > left) throw new SrsError('Mp4File', `mp4 box ${nameOf(type)} of ${sizeBytes} bytes must be at most ${left}`);
    yield { type, body: bytes.subarray(offset + headBytes, offset + sizeBytes) };
    offset += sizeBytes;
  }
}

/** The body of the first box of this type, down a path of boxes. */
export function findBox(bytes: Buffer, ...path: readonly string[]): Buffer | undefined {
  let body: Buffer | undefined = bytes;
  for (const type of path) {
    body = body && firstOf(body, type);
  }
  return body;
}

function firstOf(bytes: Buffer, type: string): Buffer | undefined {
  for (const box of boxesIn(bytes)) {
    if (box.type === type) return box.body;
  }
  return undefined;
}

/** @throws SrsError Mp4File when it is not there */
export function requireBox(bytes: Buffer, ...path: readonly string[]): Buffer {
  const body = findBox(bytes, ...path);
  if (body === undefined) throw new SrsError('Mp4File', `mp4 box ${path.join('/')} is missing`);
  return body;
}

/** A type as text for messages, whatever its bytes are. */
export function nameOf(type: string): string {
  return /^[\x20-\x7e]{4}$/.test(type) ? type : `0x${Buffer.from(type, 'latin1').toString('hex')}`;
}

function cut(type: string, field: string): SrsError {
  return new SrsError('Mp4File', `mp4 box ${nameOf(type)} ends within its ${field}`);
}

/** The fields of one box, in order. */
export class BoxFields {
  readonly #type: string;
  readonly #body: Buffer;
  #offset = 0;

  constructor(type: string, body: Buffer) {
    this.#type = type;
    this.#body = body;
  }

  get remaining(): number {
    return this.#body.length - this.#offset;
  }

  skip(count: number): void {
    this.#take(count);
  }

  u8(): number {
    return this.#body[this.#take(1)]!;
  }

  u16(): number {
    return this.#body.readUInt16BE(this.#take(2));
  }

  u24(): number {
    return this.#body.readUIntBE(this.#take(3), 3);
  }

  u32(): number {
    return this.#body.readUInt32BE(this.#take(4));
  }

  i32(): number {
    return this.#body.readInt32BE(this.#take(4));
  }

  /** @throws SrsError Mp4File above 2^53 */
  u64(): number {
    const value = this.u32() * TWO_TO_32 + this.u32();
    if (value > Number.MAX_SAFE_INTEGER) {
      throw new SrsError('Mp4File', `mp4 box ${nameOf(this.#type)} value ${value} must be at most ${Number.MAX_SAFE_INTEGER}`);
    }
    return value;
  }

  i64(): number {
    return this.i32() * TWO_TO_32 + this.u32();
  }

  text(count: number): string {
    const offset = this.#take(count);
    return this.#body.toString('latin1', offset, offset + count);
  }

  /** @returns a view */
  slice(count: number): Buffer {
    const offset = this.#take(count);
    return this.#body.subarray(offset, offset + count);
  }

  /**
   * Says that a table of `count` entries follows.
   *
   * @returns a view of exactly its bytes
   * @throws SrsError Mp4File when the box has not so many, before anybody reserves memory for them
   */
  table(count: number, entryBytes: number): Buffer {
    const max = Math.floor(this.remaining / entryBytes);
    if (count > max)
      throw new SrsError('Mp4File', `mp4 box ${nameOf(this.#type)} entries ${count} must be at most ${max}, as its size tells`);
    return this.slice(count * entryBytes);
  }

  #take(count: number): number {
    if (count > this.remaining) throw cut(this.#type, 'fields');
    const offset = this.#offset;
    this.#offset += count;
    return offset;
  }
}
