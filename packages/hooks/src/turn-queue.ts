/** How many may be at something at once, and who comes next. */

/** A place in the queue, or at the thing itself. */
export interface Turn {
  /** Resolves when it is one's turn; never when `end` was called before. */
  readonly begun: Promise<void>;
  /** It is done, or not wanted any more. */
  end(): void;
}

interface Party {
  running: number;
  /** In the order in which they came. */
  readonly waiting: Set<() => void>;
}

/** Parties take turns, so that one with many wishes delays the others by one; and no party may have more than half of the places. */
export class TurnQueue {
  readonly #places: number;
  readonly #placesOfOne: number;
  #running = 0;
  /** Who has waited longest for a turn comes first. */
  readonly #parties = new Map<string, Party>();

  constructor(places: number) {
    this.#places = places;
    this.#placesOfOne = Math.ceil(places / 2);
  }

  get isIdle(): boolean {
    return this.#parties.size === 0;
  }

  enter(name: string): Turn {
    const party = this.#parties.get(name) ?? { running: 0, waiting: new Set() };
    this.#parties.set(name, party);
    const { promise, resolve } = Promise.withResolvers<void>();
    party.waiting.add(resolve);
    this.#begin();
    let isEnded = false;
    return {
      begun: promise,
      end: () => {
        if (isEnded) return;
        isEnded = true;
        if (!party.waiting.delete(resolve)) {
          party.running -= 1;
          this.#running -= 1;
        }
        if (party.running === 0 && party.waiting.size === 0) this.#parties.delete(name);
        this.#begin();
      },
    };
  }

  #begin(): void {
    while (this.#running < this.#places) {
      const next = this.#next();
      if (next === undefined) return;
      this.#running += 1;
      next();
    }
  }

  #next(): (() => void) | undefined {
    for (const [name, party] of this.#parties) {
      const [first] = party.waiting;
      if (first === undefined || party.running >= this.#placesOfOne) continue;
      party.waiting.delete(first);
      party.running += 1;
      // To the end of the line.
      this.#parties.delete(name);
      this.#parties.set(name, party);
      return first;
    }
    return undefined;
  }
}
