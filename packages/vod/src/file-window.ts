/** Reads files from the threads of the pool, which may wait for the disk. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** Which file, and which version of it. */
export interface FileIdentity {
  /** Without symbolic links. */
  readonly path: string;
  readonly device: number;
  readonly inode: number;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/** The file is not what it was when it was asked for. */
export class FileChangedError extends Error {
  constructor(path: string) {
    super(`${path} has changed`);
    this.name = 'FileChangedError';
  }
}

/** Nothing on the way may have become a link since it was looked at; what is opened must be the same file anyway. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | constants.O_NOFOLLOW;
const WINDOW_BYTES = 1024 * 1024;

/** @throws FileChangedError, or the system's error */
export function openIdentical<Result>(file: FileIdentity, use: (fd: number) => Result): Result {
  const fd = openSync(file.path, OPEN_FLAGS);
  try {
    const { dev, ino, size, mtimeMs } = fstatSync(fd);
    const isSame = dev === file.device && ino === file.inode && size === file.sizeBytes && mtimeMs === file.modifiedMs;
    if (!isSame) throw new FileChangedError(file.path);
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Fills the buffer with what stands at `position`.
 * @throws FileChangedError when the file ends before
 */
export function readExactly(fd: number, buffer: Buffer, position: number): void {
  let length = 0;
  while (length < buffer.length) {
    const count = readSync(fd, buffer, length, buffer.length - length, position + length);
    if (count === 0) throw new FileChangedError('the file that is read');
    length += count;
  }
}

/** A part of the file in memory, which moves forward. */
export class FileWindow {
  readonly sizeBytes: number;
  readonly #fd: number;
  #bytes: Buffer;
  /** Where in the file the part in memory begins and ends. */
  #start = 0;
  #end = 0;

  /** @param windowBytes how much is read at once: little, for who looks at a place here and there */
  constructor(fd: number, sizeBytes: number, windowBytes: number = WINDOW_BYTES) {
    this.#fd = fd;
    this.sizeBytes = sizeBytes;
    this.#bytes = Buffer.allocUnsafeSlow(windowBytes);
  }

  /** The part in memory; valid until the next call of `locate` or `read`. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /**
   * Hot path: no allocation while the place is in memory.
   *
   * @returns where in `bytes` it is; -1 when the file ends before
   * @throws FileChangedError, or the system's error
   */
  locate(position: number, length: number): number {
    if (position + length > this.sizeBytes) return -1;
    if (position < this.#start || position + length > this.#end) this.#move(position, length);
    return position - this.#start;
  }

  /**
   * @returns the bytes, valid until the next call; undefined when the file ends before
   * @throws FileChangedError, or the system's error
   */
  read(position: number, length: number): Buffer | undefined {
    const offset = this.locate(position, length);
    return offset < 0 ? undefined : this.#bytes.subarray(offset, offset + length);
  }

  #move(position: number, length: number): void {
    if (length > this.#bytes.length) this.#bytes = Buffer.allocUnsafeSlow(length);
    const end = Math.min(this.sizeBytes, position + this.#bytes.length);
    readExactly(this.#fd, this.#bytes.subarray(0, end - position), position);
    this.#start = position;
    this.#end = end;
  }
}
