/** Records from a ring, encoded for the wire, one behind the other. */
import type { FrameType } from '@srs/kernel';
import type { Batch, EncodedBytes } from './batch.ts';

/** How a frame looks on the wire of one format. */
export interface FrameEncoder {
  encodedBytes(type: FrameType, timestampMs: number, payloadLength: number): number;
  /** Writes the frame at `offset`; `target` has room for `encodedBytes`. */
  encode(target: Buffer, offset: number, type: FrameType, timestampMs: number, payload: Buffer): void;
}

/** Empty between two turns of its users, so that all fan-outs of a process share the memory. */
export class FrameBatch {
  #encoder: FrameEncoder;
  readonly #batch: Batch;
  #mark = 0;

  constructor(encoder: FrameEncoder, batch: Batch) {
    this.#encoder = encoder;
    this.#batch = batch;
  }

  get length(): number {
    return this.#batch.length;
  }

  /** From the next record on; what has been appended must have been taken. */
  changeEncoder(encoder: FrameEncoder): void {
    this.#encoder = encoder;
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
  append(type: FrameType, timestampMs: number, payload: Buffer): void {
    const sizeBytes = this.#encoder.encodedBytes(type, timestampMs, payload.length);
    const offset = this.#batch.reserve(sizeBytes);
    this.#encoder.encode(this.#batch.slab, offset, type, timestampMs, payload);
    this.#batch.commit(sizeBytes);
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
