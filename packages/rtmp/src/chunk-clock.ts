/** The time of the messages on one chunk stream: how each header moves it on, and which of disputed readings is taken. */
import { TIMESTAMP_MASK } from '@srs/kernel';
import { EXTENDED_TIMESTAMP } from './chunk-header.ts';

/**
 * The longest timestamp after which a fmt 3 message still means "the same step again". See `ChunkClock.startAbsolute`.
 */
const MAX_REPEATED_TIMESTAMP_MS = 10_000;
/** How far an extended value in a fmt 1..3 header may lie from the clock to be taken as a time instead of a step. */
const ABSOLUTE_WINDOW_MS = 60_000;

/** Whoever reads chunks, whole messages or only their heads, keeps one for each chunk stream. */
export class ChunkClock {
  /** The time of the current or last message, 31 bits. */
  timestampMs = 0;
  /** What the last extended timestamp field said, 32 bits as sent; undefined when the last header had none. */
  extendedField: number | undefined;
  #deltaMs = 0;

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
}
