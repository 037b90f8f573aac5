/** Which parts of a stretch are free: a buddy system, so that every block is aligned to its size. */

/** Blocks of `2^order` units. Numbers only: it touches no memory. */
export class FreeBlocks {
  readonly #maxOrder: number;
  /** By order: the first units of free blocks, ascending. The lowest is used first, so that few windows get mapped. */
  readonly #free: number[][];

  /** All units of `from .. to` are free; no block becomes larger than `2^maxOrder`. */
  constructor(from: number, to: number, maxOrder: number) {
    this.#maxOrder = maxOrder;
    this.#free = Array.from({ length: maxOrder + 1 }, () => []);
    for (let at = from; at < to; ) {
      let order = 0;
      while (order < maxOrder && at % 2 ** (order + 1) === 0 && at + 2 ** (order + 1) <= to) order++;
      this.#free[order]!.push(at);
      at += 2 ** order;
    }
  }

  /** @returns the first unit; undefined when no block is large enough */
  allocate(order: number): number | undefined {
    let found = order;
    while (found <= this.#maxOrder && this.#free[found]!.length === 0) found++;
    if (found > this.#maxOrder) return undefined;
    const at = this.#free[found]!.shift()!;
    this.#splitOff(at, found, at, order);
    return at;
  }

  /** Takes a certain block. @returns false when not all of it is free */
  reserve(at: number, order: number): boolean {
    for (let outer = order; outer <= this.#maxOrder; outer++) {
      const start = at - (at % 2 ** outer);
      if (!this.#remove(start, outer)) continue;
      this.#splitOff(start, outer, at, order);
      return true;
    }
    return false;
  }

  release(at: number, order: number): void {
    let start = at;
    let size = order;
    while (size < this.#maxOrder) {
      const isUpper = start % 2 ** (size + 1) !== 0;
      const buddy = isUpper ? start - 2 ** size : start + 2 ** size;
      if (!this.#remove(buddy, size)) break;
      start = Math.min(start, buddy);
      size++;
    }
    this.#insert(start, size);
  }

  /** Calls back with the first unit and the number of units of each free block. */
  forEach(callback: (at: number, units: number) => void): void {
    this.#free.forEach((blocks, order) => {
      for (const at of blocks) callback(at, 2 ** order);
    });
  }

  /** Of the block `start` of order `outer`, frees all but the block `at` of order `inner`. */
  #splitOff(start: number, outer: number, at: number, inner: number): void {
    let low = start;
    for (let order = outer - 1; order >= inner; order--) {
      const middle = low + 2 ** order;
      if (at < middle) {
        this.#insert(middle, order);
      } else {
        this.#insert(low, order);
        low = middle;
      }
    }
  }

  #insert(at: number, order: number): void {
    const blocks = this.#free[order]!;
    blocks.splice(indexOf(blocks, at), 0, at);
  }

  #remove(at: number, order: number): boolean {
    const blocks = this.#free[order]!;
    const index = indexOf(blocks, at);
    if (blocks[index] !== at) return false;
    blocks.splice(index, 1);
    return true;
  }
}

/** Where `value` stands in the ascending list, or would. */
function indexOf(ascending: readonly number[], value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
