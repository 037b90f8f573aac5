/** Addresses of servers by their names, whatever the name server does. */
import { type LookupAddress, type LookupOptions, lookup as lookUp } from 'node:dns';

type Answer = readonly LookupAddress[];
type Ask = (name: string) => Promise<Answer>;
type Callback = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void;

/** How long the name server is waited for when it is known what it said the last time. */
const PATIENCE_MS = 500;
/** Names come from configurations, and from servers that send their clients elsewhere. */
const MAX_NAMES = 1_000;

/**
 * The system looks up a few names at a time, waits up to 10 s for each, and cannot be told that nobody waits any more. So there is one
 * look-up of a name under way however many connections want it, and what a slow one finds serves the next try. A name that was found
 * before leads to its last address when the name server is slow or down.
 */
export class HostNames {
  readonly #ask: Ask;
  readonly #asking = new Map<string, Promise<Answer>>();
  /** The oldest first. */
  readonly #known = new Map<string, Answer>();

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** @throws what asking throws, for a name that was never found */
  async find(name: string): Promise<Answer> {
    const asking = this.#asking.get(name) ?? this.#start(name);
    const known = this.#known.get(name);
    if (known === undefined) return await asking;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<Answer>((resolve) => {
      timer = setTimeout(resolve, PATIENCE_MS, known);
    });
    return await Promise.race([asking.catch(() => known), patience]).finally(() => clearTimeout(timer));
  }

  /** For the option of that name of `net.connect`. */
  readonly lookup = (name: string, options: LookupOptions, callback: Callback): void =>
    void this.#answer(name, options, callback);

  async #answer(name: string, { all }: LookupOptions, callback: Callback): Promise<void> {
    let addresses: Answer;
    try {
      addresses = await this.find(name);
    } catch (error) {
      callback(error as NodeJS.ErrnoException, '');
      return;
    }
    const { address, family } = addresses[0]!;
    if (all === true) callback(null, [...addresses]);
    else callback(null, address, family);
  }

  async #start(name: string): Promise<Answer> {
    const asking = this.#ask(name);
    this.#asking.set(name, asking);
    try {
      const addresses = await asking;
      this.#known.delete(name);
      this.#known.set(name, addresses);
      if (this.#known.size > MAX_NAMES) this.#known.delete(this.#known.keys().next().value!);
      return addresses;
    } finally {
      this.#asking.delete(name);
    }
  }
}

/** Of this process. */
export const hostNames = new HostNames((name) => {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  lookUp(name, { all: true }, (error, addresses) => (error === null ? resolve(addresses) : reject(error)));
  return promise;
});
