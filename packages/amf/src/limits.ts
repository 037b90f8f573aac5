/** How much a peer may make a reader build, and the account that holds it to that. */
import { type ErrorName, SrsError } from '@srs/kernel';

export interface AmfLimits {
  /** Objects and arrays inside each other. */
  readonly maxDepth: number;
  /** All values, those of arrays and objects and those repeated by reference included. */
  readonly maxValues: number;
  /**
   * Objects, arrays, dates and XML documents; fewer than values, because an empty object is 4 bytes on the wire and hundreds in
   * memory.
   */
  readonly maxContainers: number;
  /** Size of everything when each reference is written out, which is what writing or printing the value again costs. */
  readonly maxExpandedBytes: number;
}

/** Room for the `keyframes` lists of a day-long file, far from harm. */
export const defaultAmfLimits: AmfLimits = Object.freeze({
  maxDepth: 64,
  maxValues: 200_000,
  maxContainers: 10_000,
  maxExpandedBytes: 16 * 1024 * 1024,
});

/** What a value that can be referenced costs when it is repeated. */
export interface AmfCost {
  readonly values: number;
  readonly containers: number;
  readonly extraBytes: number;
}

/**
 * Counts what one reader builds. Readers of both versions share one budget when AMF0 switches to AMF3. Bytes that are on the
 * wire are bounded by the message; only what references add to them is counted here.
 */
export class AmfBudget {
  readonly limits: AmfLimits;
  #values = 0;
  #containers = 0;
  #extraBytes = 0;
  #depth = 0;

  constructor(limits: AmfLimits) {
    this.limits = limits;
  }

  get cost(): AmfCost {
    return { values: this.#values, containers: this.#containers, extraBytes: this.#extraBytes };
  }

  addValues(count: number, error: ErrorName): void {
    this.#values += count;
    if (this.#values > this.limits.maxValues) {
      throw new SrsError(error, `amf values ${this.#values} exceed the limit ${this.limits.maxValues}`);
    }
  }

  addContainers(count: number, error: ErrorName): void {
    this.#containers += count;
    if (this.#containers > this.limits.maxContainers) {
      throw new SrsError(error, `amf objects and arrays ${this.#containers} exceed the limit ${this.limits.maxContainers}`);
    }
  }

  addExtraBytes(count: number, error: ErrorName): void {
    this.#extraBytes += count;
    if (this.#extraBytes > this.limits.maxExpandedBytes) {
      throw new SrsError(
        error,
        `amf references expand to ${this.#extraBytes} bytes, more than the limit ${this.limits.maxExpandedBytes}`,
      );
    }
  }

  /** Pays again for a value that is repeated by reference. */
  repeat(cost: AmfCost, error: ErrorName): void {
    this.addValues(cost.values, error);
    this.addContainers(cost.containers, error);
    this.addExtraBytes(cost.extraBytes, error);
  }

  enter(error: ErrorName): void {
    this.addContainers(1, error);
    this.#depth += 1;
    if (this.#depth > this.limits.maxDepth) {
      throw new SrsError(error, `amf nesting exceeds the limit ${this.limits.maxDepth}`);
    }
  }

  leave(): void {
    this.#depth -= 1;
  }
}

interface ReferenceEntry<T> {
  readonly start: { readonly cost: AmfCost; readonly offset: number };
  done: { readonly value: T; readonly cost: AmfCost } | undefined;
}

/**
 * The values that later references may name, in the order in which they began. A value can be named only when it is complete: a
 * reference to a value from inside itself would make a cycle, which nothing that prints, copies or writes metadata could bear.
 */
export class ReferenceTable<T> {
  readonly #entries: ReferenceEntry<T>[] = [];
  readonly #budget: AmfBudget;
  readonly #error: ErrorName;

  constructor(budget: AmfBudget, error: ErrorName) {
    this.#budget = budget;
    this.#error = error;
  }

  /** @returns the index to `complete` */
  begin(offset: number): number {
    this.#entries.push({ start: { cost: this.#budget.cost, offset }, done: undefined });
    return this.#entries.length - 1;
  }

  complete<V extends T>(index: number, value: V, offset: number): V {
    const entry = this.#entries[index]!;
    const before = entry.start.cost;
    const now = this.#budget.cost;
    entry.done = {
      value,
      cost: {
        values: now.values - before.values,
        containers: now.containers - before.containers,
        extraBytes: now.extraBytes - before.extraBytes + (offset - entry.start.offset),
      },
    };
    return value;
  }

  resolve(index: number): T {
    const entry = this.#entries[index];
    if (entry === undefined) {
      throw new SrsError(this.#error, `amf reference ${index} must be below ${this.#entries.length}`);
    }
    if (entry.done === undefined) throw new SrsError(this.#error, `amf reference ${index} makes a cycle`);
    this.#budget.repeat(entry.done.cost, this.#error);
    return entry.done.value;
  }
}
