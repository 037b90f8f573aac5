/** Feeds one output from the rings of one publish. */
import { describeError, type FrameType, frameFlags, frameTypes, type Log } from '@srs/kernel';
import { type RecordSink, stickySlots } from '@srs/ring';
import { headerSlots } from './header-slots.ts';
import type { LiveStream, StreamConsumer } from './live-stream.ts';
import type { FrameConsumer, OutputEnd } from './output.ts';
import type { RingSource } from './ring-source.ts';
import { type ReadResult, SourceReader } from './source-reader.ts';

export interface OutputReaderOptions {
  /** For the log: `hls of vhost/app/stream`. */
  readonly name: string;
  readonly stream: LiveStream;
  readonly consumer: FrameConsumer;
  /** The publish begins: nothing has been written yet, and everything is wanted. Otherwise it starts at the newest key frame. */
  readonly isFresh: boolean;
  readonly log: Log;
  /** This process's slot: the bit that asks writers for a wake-up. */
  readonly slot: number;
  /** It has ended, and all of it has been written. */
  readonly onWritten: () => void;
}

/** So much of the ring is read before others get a turn. */
const TURN_BYTES = 1024 * 1024;
/** These do not count as media: a joiner may get them before its first key frame. */
const NO_MEDIA_MASK = frameFlags.sequenceHeader | frameFlags.metadata | frameFlags.videoMetadata;

/**
 * Reads copies: what an output writes to a disk must be right, and cannot be taken back. The publish is over with its last ring; the
 * next one has a reader of its own.
 */
export class OutputReader implements StreamConsumer {
  readonly #options: OutputReaderOptions;
  readonly #sink: RecordSink;
  #reader: SourceReader | undefined;
  #hasStarted = false;
  #isClosed = false;
  #needsHeaders = false;
  #waitsForKeyFrame = false;
  /** Of what the current reader has counted as skipped. */
  #toldLost = 0;
  #immediate: NodeJS.Immediate | undefined;
  #failure: unknown;

  constructor(options: OutputReaderOptions) {
    this.#options = options;
    this.#sink = {
      onRecord: (type, flags, timestampMs, wallMs, _sequence, payload) => {
        this.#give(type as FrameType, flags, timestampMs, wallMs, payload);
      },
    };
    options.stream.attach(this);
  }

  onSource(source: RingSource): void {
    if (this.#isClosed) return;
    if (!this.#hasStarted) this.#enter(source, this.#options.isFresh);
    this.#hasStarted = true;
    this.onWake();
  }

  onWake(): void {
    if (this.#immediate === undefined && !this.#isClosed) this.#read();
  }

  /** The consumer is not full any more. */
  resume(from: 'next' | 'newest'): void {
    const before = this.#reader;
    if (this.#isClosed || before === undefined) return;
    const { source } = this.#options.stream;
    if (from === 'next' || source === undefined || this.#isOver) {
      this.onWake();
      return;
    }
    const nextSequence = before.reader.sequence;
    this.#enter(source, false);
    const newSequence = this.#reader?.reader.sequence ?? nextSequence;
    this.#afterGap(before.source === source ? Math.max(0, (newSequence - nextSequence) | 0) : 0);
  }

  /** Nothing more is given to the consumer. */
  close(reason: OutputEnd): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearImmediate(this.#immediate);
    this.#reader?.close();
    this.#reader = undefined;
    this.#options.stream.detach(this);
    const { consumer, log, name, onWritten } = this.#options;
    consumer
      .onEnd(reason)
      .catch((error: unknown) => log.error(`${name}: ${describeError(error)}`))
      .finally(onWritten);
  }

  #enter(source: RingSource, isFresh: boolean): void {
    this.#reader?.close();
    const reader = SourceReader.open(source, this.#onCorrupt);
    this.#reader = reader;
    this.#toldLost = 0;
    if (reader === undefined) return;
    if (isFresh && reader.reader.seekToFirst()) return;
    this.#needsHeaders = true;
    this.#waitsForKeyFrame = !reader.reader.seekToNewestKeyFrame();
  }

  /** Nothing is written to this publish any more. */
  get #isOver(): boolean {
    const { source } = this.#options.stream;
    return source === undefined || source.publisher?.cid !== this.#reader?.source.publisher?.cid;
  }

  readonly #onCorrupt = (error: Error): void => {
    this.#options.log.error(`${this.#options.name}: ${describeError(error)}`);
  };

  #read(): void {
    this.#immediate = undefined;
    const reader = this.#reader;
    if (reader === undefined) {
      if (this.#hasStarted && !this.#isClosed) this.#end('failed');
      return;
    }
    if (this.#options.consumer.isFull === true) {
      // What is left would wait for ever, and the next publish with it.
      if (this.#isOver) this.#end('unpublished');
      return;
    }
    let result: ReadResult;
    try {
      result = reader.readCopies(this.#sink, TURN_BYTES, this.#onCorrupt);
    } catch (error) {
      this.#failure = error;
      this.#end('failed');
      return;
    }
    switch (result) {
      case 'more':
        this.#later();
        return;
      case 'drained':
        if (!reader.reader.arm(this.#options.slot)) this.#later();
        return;
      case 'lapped':
        this.#afterGap(reader.reader.skippedRecords - this.#toldLost);
        this.#toldLost = reader.reader.skippedRecords;
        return;
      case 'ended':
        this.#followOn(reader);
        return;
    }
  }

  #later(): void {
    this.#immediate = setImmediate(() => this.#read());
  }

  /** The reader stands at the newest key frame, or at the live edge without one. */
  #afterGap(lostFrames: number): void {
    this.#needsHeaders = true;
    this.#waitsForKeyFrame = true;
    clearImmediate(this.#immediate);
    try {
      this.#options.consumer.onGap(lostFrames);
    } catch (error) {
      this.#failure = error;
      this.#end('failed');
      return;
    }
    this.#later();
  }

  #followOn(reader: SourceReader): void {
    const { next } = reader.source;
    if (!reader.hasMoved) {
      this.#end('unpublished');
      return;
    }
    // The ring that a growing stream moved to is announced a moment after the end of the old one: its news wakes this reader. When
    // there will be none, the publish has ended with its ring.
    if (next === undefined) {
      if (this.#options.stream.source === undefined) this.#end('unpublished');
      return;
    }
    if (next.publisher?.cid !== reader.source.publisher?.cid) {
      this.#end('unpublished');
      return;
    }
    if (!reader.followMove(next, this.#onCorrupt)) {
      this.#enter(next, false);
      this.#afterGap(0);
      return;
    }
    this.#toldLost = 0;
    this.#later();
  }

  #end(reason: OutputEnd): void {
    const { log, name } = this.#options;
    if (this.#failure !== undefined) log.error(`${name} ends until the next publish: ${describeError(this.#failure)}`);
    this.close(reason);
  }

  /** Hot path: no allocation. */
  #give(type: FrameType, flags: number, timestampMs: number, wallMs: number, payload: Buffer): void {
    if (this.#needsHeaders) this.#leadIn(timestampMs, wallMs);
    if (this.#waitsForKeyFrame && type === frameTypes.video && (flags & NO_MEDIA_MASK) === 0) {
      if ((flags & frameFlags.keyFrame) === 0) return;
      this.#waitsForKeyFrame = false;
    }
    this.#options.consumer.onFrame(type, flags, timestampMs, wallMs, payload);
  }

  /** What is kept for joiners, with the time of the first frame, so that the timeline begins where the media does. */
  #leadIn(timestampMs: number, wallMs: number): void {
    this.#needsHeaders = false;
    const reader = this.#reader?.reader;
    if (reader === undefined) return;
    for (const slot of headerSlots) {
      const sticky = reader.readSticky(slot);
      if (sticky === undefined) continue;
      this.#options.consumer.onFrame(sticky.type as FrameType, sticky.flags, timestampMs, wallMs, sticky.payload);
    }
    // Without a configuration the codec is one that starts anywhere, or there is no picture at all.
    if (reader.stickyVersion(stickySlots.videoHeader) === 0) this.#waitsForKeyFrame = false;
  }
}
