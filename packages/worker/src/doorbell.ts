/** Wakes a process that sleeps because none of its rings had anything new. */
import { listenDoorbell, ringDoorbell } from '@srs/native';

export interface Doorbell {
  /** Hot path: wakes the process in the slot; no allocation, never fails (a full bell rings already). */
  ring(slot: number): void;
  /** Calls back after this process's bell was rung, once for any number of rings. Returns what ends it. */
  listen(onRing: () => void): () => void;
}

/** Bells between processes: a socket pair per slot that all processes have inherited from the master. */
export class SocketDoorbell implements Doorbell {
  readonly #readFd: number;
  readonly #writeFds: readonly number[];

  /** @param writeFds by slot */
  constructor(readFd: number, writeFds: readonly number[]) {
    this.#readFd = readFd;
    this.#writeFds = writeFds;
  }

  ring(slot: number): void {
    const fd = this.#writeFds[slot];
    if (fd !== undefined) ringDoorbell(fd);
  }

  listen(onRing: () => void): () => void {
    return listenDoorbell(this.#readFd, onRing);
  }
}

/** Bells between the parts of one process. */
export class LocalDoorbells {
  readonly #listeners = new Map<number, () => void>();
  readonly #ringing = new Set<number>();

  /** The bell as the part in `slot` sees it. */
  forSlot(slot: number): Doorbell {
    return {
      ring: (target) => this.#ring(target),
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
