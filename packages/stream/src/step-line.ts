/** The line of frames that all players in step are given together, and how one comes from its own line into it and back. */
import type { FrameEncoder, FrameLine } from './frame-batch.ts';

export class StepLine {
  #encoder: FrameEncoder;
  #current: FrameLine;

  constructor(encoder: FrameEncoder) {
    this.#encoder = encoder;
    this.#current = encoder.openLine();
  }

  /** Hot path: the frames of those in step are encoded with it. */
  get current(): FrameLine {
    return this.#current;
  }

  /** For a player that has not got anything. */
  open(): FrameLine {
    return this.#encoder.openLine();
  }

  /** For a player that goes on by itself from where all in step are. */
  fork(): FrameLine {
    return this.#encoder.openLine(this.#current);
  }

  /** Nobody is in step: goes on from where the first player is that comes. */
  adopt(own: FrameLine): void {
    this.#current = this.#encoder.openLine(own);
  }

  /** @returns what a player that has got all of its own line must be given before it is in this one; undefined for nothing */
  bridgeFrom(own: FrameLine): Buffer | undefined {
    return own.bridgeTo?.(this.#current);
  }

  /** Goes on from where it is, in another form. */
  changeEncoder(encoder: FrameEncoder): void {
    this.#encoder = encoder;
    this.#current = encoder.openLine(this.#current);
  }
}
