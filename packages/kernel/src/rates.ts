/** Byte counters and the rates SRS prints: average since the start, and over the last 30 s and 5 min. */
import type { Clock } from './clock.ts';

const WINDOW_30S_MS = 30_000;
const WINDOW_5M_MS = 300_000;

class Window {
  readonly #lengthMs: number;
  #startMs: number;
  #startBytes = 0;
  #kbps = 0;

  constructor(lengthMs: number, nowMs: number) {
    this.#lengthMs = lengthMs;
    this.#startMs = nowMs;
  }

  /** Recomputed only when the window has passed; 0 before the first one has. */
  sample(bytes: number, nowMs: number): number {
    const elapsedMs = nowMs - this.#startMs;
    if (elapsedMs >= this.#lengthMs) {
      this.#kbps = ((bytes - this.#startBytes) * 8) / elapsedMs;
      this.#startMs = nowMs;
      this.#startBytes = bytes;
    }
    return this.#kbps;
  }
}

/** Kilobits per second of one direction: average of the session, of the last full 30 s, of the last full 5 min. */
export interface Kbps {
  readonly average: number;
  readonly last30s: number;
  readonly last5m: number;
}

/** Turns a growing byte count into rates. Call `sample` now and then (SRS: every few seconds). */
export class RateMeter {
  readonly #clock: Clock;
  readonly #startMs: number;
  readonly #window30s: Window;
  readonly #window5m: Window;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startMs = clock.nowMs();
    this.#window30s = new Window(WINDOW_30S_MS, this.#startMs);
    this.#window5m = new Window(WINDOW_5M_MS, this.#startMs);
  }

  /** @param bytes all bytes since the start of the session */
  sample(bytes: number): Kbps {
    const nowMs = this.#clock.nowMs();
    const elapsedMs = nowMs - this.#startMs;
    return {
      average: elapsedMs > 0 ? Math.round((bytes * 8) / elapsedMs) : 0,
      last30s: Math.round(this.#window30s.sample(bytes, nowMs)),
      last5m: Math.round(this.#window5m.sample(bytes, nowMs)),
    };
  }
}
