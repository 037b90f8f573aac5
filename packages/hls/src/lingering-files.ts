/** Files that no playlist lists any more, kept a while for players that have read an older one (RFC 8216, 6.2.2). */
import type { Clock } from '@srs/kernel';

interface LingeringFile {
  readonly path: string;
  readonly untilMs: number;
}

export class LingeringFiles {
  readonly #clock: Clock;
  readonly #remove: (paths: readonly string[]) => void;
  /** In the order of their ends. */
  #files: readonly LingeringFile[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @param remove is given what has lingered long enough */
  constructor(clock: Clock, remove: (paths: readonly string[]) => void) {
    this.#clock = clock;
    this.#remove = remove;
  }

  get isEmpty(): boolean {
    return this.#files.length === 0;
  }

  has(path: string): boolean {
    return this.#files.some((file) => file.path === path);
  }

  add(paths: readonly string[], forMs: number): void {
    const untilMs = this.#clock.nowMs() + forMs;
    const added = paths.map((path) => ({ path, untilMs }));
    this.#files = [...this.#files, ...added].sort((left, right) => left.untilMs - right.untilMs);
    this.#arm();
  }

  /** Lets go of all of them, before their time. */
  take(): readonly string[] {
    clearTimeout(this.#timer);
    const paths = this.#files.map((file) => file.path);
    this.#files = [];
    return paths;
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const first = this.#files[0];
    if (first === undefined) return;
    const waitMs = Math.max(0, first.untilMs - this.#clock.nowMs());
    this.#timer = setTimeout(() => this.#sweep(), waitMs).unref();
  }

  #sweep(): void {
    const nowMs = this.#clock.nowMs();
    const due = this.#files.filter((file) => file.untilMs <= nowMs);
    this.#files = this.#files.filter((file) => file.untilMs > nowMs);
    if (due.length > 0) this.#remove(due.map((file) => file.path));
    this.#arm();
  }
}
