/** Reads a file of any size from its beginning to its end, for threads that may wait for the disk. */
import { readSync } from 'node:fs';

const READ_BYTES = 1024 * 1024;

/** A part of the file in memory, which moves forward. */
export class FileWindow {
  readonly #fd: number;
  readonly sizeBytes: number;
  #bytes = Buffer.alloc(READ_BYTES);
  /** Where in the file the part in memory begins and ends. */
  #start = 0;
  #end = 0;

  constructor(fd: number, sizeBytes: number) {
    this.#fd = fd;
    this.sizeBytes = sizeBytes;
  }

  /**
   * @param position not before that of the last call
   * @returns the bytes, valid until the next call; undefined when the file ends before
   * @throws the system's error
   */
  read(position: number, length: number): Buffer | undefined {
    if (position + length > this.sizeBytes) return undefined;
    if (position + length > this.#end) this.#move(position, length);
    const offset = position - this.#start;
    return offset + length <= this.#end - this.#start ? this.#bytes.subarray(offset, offset + length) : undefined;
  }

  #move(position: number, length: number): void {
    const kept =
      position < this.#end ? Buffer.from(this.#bytes.subarray(position - this.#start, this.#end - this.#start)) : Buffer.alloc(0);
    if (length > this.#bytes.length) this.#bytes = Buffer.alloc(length + READ_BYTES);
    kept.copy(this.#bytes);
    this.#start = position;
    this.#end = position + kept.length;
    while (this.#end < this.sizeBytes && this.#end - this.#start < this.#bytes.length) {
      const offset = this.#end - this.#start;
      const count = readSync(this.#fd, this.#bytes, offset, this.#bytes.length - offset, this.#end);
      // Somebody has cut the file.
      if (count === 0) return;
      this.#end += count;
    }
  }
}
