/** What a reader remembers of one chunk stream: the last header, the clock, and the message in progress. */
import { TIMESTAMP_MASK } from '@srs/kernel';
import { EXTENDED_TIMESTAMP, FMT_3, MAX_ONE_BYTE_ID } from './chunk-header.ts';
import type { ChunkMemory } from './chunk-memory.ts';

/**
 * The longest timestamp after which a fmt 3 message still means "the same step again". See `ChunkStream.startAbsolute`.
 */
const MAX_REPEATED_TIMESTAMP_MS = 10_000;
/** How far an extended value in a fmt 1..3 header may lie from the clock to be taken as a time instead of a step. */
const ABSOLUTE_WINDOW_MS = 60_000;

/** One chunk stream of one direction. The reader drives it; all checks of the peer's order are the reader's. */
export class ChunkStream {
  readonly id: number;
  type = 0;
  messageStreamId = 0;
  /** Declared by the last header that had a length. */
  messageBytes = 0;
  /** The time of the current or last message, 31 bits. */
  timestampMs = 0;
  /** Bytes of the current message so far. */
  receivedBytes = 0;
  /** Between the first chunk of a message and its last. */
  isIncomplete = false;
  /** Set by the first header of its own, which fmt 2 and 3 need. */
  hasHeader = false;
  /** What the last extended timestamp field said, 32 bits as sent; undefined when the last header had none. */
  extendedField: number | undefined;
  #deltaMs = 0;
  #buffer: Buffer | undefined;

  constructor(id: number) {
    this.id = id;
  }

  /**
   * The time of a message with a fmt 0 header.
   *
   * What a fmt 3 message right after it means is not agreed on: the specification's "delta of the preceding chunk" is read as the
   * timestamp itself (Adobe RTMP spec 1.0, 5.3.1.2.4; SRS, FFmpeg and GStreamer, both as sender and receiver) or as zero
   * (nginx-rtmp; librtmp as sender). A stream that starts at 40 ms and steps by 40 ms needs the first reading. With a large
   * timestamp the first reading would double the clock, and a step as long as the stream is old is not likely: it is zero.
   */
  startAbsolute(timestampMs: number): void {
    this.timestampMs = timestampMs & TIMESTAMP_MASK;
    this.#deltaMs = this.timestampMs <= MAX_REPEATED_TIMESTAMP_MS ? this.timestampMs : 0;
  }

  /** The time of a message with a fmt 1 or 2 header. */
  startDelta(deltaMs: number): void {
    this.#deltaMs = deltaMs;
    this.repeatDelta();
  }

  /** The time of a fmt 3 message without extended timestamp. */
  repeatDelta(): void {
    this.timestampMs = (this.timestampMs + this.#deltaMs) & TIMESTAMP_MASK;
  }

  /**
   * The time of a fmt 1 or 2 message with an extended timestamp: a step (Adobe RTMP spec 1.0, 5.3.1.3; FFmpeg, librtmp and GStreamer,
   * whose steps back in time are steps of almost 2^32), or the time itself (SRS, and encoders that only work with it). A step is
   * at least 4 h 39 min, a time lies near the last one: so a value near the clock is a time.
   */
  startExtendedDelta(value: number): void {
    if (this.isNearClock(value)) {
      this.timestampMs = value & TIMESTAMP_MASK;
      this.#deltaMs = 0;
    } else {
      this.startDelta(value);
    }
  }

  isNearClock(value: number): boolean {
    return Math.abs(value - this.timestampMs) <= ABSOLUTE_WINDOW_MS;
  }

  /**
   * Whether four bytes at the start of a fmt 3 chunk are its extended timestamp. They are not always there: Adobe's software
   * repeats the field in every chunk, old librtmp and FFmpeg never do. Senders repeat the field (a step or a time) or write the
   * time of the message.
   *
   * @param prefix the first `bytes` of the four as a number
   * @param bytes 1..4
   */
  isRepeatedTimestamp(prefix: number, bytes: number): boolean {
    const shift = 32 - 8 * bytes;
    return (
      prefix === (this.extendedField ?? 0) >>> shift ||
      (this.timestampMs >= EXTENDED_TIMESTAMP && prefix === this.timestampMs >>> shift)
    );
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
