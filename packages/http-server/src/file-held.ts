/** A file that is open for those who are being sent it. */
import { close, closeSync, read, type Stats } from 'node:fs';
import { promisify } from 'node:util';

const readAt = promisify(read);

/** Up to here a file is read at once: a segment of a few seconds. */
const WHOLE_FILE_BYTES = 1024 * 1024;
/** Of files that were read at once and wait for their clients. Beyond it, small ones too are sent piece by piece. */
const MAX_WHOLE_BYTES = 64 * 1024 * 1024;

/** Memory that was in use is kept up to here: new memory must be cleared page by page, which costs more than reading a file into it. */
const MAX_SPARE_BYTES = 16 * 1024 * 1024;
/** Below it new memory is cheap. */
const MIN_SPARE_BYTES = 64 * 1024;

/** The memory for whole files. */
export class WholeFileMemory {
  readonly #maxBytes: number;
  #usedBytes = 0;
  /** By size, which is a power of two. */
  readonly #spare = new Map<number, Buffer[]>();
  #spareBytes = 0;

  constructor(maxBytes = MAX_WHOLE_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** @returns a buffer of that size or larger; undefined when there is no memory for it */
  claim(sizeBytes: number): Buffer | undefined {
    if (sizeBytes > WHOLE_FILE_BYTES) return undefined;
    const claimedBytes = sizeBytes < MIN_SPARE_BYTES ? sizeBytes : 2 ** Math.ceil(Math.log2(sizeBytes));
    if (this.#usedBytes + claimedBytes > this.#maxBytes) return undefined;
    this.#usedBytes += claimedBytes;
    const spare = this.#spare.get(claimedBytes)?.pop();
    if (spare === undefined) return Buffer.allocUnsafeSlow(claimedBytes);
    this.#spareBytes -= claimedBytes;
    return spare;
  }

  /** @param buffer which nobody uses any more, the sockets neither */
  free(buffer: Buffer): void {
    const { length } = buffer;
    this.#usedBytes -= length;
    if (length < MIN_SPARE_BYTES || this.#spareBytes + length > MAX_SPARE_BYTES) return;
    this.#spareBytes += length;
    const spare = this.#spare.get(length);
    if (spare === undefined) this.#spare.set(length, [buffer]);
    else spare.push(buffer);
  }
}

export interface OpenFile {
  readonly fd: number;
  readonly stats: Stats;
  /** Without symbolic links. */
  readonly realPath: string;
}

/** Nothing is lost when closing a file fails that was only read. */
export function closeFile(fd: number, sizeBytes: number): void {
  // The last to close a large file that was deleted may have to wait for the disk; another thread costs more than a small one.
  if (sizeBytes > WHOLE_FILE_BYTES) {
    close(fd, () => {});
    return;
  }
  try {
    closeSync(fd);
  } catch {
    // See above.
  }
}

/** Several hold one; the last who lets go closes it. */
export class HeldFile {
  readonly stats: Stats;
  readonly realPath: string;
  readonly sizeBytes: number;
  readonly #fd: number;
  readonly #memory: WholeFileMemory;
  #holders: number;
  #whole: Promise<Buffer | undefined> | undefined;
  #claimed: Buffer | undefined;

  /** @param holders how many will call `release` */
  constructor(file: OpenFile, memory: WholeFileMemory, holders: number) {
    this.stats = file.stats;
    this.realPath = file.realPath;
    this.sizeBytes = file.stats.size;
    this.#fd = file.fd;
    this.#memory = memory;
    this.#holders = holders;
  }

  /**
   * All of it, if it is small; shared by all holders, and valid while held.
   * @returns fewer bytes than `sizeBytes` when the file has been cut meanwhile; undefined when it must be read piece by piece
   * @throws the system's error
   */
  whole(): Promise<Buffer | undefined> {
    this.#whole ??= this.#readWhole();
    return this.#whole;
  }

  /**
   * Reads what follows `position` until the buffer is full or the file ends.
   * @returns how many bytes were read
   * @throws the system's error
   */
  async read(buffer: Buffer, position: number): Promise<number> {
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await readAt(this.#fd, buffer, length, buffer.length - length, position + length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return length;
  }

  release(): void {
    this.#holders -= 1;
    if (this.#holders > 0) return;
    if (this.#claimed !== undefined) this.#memory.free(this.#claimed);
    closeFile(this.#fd, this.sizeBytes);
  }

  async #readWhole(): Promise<Buffer | undefined> {
    this.#claimed = this.#memory.claim(this.sizeBytes);
    if (this.#claimed === undefined) return undefined;
    const bytes = this.#claimed.subarray(0, this.sizeBytes);
    return bytes.subarray(0, await this.read(bytes, 0));
  }
}
