/** Processes that have died, remembered for a while: what they have sent may be read after the news of their end. */
import type { ProcessId } from './environment.ts';

const MAX_REMEMBERED = 100;

export class DeadProcesses {
  readonly #keys = new Set<string>();

  add(process: ProcessId): void {
    this.#keys.add(keyOf(process));
    const [oldest] = this.#keys;
    if (this.#keys.size > MAX_REMEMBERED && oldest !== undefined) this.#keys.delete(oldest);
  }

  has(process: ProcessId): boolean {
    return this.#keys.has(keyOf(process));
  }
}

/** A process that was restarted in a slot is another one. */
export const keyOf = ({ slot, pid }: ProcessId): string => `${slot}:${pid}`;
