/** Where the key frames of a file are: bounded, by becoming less dense. */
import { timestampDelta } from '@srs/kernel';

/** Two entries are at least so far apart; twice as far each time the index is full. */
const FIRST_INTERVAL_MS = 500;

/** Keeps places of a file with their times. When it is full, every second one goes, so that a file of any length is covered evenly. */
export class KeyFrameIndex {
  readonly #maxEntries: number;
  #intervalMs = FIRST_INTERVAL_MS;
  /** Timestamps and positions in turn. */
  #entries: number[] = [];

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  get size(): number {
    return this.#entries.length / 2;
  }

  /** Timestamps in ms and positions in turn. */
  get entries(): readonly number[] {
    return this.#entries;
  }

  /** @param position of the first byte of the tag */
  add(timestampMs: number, position: number): void {
    if (this.size > 0 && timestampDelta(this.#entries.at(-2)!, timestampMs) < this.#intervalMs) return;
    if (this.size >= this.#maxEntries) this.#thin();
    if (this.size < this.#maxEntries) this.#entries.push(timestampMs, position);
  }

  clear(): void {
    this.#entries = [];
    this.#intervalMs = FIRST_INTERVAL_MS;
  }

  #thin(): void {
    this.#intervalMs *= 2;
    this.#entries = this.#entries.filter((_, index) => index % 4 < 2);
  }
}
