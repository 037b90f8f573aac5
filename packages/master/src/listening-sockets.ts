/** The sockets that workers accept clients on: one for each address and slot, opened and held by the master. */
import { closeFd, listenTcp } from '@srs/native';
import { type Listener, listenerName } from '@srs/worker';

const LISTEN_BACKLOG = 512;

/** A socket with its descriptor. */
export type OpenListener = Required<Listener>;

/** Sockets that have been opened for a change that may still not come. */
export interface PreparedSockets {
  /** What is not wanted any more is closed; what is new counts. */
  commit(): void;
  /** What is new is closed. */
  undo(): void;
}

export class ListeningSockets {
  readonly #isHeld: boolean;
  readonly #open = new Map<string, OpenListener>();

  /**
   * @param isHeld workers are given copies: connections that wait on a worker that dies are there for the next one. Otherwise the
   *   sockets become the property of those who are given them.
   */
  constructor(isHeld: boolean) {
    this.#isHeld = isHeld;
  }

  of(slot: number): readonly OpenListener[] {
    return Array.from(this.#open.values()).filter((listener) => listener.slot === slot);
  }

  /**
   * Opens what is wanted and not there. All sockets of an address exist before any worker accepts, so that the kernel spreads clients
   * from the first one on.
   * @throws SrsError naming the address; nothing has been opened then
   */
  prepare(wanted: readonly Listener[]): PreparedSockets {
    const names = new Set(wanted.map(listenerName));
    const added: OpenListener[] = [];
    const undo = (): void => {
      for (const { fd } of added.splice(0)) closeFd(fd);
    };
    try {
      for (const listener of wanted) {
        if (this.#open.has(listenerName(listener))) continue;
        this.#checkFree(listener, added);
        added.push({ ...listener, ...open(listener, true) });
      }
    } catch (error) {
      undo();
      throw error;
    }
    return {
      undo,
      commit: () => {
        for (const name of Array.from(this.#open.keys())) if (!names.has(name)) this.#drop(name);
        for (const listener of added.splice(0)) this.#open.set(listenerName(listener), listener);
      },
    };
  }

  /** They close as soon as their workers close them too. */
  close(): void {
    for (const name of Array.from(this.#open.keys())) this.#drop(name);
  }

  /**
   * Sockets that share a port do not notice another server of this user: one that does not share it finds out. Where this server has
   * the port already there is nothing to find out, as when `127.0.0.1:1935` takes the place of `1935`.
   */
  #checkFree(listener: Listener, added: readonly OpenListener[]): void {
    if ([...this.#open.values(), ...added].some(({ port }) => port === listener.port)) return;
    closeFd(open(listener, false).fd);
  }

  #drop(name: string): void {
    const listener = this.#open.get(name);
    this.#open.delete(name);
    if (listener !== undefined && this.#isHeld) closeFd(listener.fd);
  }
}

function open({ host, port }: Listener, reusePort: boolean): { readonly fd: number; readonly port: number } {
  return listenTcp({ host, port, backlog: reusePort ? LISTEN_BACKLOG : 1, reusePort });
}
