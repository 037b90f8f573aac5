/** The players in step: a dense array, gone through once per batch even while players come and go. */
import type { PlayerState } from './player-state.ts';

const FIRST_CAPACITY = 16;

/**
 * A pass goes from the end to the beginning, and everybody below a border has still to be served. Whoever comes is put behind the
 * border, and whoever leaves is replaced so that nobody crosses it: a pass serves each player that was there at its beginning
 * once, or not at all when it left before its turn.
 */
export class StepArray {
  readonly #states: PlayerState[] = [];
  /** Their descriptors, one behind the other: a pass that only sends waits for no memory of theirs. */
  #descriptors = new Int32Array(FIRST_CAPACITY);
  #unserved = 0;

  get length(): number {
    return this.#states.length;
  }

  values(): IterableIterator<PlayerState> {
    return this.#states.values();
  }

  beginPass(): void {
    this.#unserved = this.#states.length;
  }

  /** Hot path. The next player of the pass is taken for served. @returns false at the end of the pass */
  next(): boolean {
    if (this.#unserved === 0) return false;
    this.#unserved -= 1;
    return true;
  }

  /** Hot path. Of the player that `next` came to; -1 when it has none. */
  get descriptor(): number {
    return this.#descriptors[this.#unserved]!;
  }

  /** The player that `next` came to. */
  get current(): PlayerState {
    return this.#states[this.#unserved]!;
  }

  /** Whether the pass under way has not come to this player yet. */
  isUnserved(state: PlayerState): boolean {
    return state.stepIndex >= 0 && state.stepIndex < this.#unserved;
  }

  add(state: PlayerState): void {
    const index = this.#states.push(state) - 1;
    state.stepIndex = index;
    if (index === this.#descriptors.length) this.#grow();
    this.#descriptors[index] = state.player.descriptor;
  }

  /** Does nothing for a player that is not in step. */
  remove(state: PlayerState): void {
    let hole = state.stepIndex;
    if (hole < 0) return;
    state.stepIndex = -1;
    if (hole < this.#unserved) {
      this.#unserved -= 1;
      this.#move(this.#unserved, hole);
      hole = this.#unserved;
    }
    this.#move(this.#states.length - 1, hole);
    this.#states.pop();
  }

  #move(from: number, to: number): void {
    if (from === to) return;
    const state = this.#states[from]!;
    this.#states[to] = state;
    this.#descriptors[to] = this.#descriptors[from]!;
    state.stepIndex = to;
  }

  #grow(): void {
    const descriptors = new Int32Array(2 * this.#descriptors.length);
    descriptors.set(this.#descriptors);
    this.#descriptors = descriptors;
  }
}
