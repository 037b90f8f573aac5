/** A link carries whole messages between two processes, or between two parts of one process. */

export interface LinkHandler {
  onMessage(message: unknown): void;
  /** Called once; `error` tells why when the link did not end in good order. */
  onClose(error: Error | undefined): void;
}

export interface Link {
  /** Messages that arrive before a handler is there are kept and given to it. */
  attach(handler: LinkHandler): void;
  /** Queues one message; a closed link drops it. */
  send(message: unknown): void;
  close(): void;
}

/** What every kind of link shares: the handler, what came before it, and closing only once. */
export abstract class BaseLink implements Link {
  #handler: LinkHandler | undefined;
  #early: unknown[] = [];
  #closed: { error: Error | undefined } | undefined;

  attach(handler: LinkHandler): void {
    this.#handler = handler;
    const early = this.#early;
    this.#early = [];
    for (const message of early) handler.onMessage(message);
    if (this.#closed !== undefined) handler.onClose(this.#closed.error);
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  abstract send(message: unknown): void;
  abstract close(): void;

  protected deliver(message: unknown): void {
    if (this.#closed !== undefined) return;
    if (this.#handler === undefined) this.#early.push(message);
    else this.#handler.onMessage(message);
  }

  protected ended(error: Error | undefined): void {
    if (this.#closed !== undefined) return;
    this.#closed = { error };
    this.#handler?.onClose(error);
  }
}

class PairLink extends BaseLink {
  peer: PairLink | undefined;

  send(message: unknown): void {
    const peer = this.peer;
    if (this.isClosed || peer === undefined) return;
    // Never in the caller's stack: a part must not notice that its peer lives in the same process.
    setImmediate(() => peer.deliver(message));
  }

  close(): void {
    const peer = this.peer;
    this.ended(undefined);
    if (peer !== undefined) setImmediate(() => peer.ended(undefined));
  }
}

/** The two ends of a link inside one process (`single` mode, tests). Messages are handed over, not copied: treat them as frozen. */
export function linkPair(): [Link, Link] {
  const one = new PairLink();
  const other = new PairLink();
  one.peer = other;
  other.peer = one;
  return [one, other];
}
