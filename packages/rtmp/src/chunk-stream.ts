/** What a reader remembers of one chunk stream: the last header, the clock, and the message in progress. */
import { ChunkClock } from './chunk-clock.ts';
import { FMT_3, MAX_ONE_BYTE_ID } from './chunk-header.ts';
import type { ChunkMemory } from './chunk-memory.ts';

/** One chunk stream of one direction. The reader drives it; all checks of the peer's order are the reader's. */
export class ChunkStream extends ChunkClock {
  readonly id: number;
  type = 0;
  messageStreamId = 0;
  /** Declared by the last header that had a length. */
  messageBytes = 0;
  /** Bytes of the current message so far. */
  receivedBytes = 0;
  /** Between the first chunk of a message and its last. */
  isIncomplete = false;
  /** Set by the first header of its own, which fmt 2 and 3 need. */
  hasHeader = false;
  #buffer: Buffer | undefined;

  constructor(id: number) {
    super();
    this.id = id;
  }

  /** Copies a piece of the payload behind what is there. Throws SrsError RtmpMemory. */
  append(memory: ChunkMemory, source: Buffer, start: number, end: number): void {
    const needed = this.receivedBytes + end - start;
    let buffer = this.#buffer;
    if (buffer === undefined) {
      buffer = memory.claim(this.messageBytes, needed);
    } else if (buffer.length < needed) {
      buffer = memory.grow(buffer, this.receivedBytes, this.messageBytes, needed);
    }
    this.#buffer = buffer;
    source.copy(buffer, this.receivedBytes, start, end);
    this.receivedBytes = needed;
  }

  /**
   * Hot path, for peers that send small chunks: takes the whole chunks that go on with the message one after the other, each with a
   * basic header of one byte and nothing else. The chunk at which it stops is left for the reader's states to judge.
   *
   * @param at where in `source` the next chunk begins
   * @returns where the next one begins that was not taken
   * @throws SrsError RtmpMemory
   */
  appendChunks(memory: ChunkMemory, source: Buffer, at: number, chunkSize: number): number {
    if (this.id > MAX_ONE_BYTE_ID || this.extendedField !== undefined) return at;
    const basicHeader = FMT_3 | this.id;
    let next = at;
    for (;;) {
      const start = next + 1;
      const end = start + Math.min(chunkSize, this.messageBytes - this.receivedBytes);
      if (end === start || end > source.length || source[next] !== basicHeader) return next;
      this.append(memory, source, start, end);
      next = end;
    }
  }

  /** Ends the message and returns the buffer that it was put together in, if any, for the caller to release. */
  takeBuffer(): Buffer | undefined {
    const buffer = this.#buffer;
    this.#buffer = undefined;
    this.receivedBytes = 0;
    this.isIncomplete = false;
    return buffer;
  }
}
