/** The writing end of one publish: does once per stream what every reader would otherwise do. */

import { classifyFrame, describeSequenceHeader } from '@srs/codec';
import type { RingRef } from '@srs/control';
import { type Arena, type Clock, type FrameType, frameFlags, frameTypes, type Log, TIMESTAMP_MASK } from '@srs/kernel';
import { RingReader, RingWriter, ringEndReasons, stickySlots } from '@srs/ring';
import { parseMetadata, type ServerProperties } from './metadata.ts';
import { TimeCorrection, type TimeJitter } from './time-correction.ts';

/** So many audio frames without a picture mean that there is no video (any more): joiners then start live. */
const AUDIO_ONLY_FRAMES = 115;

/** What the configuration says of a publish; may change while it runs. */
export interface StreamWriterSettings {
  readonly timeJitter: TimeJitter;
  readonly atc: boolean;
  /** Read decoder configurations: they are told in the log, and one that cannot be read ends the publish. */
  readonly parseHeaders: boolean;
  /** Metadata may switch atc on. */
  readonly atcAuto: boolean;
}

export interface StreamWriterOptions extends StreamWriterSettings {
  readonly arenas: readonly Arena[];
  /** Empty, but there: its readers may have been told of it before this writer. */
  readonly ring: RingRef;
  /** Slot and process that write; read by those who clean up after a death. */
  readonly writer: { readonly slot: number; readonly pid: number };
  readonly clock: Clock;
  readonly log: Log;
  readonly startTimestampMs: number;
  readonly serverProperties: ServerProperties;
  /** Wakes the process in a slot. */
  readonly ringDoorbell: (slot: number) => void;
  /**
   * The key-frame interval, or a single frame, does not fit any more: get a ring of at least that capacity and answer with
   * `moveTo`, or with `stay` when there is none. Called once until it is answered.
   */
  onOutgrown(capacityBytes: number): void;
}

export interface StreamWriterStatistics {
  readonly audioFrames: number;
  readonly videoFrames: number;
  readonly dataFrames: number;
  readonly bytes: number;
  readonly droppedFrames: number;
  readonly correctedTimestamps: number;
  readonly ringBytes: number;
  readonly gopBytes: number;
}

interface HeldFrame {
  readonly type: FrameType;
  readonly flags: number;
  readonly timestampMs: number;
  readonly wallMs: number;
  readonly payload: Buffer;
}

/** A ring that is too small is followed by one this much bigger. */
const GROWTH = 4;
/** A record takes at most this part of a ring. */
const MAX_RECORD_FRACTION = 4;
/** Header and padding of a record, at most, except for what is left over at the end of the ring. */
const RECORD_OVERHEAD_BYTES = 64;
/** Frames wait so long for a bigger ring if the one there is could hold them as well. */
const GROWTH_PATIENCE_MS = 300;
/** Between the last frame under one correction of time and the first under another. */
const RESTART_STEP_MS = 40;
/** What waits for a bigger ring, at most; the answer takes a millisecond. */
const MAX_HELD_BYTES = 32 * 1024 * 1024;

export class StreamWriter {
  readonly #options: StreamWriterOptions;
  #settings: StreamWriterSettings;
  readonly #ringDoorbell: (slot: number) => void;
  #ring: RingWriter;
  #ringRef: RingRef;
  #time: TimeCorrection;
  #isAtc: boolean;
  /** As the metadata told them last. */
  #rates = { audioSampleRate: 0, frameRate: 0 };
  #audioSinceVideo = 0;
  #growth: 'possible' | 'asked' | 'impossible' = 'possible';
  /** Frames since one that was too large for the ring, while a bigger one is asked for. */
  #held: HeldFrame[] = [];
  #isTooLargeHeld = false;
  #askedMs = 0;
  #heldBytes = 0;
  /** The headers that the ring keeps, by sticky slot. */
  readonly #kept = new Map<number, Buffer>();
  #isTooLargeTold = false;
  #isEnded = false;
  #audioFrames = 0;
  #videoFrames = 0;
  #dataFrames = 0;
  #bytes = 0;
  #droppedFrames = 0;
  #lastTimestampMs: number;
  /** When the frames came that have been written since the last flush: the clocks are asked once for all of them. */
  #arrivalMs: number;
  #arrivalWallMs = 0;
  #isFlushed = true;

  constructor(options: StreamWriterOptions) {
    this.#options = options;
    this.#settings = options;
    this.#ringDoorbell = options.ringDoorbell;
    this.#ringRef = options.ring;
    this.#ring = RingWriter.open(options.arenas[options.ring.arena]!, options.ring, {
      writerSlot: options.writer.slot,
      writerPid: options.writer.pid,
    });
    this.#isAtc = options.atc;
    this.#time = new TimeCorrection({ mode: timeModeOf(options), startTimestampMs: options.startTimestampMs });
    this.#lastTimestampMs = options.startTimestampMs;
    this.#arrivalMs = options.clock.nowMs();
  }

  /** When the newest frame came, on the clock; before the first one, when this writer was made. */
  get lastArrivalMs(): number {
    return this.#arrivalMs;
  }

  get lastTimestampMs(): number {
    return this.#lastTimestampMs;
  }

  get statistics(): StreamWriterStatistics {
    return {
      audioFrames: this.#audioFrames,
      videoFrames: this.#videoFrames,
      dataFrames: this.#dataFrames,
      bytes: this.#bytes,
      droppedFrames: this.#droppedFrames,
      correctedTimestamps: this.#time.correctedFrames,
      ringBytes: this.#ring.capacityBytes,
      gopBytes: this.#ring.gopBytes,
    };
  }

  /**
   * From the next frame on. Corrected times go on from where they are; the encoder's own may be anywhere. The frames before and after
   * such a step are no group of pictures: who joins starts at the next key frame.
   */
  configure(settings: StreamWriterSettings): void {
    const previous = this.#settings;
    this.#settings = settings;
    const isSame = settings.atc === previous.atc && timeModeOf(settings) === timeModeOf(previous);
    // The metadata has switched it on, and may still do so.
    const isAtcByMetadata = this.#isAtc && !previous.atc && settings.atcAuto;
    if (isSame || isAtcByMetadata || this.#isEnded) return;
    this.#isAtc = settings.atc;
    this.#time = new TimeCorrection({
      mode: timeModeOf(settings),
      startTimestampMs: (this.#lastTimestampMs + RESTART_STEP_MS) & TIMESTAMP_MASK,
    });
    this.#time.setRates(this.#rates);
    this.#ring.forgetKeyFrame();
  }

  /**
   * Hot path: one copy into shared memory, no allocation for a picture or sound.
   * @param timestampMs as received, 31 bits
   * @param payload valid during the call only
   * @throws SrsError for a decoder configuration or metadata that cannot be read
   */
  write(type: FrameType, timestampMs: number, payload: Buffer): void {
    if (this.#isEnded) return;
    if (this.#isFlushed) this.#arrive();
    this.#bytes += payload.length;
    if (type === frameTypes.data) {
      this.#writeData(timestampMs, payload);
      return;
    }
    const flags = classifyFrame(type, payload);
    const correctedMs = this.#time.correct(type, timestampMs, this.#arrivalMs);
    if ((flags & (frameFlags.sequenceHeader | frameFlags.videoMetadata)) !== 0)
      this.#keepHeader(type, flags, correctedMs, payload);
    else this.#countTrack(type);
    this.#append(type, flags, correctedMs, payload);
  }

  /**
   * Wakes the readers that sleep. Call it when the frames that came together have been written, at the latest at the end of the
   * tick: what is written next has come later.
   */
  flush(): void {
    this.#isFlushed = true;
    this.#ring.takeArmed(this.#ringDoorbell);
  }

  /** Goes on in a bigger ring; readers find every frame from the newest key frame on there, under the same sequence numbers. */
  moveTo(ringRef: RingRef): void {
    const { arenas } = this.#options;
    const reader = new RingReader(arenas[this.#ringRef.arena]!, this.#ringRef, this.#ringRef.generation);
    if (!reader.seekToNewestKeyFrame()) reader.seekToLiveEdge();
    const next = this.#createBiggerRing(ringRef, reader.sequence);
    for (const slot of Object.values(stickySlots)) {
      const sticky = reader.readSticky(slot);
      if (sticky !== undefined) next.setSticky(slot, sticky.type, sticky.flags, sticky.timestampMs, sticky.payload);
    }
    reader.pollCopies({
      onRecord: (type, flags, timestampMs, wallMs, _sequence, payload) => {
        next.write(type, flags, timestampMs, wallMs, payload);
      },
    });
    this.#ring.end(ringEndReasons.moved);
    this.#ring.takeArmed(this.#ringDoorbell);
    this.#ring = next;
    this.#ringRef = ringRef;
    this.#growth = 'possible';
    this.#writeHeld();
  }

  /** There is no bigger ring: goes on in this one. Joiners may have to wait for a key frame, and what does not fit is dropped. */
  stay(): void {
    this.#growth = 'impossible';
    this.#writeHeld();
  }

  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    // A bigger ring would come too late: what was held back for it goes into this one, as far as it fits.
    this.#growth = 'impossible';
    this.#writeHeld();
    this.#ring.end(ringEndReasons.finished);
    this.flush();
  }

  #arrive(): void {
    const { clock } = this.#options;
    this.#isFlushed = false;
    this.#arrivalMs = clock.nowMs();
    this.#arrivalWallMs = clock.wallMs();
  }

  /** Readers are told of it once it has what they need to go on. */
  #createBiggerRing(ref: RingRef, firstSequence: number): RingWriter {
    const { arenas, writer } = this.#options;
    return RingWriter.create(arenas[ref.arena]!, ref, {
      generation: ref.generation,
      firstSequence,
      writerSlot: writer.slot,
      writerPid: writer.pid,
    });
  }

  #append(type: FrameType, flags: number, timestampMs: number, payload: Buffer): void {
    this.#lastTimestampMs = timestampMs;
    const wallMs = this.#arrivalWallMs;
    if (this.#mustWait(payload.length)) {
      this.#hold({ type, flags, timestampMs, wallMs, payload });
      return;
    }
    if (!this.#ring.write(type, flags, timestampMs, wallMs, payload)) {
      this.#outgrow(payload.length * MAX_RECORD_FRACTION);
      this.#isTooLargeHeld = true;
      this.#hold({ type, flags, timestampMs, wallMs, payload });
      return;
    }
    // Early, so that the key frame is still there when the bigger ring comes.
    if (this.#ring.gopBytes * 2 > this.#ring.capacityBytes) this.#outgrow(this.#ring.capacityBytes);
  }

  #outgrow(capacityBytes: number): void {
    if (this.#growth !== 'possible') return;
    this.#growth = 'asked';
    this.#askedMs = this.#options.clock.nowMs();
    this.#options.onOutgrown(Math.max(capacityBytes, this.#ring.capacityBytes) * GROWTH);
  }

  /**
   * Whether a frame must wait for a bigger ring that has been asked for: behind one that is too large for this ring, or because it
   * would overwrite the newest key frame. An encoder that makes up for a pause sends seconds of media before the answer can be
   * read; but players of a running stream must not wait long for a back-source that is away.
   */
  #mustWait(payloadLength: number): boolean {
    if (this.#growth !== 'asked') return false;
    if (this.#isTooLargeHeld) return true;
    if (this.#options.clock.nowMs() - this.#askedMs >= GROWTH_PATIENCE_MS) {
      this.#writeHeld();
      return false;
    }
    const { gopBytes, capacityBytes } = this.#ring;
    return this.#held.length > 0 || (gopBytes > 0 && gopBytes + payloadLength + RECORD_OVERHEAD_BYTES > capacityBytes);
  }

  #hold(frame: HeldFrame): void {
    this.#heldBytes += frame.payload.length;
    if (this.#growth !== 'asked' || this.#heldBytes > MAX_HELD_BYTES) {
      this.#heldBytes -= frame.payload.length;
      this.#drop(frame.payload.length);
      return;
    }
    this.#held.push({ ...frame, payload: Buffer.from(frame.payload) });
  }

  #writeHeld(): void {
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    this.#isTooLargeHeld = false;
    for (const { type, flags, timestampMs, wallMs, payload } of held) {
      if (!this.#ring.write(type, flags, timestampMs, wallMs, payload)) this.#drop(payload.length);
    }
    this.flush();
  }

  #writeData(timestampMs: number, payload: Buffer): void {
    this.#dataFrames += 1;
    const metadata = parseMetadata(payload, this.#options.serverProperties);
    if (metadata === undefined) {
      this.#append(frameTypes.data, 0, this.#time.correct(frameTypes.data, timestampMs, this.#arrivalMs), payload);
      return;
    }
    if (this.#isNews(stickySlots.metadata, metadata.payload)) this.#options.log.trace(`got metadata${metadata.summary}`);
    this.#rates = metadata;
    this.#time.setRates(metadata);
    if (metadata.wantsAtc && this.#settings.atcAuto && !this.#isAtc) {
      this.#isAtc = true;
      this.#time = new TimeCorrection({ mode: 'off', startTimestampMs: 0 });
    }
    const correctedMs = this.#time.correct(frameTypes.data, timestampMs, this.#arrivalMs);
    this.#setSticky(stickySlots.metadata, frameTypes.data, frameFlags.metadata, correctedMs, metadata.payload);
    this.#append(frameTypes.data, frameFlags.metadata, correctedMs, metadata.payload);
  }

  #keepHeader(type: FrameType, flags: number, timestampMs: number, payload: Buffer): void {
    if ((flags & frameFlags.videoMetadata) !== 0) {
      this.#setSticky(stickySlots.videoMetadata, type, flags, timestampMs, payload);
      return;
    }
    const slot = type === frameTypes.video ? stickySlots.videoHeader : stickySlots.audioHeader;
    if (this.#settings.parseHeaders && this.#isNews(slot, payload)) {
      this.#options.log.trace(describeSequenceHeader(type, payload));
    }
    this.#setSticky(slot, type, flags, timestampMs, payload);
  }

  /** Whether these headers differ from the last ones. Some encoders repeat them with every key frame; the log tells them once. */
  #isNews(slot: number, payload: Buffer): boolean {
    return this.#kept.get(slot)?.equals(payload) !== true;
  }

  #setSticky(slot: number, type: FrameType, flags: number, timestampMs: number, payload: Buffer): void {
    if (this.#ring.setSticky(slot, type, flags, timestampMs, payload)) {
      if (this.#isNews(slot, payload)) this.#kept.set(slot, Buffer.from(payload));
      return;
    }
    if (this.#isTooLargeTold) return;
    this.#isTooLargeTold = true;
    this.#options.log.warn(
      `metadata or sequence header of ${payload.length} bytes is too large to be kept for players that come later`,
    );
  }

  #countTrack(type: FrameType): void {
    if (type === frameTypes.video) {
      this.#videoFrames += 1;
      this.#audioSinceVideo = 0;
      return;
    }
    this.#audioFrames += 1;
    this.#audioSinceVideo += 1;
    if (this.#audioSinceVideo === AUDIO_ONLY_FRAMES + 1) this.#ring.forgetKeyFrame();
  }

  #drop(sizeBytes: number): void {
    this.#droppedFrames += 1;
    if (this.#droppedFrames === 1) {
      this.#options.log.warn(
        `a frame of ${sizeBytes} bytes does not fit into a ring of ${this.#ring.capacityBytes} bytes (a quarter of it at most) and is dropped`,
      );
    }
  }
}

const timeModeOf = ({ atc, timeJitter }: StreamWriterSettings): TimeJitter => (atc ? 'off' : timeJitter);
