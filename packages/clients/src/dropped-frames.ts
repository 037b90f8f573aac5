/** Frames that a format leaves out: a line in the log for the first, and one for each interval in which there were more. */
import { type Clock, describeError, type Log } from '@srs/kernel';

const INTERVAL_MS = 10_000;

export class DroppedFrames {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #name: string;
  #toldMs: number | undefined;
  #count = 0;

  /** @param name what they are left out of */
  constructor(name: string, clock: Clock, log: Log) {
    this.#name = name;
    this.#clock = clock;
    this.#log = log;
  }

  readonly note = (error: unknown): void => {
    this.#count += 1;
    const nowMs = this.#clock.nowMs();
    if (this.#toldMs !== undefined && nowMs - this.#toldMs < INTERVAL_MS) return;
    const what = this.#count === 1 ? 'a frame is' : `${this.#count} frames are`;
    this.#log.warn(`${this.#name}: ${what} left out: ${describeError(error)}`);
    this.#toldMs = nowMs;
    this.#count = 0;
  };
}
