/** A link over the channel that `child_process.fork` makes between a parent and its child. */
import type { Serializable } from 'node:child_process';
import { BaseLink } from './link.ts';

/** The part of `process` and `ChildProcess` that the channel consists of. */
export interface ForkEnd {
  readonly connected: boolean;
  send?(message: Serializable, callback: (error: Error | null) => void): boolean;
  disconnect(): void;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
}

export class ForkLink extends BaseLink {
  readonly #end: ForkEnd;

  constructor(end: ForkEnd) {
    super();
    this.#end = end;
    end.on('message', (message) => this.deliver(message));
    end.on('disconnect', () => this.ended(undefined));
  }

  send(message: unknown): void {
    if (!this.#end.connected) return;
    // A peer that dies while the message is on its way is seen by `disconnect`; the callback keeps that from being thrown.
    this.#end.send?.(message as Serializable, () => {});
  }

  close(): void {
    if (this.#end.connected) this.#end.disconnect();
  }
}
