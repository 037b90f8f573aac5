/** The players in step: a dense array, gone through once per batch even while players come and go. */
import type { PlayerState } from './player-state.ts';

/**
 * A pass goes from the end to the beginning, and everybody below a border has still to be served. Whoever comes is put behind the
 * border, and whoever leaves is replaced so that nobody crosses it: a pass serves each player that was there at its beginning
 * once, or not at all when it left before its turn.
 */
export class StepArray {
  readonly #states: PlayerState[] = [];
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

  /** Hot path. The next player of the pass, taken for served; undefined at its end. */
  next(): PlayerState | undefined {
    if (this.#unserved === 0) return undefined;
    this.#unserved -= 1;
    return this.#states[this.#unserved];
  }

  /** Whether the pass under way has not come to this player yet. */
  isUnserved(state: PlayerState): boolean {
    return state.stepIndex >= 0 && state.stepIndex < this.#unserved;
  }

  add(state: PlayerState): void {
    state.stepIndex = this.#states.push(state) - 1;
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

  /** Everybody leaves. @returns who was there */
  clear(): PlayerState[] {
    const states = this.#states.splice(0);
    for (const state of states) state.stepIndex = -1;
    this.#unserved = 0;
    return states;
  }

  #move(from: number, to: number): void {
    if (from === to) return;
    const state = this.#states[from]!;
    this.#states[to] = state;
    state.stepIndex = to;
  }
}
