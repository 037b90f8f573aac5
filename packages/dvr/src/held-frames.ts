/** Frames that wait until it is known where they go. */
import { type FrameType, SrsError } from '@srs/kernel';

export interface HeldFrame {
  readonly type: FrameType;
  readonly flags: number;
  readonly timestampMs: number;
  readonly wallMs: number;
  readonly payload: Buffer;
}

/** What a frame costs beside its payload. */
const ITEM_BYTES = 256;

export class HeldFrames {
  readonly frames: HeldFrame[] = [];
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @returns why the frame is not held: there are too many */
  add(frame: HeldFrame): SrsError | undefined {
    this.#bytes += frame.payload.length + ITEM_BYTES;
    if (this.#bytes > this.#maxBytes) {
      this.frames.length = 0;
      const message = `the disk is too slow: ${this.#bytes} bytes wait for the file to go on with, at most ${this.#maxBytes} may`;
      return new SrsError('FileRead', message);
    }
    this.frames.push({ ...frame, payload: Buffer.from(frame.payload) });
    return undefined;
  }
}
