/** Periodic summary lines whose number does not depend on the number of clients. */

export interface PithyMember {
  /** Logs one line about itself. */
  printSummary(): void;
}

/** One kind of worker (players, publishers): one line per interval, told by each member in turn. */
export class PithyPrint {
  readonly #intervalMs: () => number;
  readonly #members = new Set<PithyMember>();
  #timer: NodeJS.Timeout | undefined;

  /** @param intervalMs asked for before each line, so that a reload counts */
  constructor(intervalMs: () => number) {
    this.#intervalMs = intervalMs;
  }

  join(member: PithyMember): void {
    this.#members.add(member);
    if (this.#timer === undefined) this.#schedule();
  }

  leave(member: PithyMember): void {
    this.#members.delete(member);
    if (this.#members.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      const [next] = this.#members;
      if (next === undefined) return;
      // To the end of the line: a Set keeps the order of insertion.
      this.#members.delete(next);
      this.#members.add(next);
      next.printSummary();
      this.#schedule();
    }, this.#intervalMs());
  }
}
