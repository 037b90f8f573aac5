/** Time as something that is passed in, so that codecs and streams can be tested without waiting. */

export interface Clock {
  /** Monotonic milliseconds since an arbitrary start; never jumps when the wall clock is set. */
  nowMs(): number;
  /** Milliseconds since 1970, as the operating system tells them. */
  wallMs(): number;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
};

/** A clock that moves only when told to. */
export class ManualClock implements Clock {
  #nowMs: number;
  #wallMs: number;

  constructor(options: { readonly nowMs?: number; readonly wallMs?: number } = {}) {
    this.#nowMs = options.nowMs ?? 0;
    this.#wallMs = options.wallMs ?? 1_700_000_000_000;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#wallMs;
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    this.#wallMs += ms;
  }
}
