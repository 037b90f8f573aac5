/** What workers owe to hook servers: told by the back-source for those that died before they could. */
import type { OwedNotice } from '@srs/control';
import { DeadProcesses, keyOf } from './dead-processes.ts';
import type { ProcessId } from './environment.ts';

/** A worker as seen from the back-source; a restarted one is another. */
interface Debtor {
  /** Links of it that are open: what has been sent on one may not have been read yet. */
  links: number;
  isDead: boolean;
  notices: Map<number, OwedNotice>;
}

/**
 * Pure state. A debt is due when its process is dead and its links have ended, because only then it is known what the process has
 * settled itself.
 */
export class OwedNotices {
  readonly #onDue: (notices: readonly OwedNotice[]) => void;
  readonly #debtors = new Map<string, Debtor>();
  /** In case their link is accepted after their end. */
  readonly #dead = new DeadProcesses();
  #onRead: (() => void) | undefined;

  /** @param onDue gets the notices of one process in the order in which they are to be told */
  constructor(onDue: (notices: readonly OwedNotice[]) => void) {
    this.#onDue = onDue;
  }

  get count(): number {
    let count = 0;
    for (const { notices } of this.#debtors.values()) count += notices.size;
    return count;
  }

  /** A worker has said hello: what it owes now. */
  connected(process: ProcessId, owed: readonly OwedNotice[]): void {
    const key = keyOf(process);
    const debtor = this.#debtors.get(key) ?? { links: 0, isDead: this.#dead.has(process), notices: new Map() };
    debtor.links += 1;
    debtor.notices = new Map(owed.map((notice) => [notice.id, notice]));
    this.#debtors.set(key, debtor);
  }

  owe(process: ProcessId, notice: OwedNotice): void {
    this.#debtors.get(keyOf(process))?.notices.set(notice.id, notice);
  }

  settled(process: ProcessId, id: number): void {
    this.#debtors.get(keyOf(process))?.notices.delete(id);
  }

  disconnected(process: ProcessId): void {
    const debtor = this.#debtors.get(keyOf(process));
    if (debtor === undefined) return;
    debtor.links -= 1;
    this.#collect(process, debtor);
  }

  /** The process is dead. */
  gone(process: ProcessId): void {
    const key = keyOf(process);
    this.#dead.add(process);
    const debtor = this.#debtors.get(key);
    if (debtor === undefined) return;
    debtor.isDead = true;
    this.#collect(process, debtor);
  }

  /** Resolves when all that dead processes have sent has been read. */
  async allRead(): Promise<void> {
    while (this.#hasUnread()) {
      await new Promise<void>((resolve) => {
        this.#onRead = resolve;
      });
    }
  }

  #hasUnread(): boolean {
    return Array.from(this.#debtors.values()).some(({ isDead, links }) => isDead && links > 0);
  }

  #collect(process: ProcessId, debtor: Debtor): void {
    if (!debtor.isDead || debtor.links > 0) return;
    this.#debtors.delete(keyOf(process));
    if (debtor.notices.size > 0) this.#onDue(inOrder(Array.from(debtor.notices.values())));
    this.#onRead?.();
  }
}

/** The end of a connection comes after the ends of what it did. */
function inOrder(notices: readonly OwedNotice[]): readonly OwedNotice[] {
  const isClose = ({ event }: OwedNotice): boolean => event === 'on_close';
  return [...notices.filter((notice) => !isClose(notice)), ...notices.filter(isClose)];
}
