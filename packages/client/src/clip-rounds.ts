/** The endless sequence of frames that a clip gives when it is repeated. */
import { TIMESTAMP_MASK } from '@srs/kernel';
import type { ClipFrame, FlvClip } from './flv-clip.ts';

/**
 * Headers come once, at the start; in each round only if they change within the clip. Times go on over the rounds without a
 * step, so a player sees one long stream.
 */
export class ClipRounds {
  readonly #clip: FlvClip;
  readonly #round: readonly ClipFrame[];
  #current: readonly ClipFrame[];
  #index = 0;
  #roundStartMs = 0;

  constructor(clip: FlvClip) {
    this.#clip = clip;
    this.#current = [...clip.headers, ...clip.frames];
    this.#round = clip.changesHeaders ? this.#current : clip.frames;
  }

  /** The frame to send next. */
  get frame(): ClipFrame {
    return this.#current[this.#index]!;
  }

  /** When it is to be sent: milliseconds from the start of the first round, without wrap. */
  get dueMs(): number {
    return this.#roundStartMs + this.frame.timeMs;
  }

  /** The same as RTMP counts it: 31 bits. */
  get timestampMs(): number {
    return this.dueMs % (TIMESTAMP_MASK + 1);
  }

  /** Goes on to the next frame. */
  advance(): void {
    this.#index += 1;
    if (this.#index < this.#current.length) return;
    this.#index = 0;
    this.#current = this.#round;
    this.#roundStartMs += this.#clip.durationMs;
  }
}
