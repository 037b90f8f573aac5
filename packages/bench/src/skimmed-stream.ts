/** What the skimmer remembers of one chunk stream. */
import { TIMESTAMP_MASK } from '@srs/kernel';

/** From here on the time stands in four bytes of its own. */
const EXTENDED_TIMESTAMP = 0xffffff;
const MAX_REPEATED_TIMESTAMP_MS = 10_000;
const ABSOLUTE_WINDOW_MS = 60_000;

/** The clock follows the same reading of disputed headers as the `ChunkReader` of `@srs/rtmp`, where the reasons stand. */
export class SkimmedStream {
  readonly id: number;
  type = 0;
  messageBytes = 0;
  receivedBytes = 0;
  timestampMs = 0;
  deltaMs = 0;
  hasHeader = false;
  isIncomplete = false;
  /** The last extended timestamp field; -1 when the last header had none. */
  extendedField = -1;
  /** The beginning of a message that came in several pieces; made when it is first needed. */
  head: Buffer | undefined;

  constructor(id: number) {
    this.id = id;
  }

  startAbsolute(timestampMs: number): void {
    this.timestampMs = timestampMs & TIMESTAMP_MASK;
    this.deltaMs = this.timestampMs <= MAX_REPEATED_TIMESTAMP_MS ? this.timestampMs : 0;
  }

  startDelta(deltaMs: number): void {
    this.deltaMs = deltaMs;
    this.repeatDelta();
  }

  repeatDelta(): void {
    this.timestampMs = (this.timestampMs + this.deltaMs) & TIMESTAMP_MASK;
  }

  startExtendedDelta(value: number): void {
    if (this.isNearClock(value)) {
      this.timestampMs = value & TIMESTAMP_MASK;
      this.deltaMs = 0;
    } else {
      this.startDelta(value);
    }
  }

  isNearClock(value: number): boolean {
    return Math.abs(value - this.timestampMs) <= ABSOLUTE_WINDOW_MS;
  }

  /** Whether the first `bytes` (1..4) of a possible field, as the number `prefix`, agree with a repeated extended timestamp. */
  isRepeatedTimestamp(prefix: number, bytes: number): boolean {
    const shift = 32 - 8 * bytes;
    return (
      prefix === this.extendedField >>> shift || (this.timestampMs >= EXTENDED_TIMESTAMP && prefix === this.timestampMs >>> shift)
    );
  }

  endMessage(): void {
    this.isIncomplete = false;
    this.receivedBytes = 0;
  }
}
