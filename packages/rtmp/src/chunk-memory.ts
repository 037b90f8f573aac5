/** The memory of one connection's incomplete messages: it grows with what really arrived, under one total. */
import { SrsError } from '@srs/kernel';

const MIN_BUFFER_BYTES = 1024;
/**
 * What a message gets at first, however much its header declares and however little has arrived. It can be small, because growing is
 * rare: the next message is put together in the spare buffer, which has grown already.
 */
const MAX_FIRST_BUFFER_BYTES = 4 * 1024;
/** The largest buffer kept for the next message. */
const MAX_SPARE_BYTES = 128 * 1024;

/** Hands out the buffers in which messages of several chunks are put together. */
export class ChunkMemory {
  readonly #maxBytes: number;
  #usedBytes = 0;
  #spare: Buffer | undefined;

  /** @param maxBytes the limit for all buffers in use together */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The bytes of all buffers that were claimed and not released. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /**
   * A buffer for a message that declares `messageBytes`, with room for at least `neededBytes` of them.
   * @throws SrsError RtmpMemory when the total would pass its limit
   */
  claim(messageBytes: number, neededBytes: number): Buffer {
    const wanted = Math.max(neededBytes, Math.min(messageBytes, MAX_FIRST_BUFFER_BYTES));
    const spare = this.#spare;
    if (spare !== undefined && spare.length >= wanted && this.#usedBytes + spare.length <= this.#maxBytes) {
      this.#spare = undefined;
      this.#usedBytes += spare.length;
      return spare;
    }
    return this.#allocate(Math.max(MIN_BUFFER_BYTES, powerOfTwo(wanted)), neededBytes);
  }

  /**
   * A larger buffer with the first `keptBytes` of `buffer`, which is released.
   * @throws SrsError RtmpMemory when the total would pass its limit
   */
  grow(buffer: Buffer, keptBytes: number, messageBytes: number, neededBytes: number): Buffer {
    this.#usedBytes -= buffer.length;
    const grown = this.#allocate(Math.max(neededBytes, Math.min(2 * buffer.length, messageBytes)), neededBytes);
    buffer.copy(grown, 0, 0, keptBytes);
    return grown;
  }

  /** Gives a buffer back; one of moderate size is kept for the next message. */
  release(buffer: Buffer): void {
    this.#usedBytes -= buffer.length;
    if (buffer.length <= MAX_SPARE_BYTES && buffer.length > (this.#spare?.length ?? 0)) this.#spare = buffer;
  }

  /** As many bytes as wanted, or as the limit leaves when that is still enough. */
  #allocate(wantedBytes: number, neededBytes: number): Buffer {
    const free = this.#maxBytes - this.#usedBytes;
    if (neededBytes > free) {
      throw new SrsError(
        'RtmpMemory',
        `incomplete messages of ${this.#usedBytes + neededBytes} bytes in all must have at most ${this.#maxBytes}`,
      );
    }
    const buffer = Buffer.allocUnsafeSlow(Math.min(wantedBytes, free));
    this.#usedBytes += buffer.length;
    return buffer;
  }
}

function powerOfTwo(atLeast: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, atLeast)));
}
