/** What of a worker's environment a reload changes: its configuration, and the sockets it accepts on. */
import { type Config, carryOver, deepFreeze } from '@srs/config';
import { type Listener, listenerName } from './environment.ts';
import type { RoleChange } from './role.ts';
import type { WorkerConfigure } from './worker-start.ts';

export class LiveSettings {
  #config: Config;
  #listeners: ReadonlyMap<string, Listener>;

  /** @param config a copy of its own, which nobody else changes */
  constructor(config: Config, listeners: readonly Listener[]) {
    this.#config = deepFreeze(config);
    this.#listeners = byName(listeners);
  }

  get config(): Config {
    return this.#config;
  }

  /**
   * Puts `request` in force.
   * @param takeFd gives the descriptor that one of the request stands for; each is taken once
   * @param closeFd for one that this worker has already: it was told twice
   */
  update(request: WorkerConfigure, takeFd: (fd: number) => number, closeFd: (fd: number) => void): RoleChange {
    const previous = this.#config;
    const held = this.#listeners;
    const wanted = byName(request.listeners);
    const opened: Listener[] = [];
    for (const [name, listener] of wanted) {
      if (listener.fd === undefined) continue;
      const fd = takeFd(listener.fd);
      if (held.has(name)) closeFd(fd);
      else opened.push({ ...listener, fd });
    }
    const closed = Array.from(held).flatMap(([name, listener]) => (wanted.has(name) ? [] : [listener]));
    this.#config = carryOver(previous, request.config);
    // One that is wanted, but came without a descriptor and is not here, has been lost on the way: it is asked for again.
    const has = (name: string): boolean => held.has(name) || opened.some((listener) => listenerName(listener) === name);
    this.#listeners = new Map(Array.from(wanted).filter(([name]) => has(name)));
    return { previous, config: this.#config, opened, closed };
  }
}

function byName(listeners: readonly Listener[]): Map<string, Listener> {
  return new Map(listeners.map((listener) => [listenerName(listener), listener]));
}
