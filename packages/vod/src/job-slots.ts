/** Lets so many jobs run at a time; the others wait for their turn, in order. */
export class JobSlots {
  readonly #waiting = new Set<() => void>();
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  /** Who comes now has to wait. */
  get isFull(): boolean {
    return this.#free === 0;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Resolves when it is the turn of the caller, who calls `release` when his job is done.
   * @throws the reason of the signal, when that comes first
   */
  async claim(signal: AbortSignal): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    const turn = Promise.withResolvers<void>();
    this.#waiting.add(turn.resolve);
    const onAbort = (): void => {
      if (this.#waiting.delete(turn.resolve)) turn.reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    await turn.promise;
    signal.removeEventListener('abort', onAbort);
  }

  release(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
