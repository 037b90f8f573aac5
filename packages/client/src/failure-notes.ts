/** Which failures of something that is tried over and over are worth a line in the log. */
import type { Clock } from '@srs/kernel';

/** The same failure is written down again after this. */
const SAME_FAILURE_MS = 60_000;

/** A server that is away for a day is not worth a line every three seconds. */
export class FailureNotes {
  readonly #clock: Clock;
  #last = '';
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The failure is another one than the last that was told, or that was a minute ago. */
  isNews(failure: string): boolean {
    const nowMs = this.#clock.nowMs();
    if (failure === this.#last && nowMs - this.#toldAtMs < SAME_FAILURE_MS) return false;
    this.#last = failure;
    this.#toldAtMs = nowMs;
    return true;
  }

  /** It has worked: whatever fails next is news. */
  clear(): void {
    this.#last = '';
  }
}
