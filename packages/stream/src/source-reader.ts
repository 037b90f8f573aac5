/** A place in a ring source: one reader, with the source kept in use as long as it is open. */
import { SrsError } from '@srs/kernel';
import { pollResults, type RecordSink, type RingReader, ringEndReasons, type ViewSink } from '@srs/ring';
import type { RingSource } from './ring-source.ts';

/**
 * `more`: call again. `drained`: nothing new. `lapped`: overtaken by the writer; the reader stands somewhere newer. `ended`: the
 * ring is finished (or broken, which has been reported), see `source.next`.
 */
export type ReadResult = 'more' | 'drained' | 'lapped' | 'ended';

export type OnCorrupt = (error: Error) => void;

export class SourceReader {
  #source: RingSource;
  #reader: RingReader;
  #isClosed = false;

  private constructor(source: RingSource, reader: RingReader) {
    this.#source = source.retain();
    this.#reader = reader;
  }

  /** At the live edge. Undefined when the ring cannot be read, which is reported. */
  static open(source: RingSource, onCorrupt: OnCorrupt): SourceReader | undefined {
    const reader = openRing(source, onCorrupt);
    return reader === undefined ? undefined : new SourceReader(source, reader);
  }

  get source(): RingSource {
    return this.#source;
  }

  get reader(): RingReader {
    return this.#reader;
  }

  /** The ring ended because a bigger one goes on with the next frame. */
  get hasMoved(): boolean {
    return this.#reader.ended === ringEndReasons.moved;
  }

  /** Whether reading could bring anything. Costs next to nothing. */
  get hasNews(): boolean {
    return this.#reader.hasNews || this.#source.isSuperseded;
  }

  /** Another reader at the same place. */
  fork(): SourceReader {
    return new SourceReader(this.#source, this.#reader.fork());
  }

  /** How many bytes of the ring `other` is ahead; undefined when it reads another ring. */
  bytesTo(other: SourceReader): number | undefined {
    return other.#source === this.#source ? (other.#reader.position - this.#reader.position) | 0 : undefined;
  }

  /** Hot path. `maxBytes` of the ring at most, but one record at least. */
  read(sink: ViewSink, maxBytes: number, onCorrupt: OnCorrupt): ReadResult {
    return this.#explain(this.#reader.poll(sink, maxBytes), onCorrupt);
  }

  /** As `read`, for sinks that cannot take back: their payloads are copies that the writer cannot reach, valid during the call only. */
  readCopies(sink: RecordSink, maxBytes: number, onCorrupt: OnCorrupt): ReadResult {
    return this.#explain(this.#reader.pollCopies(sink, maxBytes), onCorrupt);
  }

  /**
   * Goes on in the successor of a ring that has moved.
   * @returns false when there is no going on without a gap; this reader then stays where it is
   */
  followMove(next: RingSource, onCorrupt: OnCorrupt): boolean {
    if (!this.hasMoved) return false;
    const reader = openRing(next, onCorrupt);
    if (reader === undefined || !reader.seekToSequence(this.#reader.sequence)) return false;
    next.retain();
    this.#source.release();
    this.#source = next;
    this.#reader = reader;
    return true;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#source.release();
  }

  #explain(result: number, onCorrupt: OnCorrupt): ReadResult {
    switch (result) {
      case pollResults.idle:
        return this.#source.isSuperseded ? 'ended' : 'drained';
      case pollResults.lapped:
        return 'lapped';
      case pollResults.ended:
        return 'ended';
      case pollResults.corrupt:
        onCorrupt(new SrsError('RingCorrupt', this.#reader.fault ?? 'unknown fault'));
        return 'ended';
      default:
        return 'more';
    }
  }
}

function openRing(source: RingSource, onCorrupt: OnCorrupt): RingReader | undefined {
  try {
    return source.openReader();
  } catch (error) {
    onCorrupt(error instanceof Error ? error : new Error(String(error)));
    return undefined;
  }
}
