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
  #lastMs = 0;

  /** @param intervalMs asked for before each line, so that a reload counts */
  constructor(intervalMs: () => number) {
    this.#intervalMs = intervalMs;
  }

  join(member: PithyMember): void {
    this.#members.add(member);
    if (this.#timer === undefined) this.#schedule(this.#intervalMs());
  }

  /** The interval may be another one: the next line comes that long after the last one, or now. */
  reschedule(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#schedule(Math.max(0, this.#lastMs + this.#intervalMs() - performance.now()));
  }

  leave(member: PithyMember): void {
    this.#members.delete(member);
    if (this.#members.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #schedule(waitMs: number): void {
    this.#lastMs = performance.now() + waitMs - this.#intervalMs();
    this.#timer = setTimeout(() => {
      const [next] = this.#members;
      if (next === undefined) return;
      // To the end of the line: a Set keeps the order of insertion.
      this.#members.delete(next);
      this.#members.add(next);
      next.printSummary();
      this.#schedule(this.#intervalMs());
    }, waitMs);
  }
}
