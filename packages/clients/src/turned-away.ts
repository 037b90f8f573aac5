/** Tells of clients that were closed before anything was read from them: in a flood, one line a second for all. */
import type { Clock, Log } from '@srs/kernel';

const LINE_INTERVAL_MS = 1_000;

export class TurnedAway {
  readonly #log: Log;
  readonly #clock: Clock;
  #lineMs = Number.NEGATIVE_INFINITY;
  #untold = 0;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** @param reason with the address and the limit */
  add(reason: string): void {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#lineMs < LINE_INTERVAL_MS) {
      this.#untold += 1;
      return;
    }
    const others = this.#untold === 0 ? '' : `, as were ${this.#untold} others since the last such line`;
    this.#log.error(`client refused. ret=1051: ${reason}${others}`);
    this.#lineMs = nowMs;
    this.#untold = 0;
  }
}
