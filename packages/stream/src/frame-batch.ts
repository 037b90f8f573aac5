/** Records from a ring, encoded for the wire, one behind the other. */
import type { FrameType } from '@srs/kernel';
import type { Batch, EncodedBytes } from './batch.ts';

/**
 * The frames of one stream in one format, one behind the other, as those in step get them together, or a player behind by itself. In
 * most formats a frame stands for itself; others count what they have written, and have clocks.
 */
export interface FrameLine {
  /**
   * How long the frame is on the wire, 0 when it is left out. `encode` of the same frame follows.
   * @param payload may be overwritten while it is looked at, see `ViewSink`
   * @param sequence number of the record; of headers that are kept, that of the record they come before
   */
  encodedBytes(type: FrameType, timestampMs: number, payload: Buffer, sequence: number): number;
  /** Writes the frame at `offset`; `target` has room for `encodedBytes`. */
  encode(target: Buffer, offset: number, type: FrameType, timestampMs: number, payload: Buffer): void;
  /** What comes next does not follow on what was encoded last: frames are left out, or bytes have been taken back. */
  interrupt?(): void;
  /**
   * For a player that has got all of this line and goes on with what `line` encodes next.
   * @returns what it must be given before; undefined for nothing
   */
  bridgeTo?(line: FrameLine): Buffer | undefined;
}

/** How frames look on the wire of one format. */
export interface FrameEncoder {
  /**
   * The only line, when frames stand for themselves.
   * @param from of this encoder or one before it: goes on from where that is; absent for a player that has not got anything
   */
  openLine(from?: FrameLine): FrameLine;
}

/** Empty between two turns of its users, so that all fan-outs of a process share the memory. */
export class FrameBatch {
  readonly #batch: Batch;
  #mark = 0;

  constructor(batch: Batch) {
    this.#batch = batch;
  }

  get length(): number {
    return this.#batch.length;
  }

  /** The record that begins here can be taken back. */
  mark(): void {
    this.#mark = this.#batch.length;
  }

  /** Takes back everything since `mark`: it was overwritten while it was read. */
  rollBack(): void {
    this.#batch.truncate(this.#mark);
  }

  /** Hot path: the only copy between the ring and the sockets. */
  append(line: FrameLine, type: FrameType, timestampMs: number, payload: Buffer, sequence: number): void {
    const sizeBytes = line.encodedBytes(type, timestampMs, payload, sequence);
    const offset = this.#batch.reserve(sizeBytes);
    line.encode(this.#batch.slab, offset, type, timestampMs, payload);
    this.#batch.commit(sizeBytes);
  }

  /** What is on the wire as it stands. */
  appendBytes(bytes: Buffer): void {
    bytes.copy(this.#batch.slab, this.#batch.reserve(bytes.length));
    this.#batch.commit(bytes.length);
  }

  /** What has been appended since the last `take`. Sockets may keep it. */
  take(): EncodedBytes {
    return this.#batch.take();
  }

  /** Nobody holds the bytes of the last `take` any more: their place is used again. */
  reuse(taken: EncodedBytes): void {
    this.#batch.reuse(taken);
  }
}
