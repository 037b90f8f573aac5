/** What a fan-out knows about one player. */
import { type FrameType, frameFlags, frameTypes, timestampDelta } from '@srs/kernel';
import { stickySlots, type ViewSink } from '@srs/ring';
import type { EncodedBytes } from './batch.ts';
import type { FrameBatch, FrameLine } from './frame-batch.ts';
import { headerSlots } from './header-slots.ts';
import type { SourceReader } from './source-reader.ts';

/** The player's connection. */
export interface FanOutPlayer {
  /**
   * Where bytes can be sent past the connection whenever `pendingBytes` is 0; -1 for nowhere. The owner calls `FanOut.holdBack`
   * before the descriptor is closed, and when it has given the connection something else that waits there.
   */
  readonly descriptor: number;
  /**
   * Gives the bytes from `offset` on to the kernel.
   * @returns false when it did not take all: they must not be changed as long as `pendingBytes` is above 0
   */
  write(encoded: EncodedBytes, offset: number): boolean;
  /** Bytes the kernel has not taken yet. The owner calls `FanOut.onDrain` when they are gone. */
  readonly pendingBytes: number;
  /** The stream time that the player asked for has passed. */
  onFinished(): void;
}

export interface PlayerOptions {
  /** Milliseconds of stream time after which the player is done; absent for no end. */
  readonly durationMs?: number;
}

/** Where a player starts on a ring. */
export interface RingStart {
  /** It was there before the ring, and gets all of it, as long as nothing has been overwritten. */
  readonly hasWaited: boolean;
  /** Otherwise so far back, as the ring has it, because there is no picture to wait for; undefined when there is. */
  readonly backMs: number | undefined;
  /** Otherwise at the newest key frame, if there is one; else live. */
  readonly fromKeyFrame: boolean;
}

export interface PlayerStatistics {
  readonly isInStep: boolean;
  readonly isPaused: boolean;
  /** Times it was so late that frames were left out. */
  readonly cuts: number;
  readonly droppedFrames: number;
  /** Bytes in the ring that it has not been given yet; 0 in step. */
  readonly lagBytes: number;
}

/** Encoders give headers and metadata the time 0, however long they have been running: the stream's clock does not step with them. */
const NO_MEDIA_MASK = frameFlags.sequenceHeader | frameFlags.metadata | frameFlags.videoMetadata;

export class PlayerState {
  readonly player: FanOutPlayer;
  readonly #durationMs: number | undefined;
  /** Index in the dense array of players in step, -1 for a player behind. */
  stepIndex = -1;
  /** What it is given while it is not in step; when it is, that of all in step counts. */
  line: FrameLine;
  /** Sent past the connection before it entered step the last time, less what the fan-out had given to everybody by then. */
  #directBytes = 0;
  isPaused = false;
  isRemoved = false;
  #reader: SourceReader | undefined;
  #needsHeaders = false;
  /** Bits of the sticky slots whose content this player has got from the ring itself. */
  #passedHeaders = 0;
  #hasPictures = true;
  /** Pictures are left out until one can be decoded. */
  #waitsForKeyFrame = false;
  #lastTimestampMs: number | undefined;
  #playedMs = 0;
  #cuts = 0;
  #droppedFrames = 0;
  /** What the current reader has counted as skipped and this player has added to its own count. */
  #skippedBefore = 0;

  constructor(player: FanOutPlayer, line: FrameLine, options: PlayerOptions) {
    this.player = player;
    this.line = line;
    this.#durationMs = options.durationMs;
  }

  /** Its own place in a ring, while it is behind. */
  get reader(): SourceReader | undefined {
    return this.#reader;
  }

  /** It always has a reader of its own, because its frames are counted one by one. */
  get isSolo(): boolean {
    return this.#durationMs !== undefined;
  }

  get isFinished(): boolean {
    return this.#durationMs !== undefined && this.#playedMs >= this.#durationMs;
  }

  /** Whether it could take the same bytes as everybody else from now on. */
  get canEnterStep(): boolean {
    return !this.isSolo && !this.isPaused && !this.#waitsForKeyFrame && !this.#needsHeaders;
  }

  get statistics(): PlayerStatistics {
    return {
      isInStep: this.stepIndex >= 0,
      isPaused: this.isPaused,
      cuts: this.#cuts,
      droppedFrames: this.#droppedFrames,
      lagBytes: this.#reader?.reader.lagBytes ?? 0,
    };
  }

  /** Bytes sent past the connection. @param givenBytes what the fan-out has given to everybody in step since its beginning */
  directBytes(givenBytes: number): number {
    return this.#directBytes + (this.stepIndex < 0 ? 0 : givenBytes);
  }

  /** From here on it is given what everybody in step is given. */
  startDirect(givenBytes: number): void {
    this.#directBytes -= givenBytes;
  }

  /** It is given things by itself again. */
  endDirect(givenBytes: number): void {
    this.#directBytes += givenBytes;
  }

  /** So many bytes of what everybody was given went by way of the connection. */
  discountDirect(bytes: number): void {
    this.#directBytes -= bytes;
  }

  /** Starts on a ring it has not seen, with the headers first. Takes over `reader`, which stands at the live edge. */
  enterRing(reader: SourceReader, start: RingStart): void {
    this.leaveRing();
    this.#reader = reader;
    this.#needsHeaders = true;
    this.#passedHeaders = 0;
    this.#hasPictures = start.backMs === undefined;
    this.#waitsForKeyFrame = this.#hasPictures;
    if (start.hasWaited && reader.reader.seekToFirst()) return;
    if (start.backMs !== undefined) {
      if (start.backMs > 0) reader.reader.seekBack(start.backMs);
      return;
    }
    if (start.fromKeyFrame && reader.reader.seekToNewestKeyFrame()) this.#waitsForKeyFrame = false;
  }

  /** Goes on alone from where the others are, at `timestampMs`. Takes over `reader`. */
  goOnWith(reader: SourceReader, timestampMs: number): void {
    this.leaveRing();
    this.#reader = reader;
    this.#lastTimestampMs = timestampMs;
  }

  leaveRing(): void {
    this.#reader?.close();
    this.#reader = undefined;
    this.#skippedBefore = 0;
    this.#lastTimestampMs = undefined;
  }

  /** How far behind the newest frame this player is, in stream time; 0 when it is not known. */
  lateMs(): number {
    if (this.#reader === undefined || this.#lastTimestampMs === undefined) return 0;
    return timestampDelta(this.#lastTimestampMs, this.#reader.reader.newestTimestampMs);
  }

  /**
   * Too late: goes on at the newest key frame, with the headers again. When that is behind it, because the stream has few, there is
   * nothing better than to go on; without any (sound only) it goes to the live edge.
   * @returns how many frames were left out
   */
  cut(): number {
    const reader = this.#reader?.reader;
    if (reader === undefined) return 0;
    const newest = reader.fork();
    if (!newest.seekToNewestKeyFrame()) newest.seekToLiveEdge();
    const skipped = (newest.sequence - reader.sequence) | 0;
    if (skipped <= 0) return 0;
    if (!reader.seekToNewestKeyFrame()) reader.seekToLiveEdge();
    this.#startOver(skipped);
    return skipped;
  }

  /** The writer has overtaken this player; its reader has moved to something newer already. Returns how many frames were lost. */
  onLapped(): number {
    const skipped = this.#reader?.reader.skippedRecords ?? 0;
    const lost = skipped - this.#skippedBefore;
    this.#startOver(lost);
    this.#skippedBefore = skipped;
    return lost;
  }

  #startOver(droppedFrames: number): void {
    this.line.interrupt?.();
    this.#cuts += 1;
    this.#droppedFrames += droppedFrames;
    this.#needsHeaders = true;
    this.#passedHeaders = 0;
    this.#waitsForKeyFrame = this.#hasPictures;
    this.#lastTimestampMs = undefined;
  }

  /** Encodes the records of this player alone into `batch`. */
  sinkInto(batch: FrameBatch): ViewSink {
    return {
      onRecord: (type, flags, timestampMs, _wallMs, sequence, payload) => {
        batch.mark();
        if (this.isFinished) return;
        if (this.#needsHeaders) this.#leadIn(batch, type, flags, timestampMs, sequence);
        if (this.#isUndecodable(type, flags)) return;
        batch.append(this.line, type as FrameType, timestampMs, payload, sequence);
        if ((flags & NO_MEDIA_MASK) === 0) this.#countTime(timestampMs);
      },
      // What was counted for the record is put right by `onLapped`, which always follows.
      onTorn: () => {
        batch.rollBack();
        this.line.interrupt?.();
      },
    };
  }

  /** Before the first frame of media: the headers that are kept and did not just come by in the ring itself. */
  #leadIn(batch: FrameBatch, type: number, flags: number, timestampMs: number, sequence: number): void {
    const own = headerSlotOf(type, flags);
    if (own !== undefined) {
      this.#passedHeaders |= 1 << own;
      return;
    }
    this.#needsHeaders = false;
    const ring = this.#reader?.reader;
    for (const slot of headerSlots) {
      const sticky = (this.#passedHeaders & (1 << slot)) === 0 ? ring?.readSticky(slot) : undefined;
      // With the time of the first frame, so that the timeline of this player begins where its media does.
      if (sticky !== undefined) batch.append(this.line, sticky.type as FrameType, timestampMs, sticky.payload, sequence);
    }
    // Without a configuration the codec is one that starts anywhere, or there is no picture at all.
    if (ring?.stickyVersion(stickySlots.videoHeader) === 0) this.#waitsForKeyFrame = false;
  }

  #isUndecodable(type: number, flags: number): boolean {
    if (!this.#waitsForKeyFrame || type !== frameTypes.video || (flags & NO_MEDIA_MASK) !== 0) return false;
    this.#waitsForKeyFrame = (flags & frameFlags.keyFrame) === 0;
    return this.#waitsForKeyFrame;
  }

  #countTime(timestampMs: number): void {
    if (this.#lastTimestampMs !== undefined) this.#playedMs += Math.max(0, timestampDelta(this.#lastTimestampMs, timestampMs));
    this.#lastTimestampMs = timestampMs;
  }
}

function headerSlotOf(type: number, flags: number): number | undefined {
  if ((flags & frameFlags.metadata) !== 0) return stickySlots.metadata;
  if ((flags & frameFlags.videoMetadata) !== 0) return stickySlots.videoMetadata;
  if ((flags & frameFlags.sequenceHeader) === 0) return undefined;
  return type === frameTypes.video ? stickySlots.videoHeader : stickySlots.audioHeader;
}
