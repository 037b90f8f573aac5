/** Adds what this process has counted to what its predecessors in the slot had, so that no counter ever falls. */
import { COUNTER_WORDS, type PartialCounters, writeCounters } from '@srs/control';

/** A worker that is killed takes what it has counted since the last time with it. */
const KEEP_EVERY_MS = 2_000;

/** Keeps from the constructor on, until `close`. Keeps no process alive. */
export class CounterKeeper {
  readonly #words: Float64Array;
  readonly #read: () => PartialCounters;
  readonly #timer: NodeJS.Timeout;
  /** What was read last, and the time before. */
  #latest = new Float64Array(COUNTER_WORDS);
  #before = new Float64Array(COUNTER_WORDS);

  /**
   * @param words the slot's place in the shared memory
   * @param read what this process has counted since it started
   */
  constructor(words: Float64Array, read: () => PartialCounters) {
    this.#words = words;
    this.#read = read;
    this.#timer = setInterval(() => this.keep(), KEEP_EVERY_MS).unref();
  }

  /** Only growth counts: a sum over what is open at the moment falls when something closes. */
  keep(): void {
    [this.#before, this.#latest] = [this.#latest, this.#before];
    writeCounters(this.#read(), this.#latest);
    for (let index = 0; index < COUNTER_WORDS; index += 1) {
      this.#words[index]! += Math.max(0, this.#latest[index]! - this.#before[index]!);
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.keep();
  }
}
