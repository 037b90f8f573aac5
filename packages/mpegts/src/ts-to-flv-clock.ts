/** Makes one line of time for FLV out of the 33-bit times of two tracks, whatever jumps there are. */
import { TIMESTAMP_MASK } from '@srs/kernel';
import { TICKS_PER_MS, TICKS_PER_SECOND, ticksBetween } from './clock-90k.ts';

/** The tracks of a stream are closer together; a longer way is a jump: another file, or a sender that began anew. */
const MAX_STEP = 10 * TICKS_PER_SECOND;
/** Where the line begins: a track may begin a little earlier than the one that comes first. */
const BEGIN = TICKS_PER_SECOND;
/** What is taken for the length of the last frame before a jump. */
const STEP_OVER_JUMP = 40 * TICKS_PER_MS;

/** A part of the stream without a jump: the last of its times, and where that lies on the line. */
class Stretch {
  #time: number;
  #ticks: number;

  constructor(time: number, ticks: number) {
    this.#time = time;
    this.#ticks = ticks;
  }

  has(time: number): boolean {
    return Math.abs(ticksBetween(this.#time, time)) <= MAX_STEP;
  }

  goTo(time: number): number {
    this.#ticks += ticksBetween(this.#time, time);
    this.#time = time;
    return this.#ticks;
  }
}

export class FlvClock {
  #newest: Stretch | undefined;
  /** The furthest point so far. */
  #end = BEGIN - STEP_OVER_JUMP;

  /** Times of one track: the tracks of a stream do not jump in the same moment. */
  track(): TrackClock {
    let own: Stretch | undefined;
    return {
      ticksAt: (time) => {
        own = [own, this.#newest].find((stretch) => stretch?.has(time)) ?? this.#begin(time);
        const ticks = own.goTo(time);
        this.#end = Math.max(this.#end, ticks);
        return ticks;
      },
    };
  }

  #begin(time: number): Stretch {
    this.#newest = new Stretch(time, this.#end + STEP_OVER_JUMP);
    return this.#newest;
  }
}

export interface TrackClock {
  /** @returns ticks on the line, which may be a little below 0 */
  ticksAt(time: number): number;
}

/** What stands in the head of a tag. */
export const timestampOf = (ticks: number): number => Math.max(0, Math.round(ticks / TICKS_PER_MS)) & TIMESTAMP_MASK;
