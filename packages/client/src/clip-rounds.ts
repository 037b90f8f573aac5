/** The endless sequence of frames that a clip gives when it is repeated. */
import { TIMESTAMP_MASK } from '@srs/kernel';
import type { ClipFrame, FlvClip } from './flv-clip.ts';

/** What is repeated: an `FlvClip`, or one made from it whose frames know more. */
export interface RepeatedClip<Frame extends ClipFrame> extends Pick<FlvClip, 'durationMs' | 'changesHeaders'> {
  readonly headers: readonly Frame[];
  readonly frames: readonly Frame[];
}

/**
 * Headers come once, at the start; in each round only if they change within the clip. Times go on over the rounds without a
 * step, so a player sees one long stream.
 */
export class ClipRounds<Frame extends ClipFrame = ClipFrame> {
  readonly #clip: RepeatedClip<Frame>;
  readonly #round: readonly Frame[];
  #current: readonly Frame[];
  #index = 0;
  #roundStartMs = 0;

  constructor(clip: RepeatedClip<Frame>) {
    this.#clip = clip;
    this.#current = [...clip.headers, ...clip.frames];
    this.#round = clip.changesHeaders ? this.#current : clip.frames;
  }

  /** The frame to send next. */
  get frame(): Frame {
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
