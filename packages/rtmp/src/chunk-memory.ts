/** The memory of one connection's incomplete messages: it grows with what really arrives, under one total. */
import { SrsError } from '@srs/kernel';

const MIN_BUFFER_BYTES = 512;
/**
 * What a message gets at first, however much its header declares and however little has arrived. It can be small, because growing is
 * rare: the next message is put together in the spare buffer, which has grown already.
 */
const MAX_FIRST_BUFFER_BYTES = 4 * 1024;
/**
 * Which buffers are kept for the next message: those a publisher needs again and again. A player sends a command of several chunks
 * once, and must not hold memory for it afterwards.
 */
const MIN_SPARE_BYTES = 4 * 1024;
const MAX_SPARE_BYTES = 128 * 1024;

/** Hands out the buffers in which messages of several chunks are put together. */
export class ChunkMemory {
  #maxBytes: number;
  #usedBytes = 0;
  #spare: Buffer | undefined;

  /** @param maxBytes the limit for all buffers in use together */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Another limit; what is in use already stays. */
  setLimit(maxBytes: number): void {
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
    const doubled = 2 * buffer.length;
    // A buffer that may be kept is not cut to this message: the next one would only have to grow it again.
    const wanted = doubled > MAX_SPARE_BYTES ? Math.min(doubled, messageBytes) : doubled;
    const grown = this.#allocate(Math.max(neededBytes, wanted), neededBytes);
    buffer.copy(grown, 0, 0, keptBytes);
    return grown;
  }

  /** Gives a buffer back; one of a useful size is kept for the next message. */
  release(buffer: Buffer): void {
    this.#usedBytes -= buffer.length;
    const isUseful = buffer.length >= MIN_SPARE_BYTES && buffer.length <= MAX_SPARE_BYTES;
    if (isUseful && buffer.length > (this.#spare?.length ?? 0)) this.#spare = buffer;
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
    const bytes = Math.min(wantedBytes, free);
    // Small and short-lived ones come from the pool of Node.js; what may become the spare must not hold a shared slab.
    const buffer = bytes < MIN_SPARE_BYTES ? Buffer.allocUnsafe(bytes) : Buffer.allocUnsafeSlow(bytes);
    this.#usedBytes += buffer.length;
    return buffer;
  }
}

function powerOfTwo(atLeast: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, atLeast)));
}
