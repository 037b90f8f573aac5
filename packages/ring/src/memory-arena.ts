/** An arena of plain memory: for a single process, and for tests. */
import { type Arena, SrsError } from '@srs/kernel';
import { PAGE_BYTES } from './layout.ts';

const DEFAULT_WINDOW_BYTES = 64 * 1024 * 1024;

/** Windows are allocated when they are first asked for. */
export class MemoryArena implements Arena {
  readonly sizeBytes: number;
  readonly windowBytes: number;
  readonly #windows: (ArrayBuffer | SharedArrayBuffer | undefined)[] = [];
  readonly #isShared: boolean;

  /**
   * @param options.isShared makes the windows SharedArrayBuffers
   * @throws SrsError SharedMemory when a size is not a multiple of 4096 or the window not a power of two
   */
  constructor(sizeBytes: number, options: { readonly windowBytes?: number; readonly isShared?: boolean } = {}) {
    const windowBytes = options.windowBytes ?? DEFAULT_WINDOW_BYTES;
    if (!(sizeBytes >= PAGE_BYTES) || sizeBytes % PAGE_BYTES !== 0 || !Number.isSafeInteger(sizeBytes)) {
      throw new SrsError('SharedMemory', `arena size ${sizeBytes} must be a multiple of ${PAGE_BYTES}`);
    }
    if (!(windowBytes >= PAGE_BYTES) || !Number.isInteger(Math.log2(windowBytes))) {
      throw new SrsError('SharedMemory', `window of ${windowBytes} bytes must be a power of two of at least ${PAGE_BYTES}`);
    }
    this.sizeBytes = sizeBytes;
    this.windowBytes = windowBytes;
    this.#isShared = options.isShared ?? false;
  }

  region(offset: number, sizeBytes: number): Buffer {
    this.#check(offset, sizeBytes, 8);
    const index = Math.floor(offset / this.windowBytes);
    const start = index * this.windowBytes;
    if (offset + sizeBytes > start + this.windowBytes) {
      throw new SrsError('SharedMemory', `${sizeBytes} bytes at ${offset} cross a window of ${this.windowBytes} bytes`);
    }
    return Buffer.from(this.#window(index), offset - start, sizeBytes);
  }

  discard(offset: number, sizeBytes: number): void {
    this.#check(offset, sizeBytes, PAGE_BYTES);
    const end = offset + sizeBytes;
    for (let at = offset; at < end; ) {
      const index = Math.floor(at / this.windowBytes);
      const next = Math.min(end, (index + 1) * this.windowBytes);
      if (this.#windows[index] !== undefined) this.region(at, next - at).fill(0);
      at = next;
    }
  }

  #window(index: number): ArrayBuffer | SharedArrayBuffer {
    const known = this.#windows[index];
    if (known !== undefined) return known;
    const length = Math.min(this.windowBytes, this.sizeBytes - index * this.windowBytes);
    const window = this.#isShared ? new SharedArrayBuffer(length) : new ArrayBuffer(length);
    this.#windows[index] = window;
    return window;
  }

  #check(offset: number, sizeBytes: number, alignment: number): void {
    const isInside = offset >= 0 && sizeBytes >= 0 && offset + sizeBytes <= this.sizeBytes;
    if (!isInside || offset % alignment !== 0 || !Number.isSafeInteger(sizeBytes)) {
      throw new SrsError(
        'SharedMemory',
        `${sizeBytes} bytes at ${offset} must lie in 0..${this.sizeBytes}, aligned to ${alignment}`,
      );
    }
  }
}
