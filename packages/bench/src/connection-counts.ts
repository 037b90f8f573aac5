/** What has become of a group of connections. */

/** As it travels between processes, and as reports show it. */
export interface ConnectionCounts {
  readonly wanted: number;
  /** That came through, whatever became of them later. */
  readonly connected: number;
  /** That did not come through. */
  readonly failed: number;
  /** That ended before the test did. */
  readonly lost: number;
  /** Reasons of both, with how often each was met. */
  readonly failures: Readonly<Record<string, number>>;
}

/** Reasons are texts of the system and the server: there are few, but nothing says so. */
const MAX_REASONS = 20;
const OTHER_REASONS = 'other reasons';

export class ConnectionCounter {
  readonly wanted: number;
  #connected = 0;
  #failed = 0;
  #lost = 0;
  readonly #reasons = new Map<string, number>();

  constructor(wanted: number) {
    this.wanted = wanted;
  }

  get connected(): number {
    return this.#connected;
  }

  onConnected(): void {
    this.#connected += 1;
  }

  onFailed(reason: string): void {
    this.#failed += 1;
    this.#addReason(reason);
  }

  onLost(reason: string): void {
    this.#lost += 1;
    this.#addReason(reason);
  }

  counts(): ConnectionCounts {
    return {
      wanted: this.wanted,
      connected: this.#connected,
      failed: this.#failed,
      lost: this.#lost,
      failures: Object.fromEntries(this.#reasons),
    };
  }

  #addReason(reason: string): void {
    const key = this.#reasons.has(reason) || this.#reasons.size < MAX_REASONS ? reason : OTHER_REASONS;
    this.#reasons.set(key, (this.#reasons.get(key) ?? 0) + 1);
  }
}

export function addCounts(parts: readonly ConnectionCounts[]): ConnectionCounts {
  const failures: Record<string, number> = {};
  for (const part of parts) {
    for (const [reason, count] of Object.entries(part.failures)) failures[reason] = (failures[reason] ?? 0) + count;
  }
  const sum = (value: (part: ConnectionCounts) => number): number => parts.reduce((total, part) => total + value(part), 0);
  return {
    wanted: sum(({ wanted }) => wanted),
    connected: sum(({ connected }) => connected),
    failed: sum(({ failed }) => failed),
    lost: sum(({ lost }) => lost),
    failures,
  };
}
