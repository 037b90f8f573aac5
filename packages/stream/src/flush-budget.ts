/** How much of its time one process spends on sending, and how long frames are collected so that it does not become more. */
import { type Clock, Distribution } from '@srs/kernel';

/** A stream alone may take one part in so many of the time. */
const STREAM_SHARE = 8;
/** All streams of the process together may take this part of the time before all of them collect for longer. */
const PROCESS_SHARE = 0.25;
const MAX_STRETCH = 64;
/** More than this part of the time is never given to sending, whatever the configuration says: new clients must be heard. */
const MOST_SHARE = 0.75;
/** How often the shares are looked at. */
const WINDOW_MS = 500;

export interface FlushLoad {
  /** Part of the time spent on giving batches to sockets, 0..1, in the last window. */
  readonly share: number;
  readonly writesPerSecond: number;
  readonly bytesPerSecond: number;
  /** How many times longer than for one stream alone frames are collected, 1 or more. */
  readonly stretch: number;
}

/**
 * Shared by all fan-outs of a process. One of them flushes as often as takes its share of the time; when all together take more
 * than theirs, everyone's interval is stretched by the same factor.
 */
export class FlushBudget {
  /** Of every batch that was given to players in step: how long its frames were to be collected. */
  readonly intervalsMs = new Distribution();
  /** And how long after its oldest frame had come in the last of these players had been given it. */
  readonly agesMs = new Distribution();
  readonly #clock: Clock;
  #windowStartMs: number;
  #costMs = 0;
  #writes = 0;
  #bytes = 0;
  /** How many times longer than `MOST_SHARE` asks of a stream alone every stream waits at least. */
  #relief = 1;
  #load: FlushLoad = { share: 0, writesPerSecond: 0, bytesPerSecond: 0, stretch: 1 };

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#windowStartMs = clock.nowMs();
  }

  get load(): FlushLoad {
    this.#look();
    return this.#load;
  }

  /** Hot path, once per flush. @param costMs it took to give `bytes` in `writes` to sockets */
  note(costMs: number, writes: number, bytes: number): void {
    this.#costMs += costMs;
    this.#writes += writes;
    this.#bytes += bytes;
    this.#look();
  }

  /** How long a stream whose flushes take `costMs` should collect frames, if nothing else bounds it. */
  intervalMs(costMs: number): number {
    return costMs * STREAM_SHARE * this.#load.stretch;
  }

  /** How long it has to collect them in any case, so that the process is left some time for everything else. */
  leastIntervalMs(costMs: number): number {
    return (costMs / MOST_SHARE) * this.#relief;
  }

  #look(): void {
    const nowMs = this.#clock.nowMs();
    const elapsedMs = nowMs - this.#windowStartMs;
    if (elapsedMs < WINDOW_MS) return;
    const share = this.#costMs / elapsedMs;
    this.#load = {
      share,
      writesPerSecond: (this.#writes * 1000) / elapsedMs,
      bytesPerSecond: (this.#bytes * 1000) / elapsedMs,
      stretch: Math.min(Math.max(1, (this.#load.stretch * share) / PROCESS_SHARE), MAX_STRETCH),
    };
    this.#relief = Math.min(Math.max(1, (this.#relief * share) / MOST_SHARE), MAX_STRETCH);
    this.#windowStartMs = nowMs;
    this.#costMs = 0;
    this.#writes = 0;
    this.#bytes = 0;
  }
}
