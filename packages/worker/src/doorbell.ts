/** Wakes a process that sleeps because none of its rings had anything new. */
import { closeFd, listenDoorbell, ringDoorbell } from '@srs/native';
import { MAX_SLOTS } from './status-board.ts';

export interface Doorbell {
  /** Hot path: wakes the process in the slot; no allocation, never fails (a full bell rings already). */
  ring(slot: number): void;
  /** The bell of a slot that has come later, or that is known already: then this one is closed. Local bells need none. */
  add(slot: number, writeFd: number): void;
  /** Calls back after this process's bell was rung, once for any number of rings. Returns what ends it. */
  listen(onRing: () => void): () => void;
}

/**
 * Bells between processes: a socket pair per slot that all processes have inherited from the master. A slot is rung at once, and
 * for whatever else is written in the same tick once more behind it: two system calls, however many streams have news.
 */
export class SocketDoorbell implements Doorbell {
  readonly #readFd: number;
  /** By slot. */
  readonly #writeFds: (number | undefined)[];
  /** By slot: when it was rung in this tick, and whether it has to be rung again. */
  readonly #states: Uint8Array;
  #isTickOpen = false;

  /** @param writeFds by slot; taken over */
  constructor(readFd: number, writeFds: readonly (number | undefined)[]) {
    this.#readFd = readFd;
    this.#writeFds = Array.from({ length: MAX_SLOTS }, (_, slot) => writeFds[slot]);
    this.#states = new Uint8Array(MAX_SLOTS);
  }

  add(slot: number, writeFd: number): void {
    if (this.#writeFds[slot] !== undefined) {
      closeFd(writeFd);
      return;
    }
    this.#writeFds[slot] = writeFd;
    // It may have asked to be woken before it could be.
    this.ring(slot);
  }

  ring(slot: number): void {
    const fd = this.#writeFds[slot];
    if (fd === undefined) return;
    if (this.#states[slot] !== bellStates.quiet) {
      this.#states[slot] = bellStates.again;
      return;
    }
    ringDoorbell(fd);
    this.#states[slot] = bellStates.rung;
    if (this.#isTickOpen) return;
    this.#isTickOpen = true;
    setImmediate(this.#endTick);
  }

  listen(onRing: () => void): () => void {
    return listenDoorbell(this.#readFd, onRing);
  }

  readonly #endTick = (): void => {
    this.#isTickOpen = false;
    for (const [slot, state] of this.#states.entries()) {
      if (state === bellStates.again) ringDoorbell(this.#writeFds[slot]!);
    }
    this.#states.fill(bellStates.quiet);
  };
}

const bellStates = { quiet: 0, rung: 1, again: 2 } as const;

/** Bells between the parts of one process. */
export class LocalDoorbells {
  readonly #listeners = new Map<number, () => void>();
  readonly #ringing = new Set<number>();

  /** The bell as the part in `slot` sees it. */
  forSlot(slot: number): Doorbell {
    return {
      ring: (target) => this.#ring(target),
      add: () => {},
      listen: (onRing) => {
        this.#listeners.set(slot, onRing);
        return () => this.#listeners.delete(slot);
      },
    };
  }

  #ring(slot: number): void {
    if (this.#ringing.has(slot)) return;
    this.#ringing.add(slot);
    setImmediate(() => {
      this.#ringing.delete(slot);
      this.#listeners.get(slot)?.();
    });
  }
}
