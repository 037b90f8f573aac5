/** What a client must have done by when. */
import { SrsError } from '@srs/kernel';

export interface DeadlineOwner {
  /** The deadline was missed. */
  fail(error: SrsError): void;
}

/**
 * One deadline at a time: setting the next one, or clearing, takes the last one back. A deadline that has come is kept only after the
 * sockets were read once more: a process that stood still finds its timers late before it finds what clients had sent in time.
 */
export class ClientDeadline {
  readonly #owner: DeadlineOwner;
  #timer: NodeJS.Timeout | undefined;
  #lastLook: NodeJS.Immediate | undefined;

  constructor(owner: DeadlineOwner) {
    this.#owner = owner;
  }

  /** @param what the client did not do, as in `no connect command` */
  set(timeoutMs: number, what: string): void {
    this.run(timeoutMs, () => this.#owner.fail(new SrsError('SocketTimeout', `${what} within ${timeoutMs / 1000} s`)));
  }

  /** Looks again and again whether the client is given up; `patienceMs` tells how long it is not, 0 or less when it is. */
  watch(patienceMs: () => number, giveUp: () => SrsError): void {
    const leftMs = patienceMs();
    if (leftMs <= 0) {
      this.clear();
      this.#owner.fail(giveUp());
    } else {
      this.run(leftMs, () => this.watch(patienceMs, giveUp));
    }
  }

  /** Whatever is to be done when the time is over. */
  run(timeoutMs: number, action: () => void): void {
    this.clear();
    this.#timer = setTimeout(() => {
      this.#lastLook = setImmediate(action);
    }, timeoutMs);
  }

  clear(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#lastLook);
    this.#timer = undefined;
    this.#lastLook = undefined;
  }
}
