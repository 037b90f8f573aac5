/** Where the key frames of a file are: bounded, by becoming less dense. */
import { timestampDelta } from '@srs/kernel';

/** Two entries are at least so far apart, and further each time the index is full. */
const FIRST_INTERVAL_MS = 500;

/**
 * Keeps places of a file with their times. When it is full it goes on with twice the least distance of two entries, for those that it has and for those
 * to come, so that a file of any length is covered evenly.
 */
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
    if (!this.#isFar(timestampMs)) return;
    if (this.size >= this.#maxEntries) {
      this.#thin();
      if (!this.#isFar(timestampMs)) return;
    }
    if (this.size < this.#maxEntries) this.#entries.push(timestampMs, position);
  }

  clear(): void {
    this.#entries = [];
    this.#intervalMs = FIRST_INTERVAL_MS;
  }

  #isFar(timestampMs: number): boolean {
    return this.size === 0 || timestampDelta(this.#entries.at(-2)!, timestampMs) >= this.#intervalMs;
  }

  #thin(): void {
    const all = this.#entries;
    let leastMs = Number.POSITIVE_INFINITY;
    for (let at = 2; at < all.length; at += 2) leastMs = Math.min(leastMs, timestampDelta(all[at - 2]!, all[at]!));
    this.#intervalMs = Math.max(this.#intervalMs, 2 * leastMs);
    this.#entries = all.slice(0, 2);
    for (let at = 2; at < all.length; at += 2) if (this.#isFar(all[at]!)) this.#entries.push(all[at]!, all[at + 1]!);
  }
}
