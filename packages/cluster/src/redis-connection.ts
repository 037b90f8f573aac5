/** One connection to a Redis or Valkey server, opened again whenever it is lost. Nothing waits for it longer than a second. */
import { BackOff, FailureNotes } from '@srs/client';
import { type Clock, describeError, type Log, SrsError } from '@srs/kernel';
import type { createClient } from 'redis';
import type { RegistryReport } from './stream-registry.ts';

export interface RedisConnectionOptions {
  /** `redis[s]://[[user]:password@]host[:port][/database]` */
  readonly url: string;
  readonly clock: Clock;
  /** 0..1, as Math.random. */
  readonly random: () => number;
  readonly log: Log;
  /** The server answers (again). */
  readonly onUp: () => void;
}

/** Of the TCP and TLS connection, the password, and the first answer. */
const CONNECT_LIMIT_MS = 2_000;
/** A server that has not answered a command for so long is given up: all that waits for it fails, and it is connected to anew. */
const COMMAND_LIMIT_MS = 1_000;
/** Commands that may wait for their answers. */
const MAX_WAITING = 10_000;
const FIRST_PAUSE_MS = 200;
const MAX_PAUSE_MS = 5_000;
/** A connection that has lasted so long was a good one: the next is tried soon. */
const GOOD_CONNECTION_MS = 10_000;
/** How much the newest command counts in the average. */
const NEWEST_SHARE = 1 / 16;

type Client = ReturnType<typeof createClient>;

/** A connection while it lasts. */
interface Session {
  readonly client: Client;
  /** Ends it. */
  readonly fail: (error: unknown) => void;
  readonly over: Promise<never>;
}

export class RedisConnection {
  readonly #options: RedisConnectionOptions;
  readonly #notes: FailureNotes;
  readonly #pauses: BackOff;
  readonly #stopping = Promise.withResolvers<void>();
  #isClosed = false;
  /** Of a server that answers. */
  #session: Session | undefined;
  #opening: Session | undefined;
  #commands = 0;
  #failures = 0;
  #latencyMs = 0;
  #lastError = '';

  /** Connects at once. */
  constructor(options: RedisConnectionOptions) {
    this.#options = options;
    this.#notes = new FailureNotes(options.clock);
    this.#pauses = new BackOff({ firstMs: FIRST_PAUSE_MS, maxMs: MAX_PAUSE_MS, random: options.random });
    void this.#run();
  }

  get report(): RegistryReport {
    return {
      name: describeRedisUrl(this.#options.url),
      isUp: this.#session !== undefined,
      commands: this.#commands,
      failures: this.#failures,
      latencyMs: this.#latencyMs,
      lastError: this.#lastError,
    };
  }

  /** @throws SrsError Registry when there is no connection, no answer in time, or the answer is an error */
  async send(args: readonly string[]): Promise<unknown> {
    this.#commands += 1;
    try {
      if (this.#session === undefined) throw new Error(this.#lastError === '' ? 'not connected yet' : this.#lastError);
      return await this.#ask(this.#session, args);
    } catch (error) {
      this.#failures += 1;
      throw new SrsError('Registry', `registry ${describeRedisUrl(this.#options.url)} cannot be asked`, { cause: error });
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#stopping.resolve();
    const closed = new Error('closed');
    this.#session?.fail(closed);
    this.#opening?.fail(closed);
  }

  async #ask({ client, over, fail }: Session, args: readonly string[]): Promise<unknown> {
    const { clock } = this.#options;
    const beginMs = clock.nowMs();
    const timer = setTimeout(() => fail(new Error(`no answer within ${COMMAND_LIMIT_MS} ms`)), COMMAND_LIMIT_MS);
    try {
      return await Promise.race([client.sendCommand([...args]), over]);
    } finally {
      clearTimeout(timer);
      this.#latencyMs += (clock.nowMs() - beginMs - this.#latencyMs) * NEWEST_SHARE;
    }
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#isClosed) {
      const beginMs = clock.nowMs();
      await this.#serve().catch((error: unknown) => this.#note(error));
      if (clock.nowMs() - beginMs > GOOD_CONNECTION_MS) this.#pauses.reset();
      if (!this.#isClosed) await this.#pause(this.#pauses.next());
    }
  }

  /** Rejects when the connection is over. */
  async #serve(): Promise<void> {
    const session = await this.#open();
    this.#opening = session;
    const limit = setTimeout(() => session.fail(new Error(`no answer within ${CONNECT_LIMIT_MS} ms`)), CONNECT_LIMIT_MS);
    try {
      if (this.#isClosed) return;
      await Promise.race([session.client.connect(), session.over]);
      const answer: unknown = await Promise.race([session.client.sendCommand(['PING']), session.over]);
      if (answer !== 'PONG') throw new Error('it does not answer PING with PONG');
      clearTimeout(limit);
      this.#session = session;
      if (this.#lastError !== '') this.#options.log.trace(`registry ${describeRedisUrl(this.#options.url)}: reached again`);
      this.#lastError = '';
      this.#notes.clear();
      this.#options.onUp();
      await session.over;
    } finally {
      clearTimeout(limit);
      this.#session = undefined;
      this.#opening = undefined;
      if (session.client.isOpen) session.client.destroy();
    }
  }

  async #open(): Promise<Session> {
    const { createClient } = await import('redis');
    const over = Promise.withResolvers<never>();
    // Whoever waits hears of it; when nobody does it is no error.
    over.promise.catch(() => {});
    const client = createClient({
      url: this.#options.url,
      // What every Redis and Valkey, and what stands before them, understands.
      RESP: 2,
      disableClientInfo: true,
      maintNotifications: 'disabled',
      disableOfflineQueue: true,
      commandsQueueMaxLength: MAX_WAITING,
      // A lost connection is given up: `#run` opens the next, with its own pauses.
      socket: { connectTimeout: CONNECT_LIMIT_MS, reconnectStrategy: false },
    });
    client.on('error', over.reject);
    client.on('end', () => over.reject(new Error('the connection was closed')));
    return { client: client as unknown as Client, fail: over.reject, over: over.promise };
  }

  #note(error: unknown): void {
    if (this.#isClosed) return;
    this.#lastError = describeError(error);
    if (!this.#notes.isNews(this.#lastError)) return;
    const name = describeRedisUrl(this.#options.url);
    this.#options.log.warn(`registry ${name}: ${this.#lastError}; what plays and is published goes on`);
  }

  async #pause(ms: number): Promise<void> {
    const elapsed = Promise.withResolvers<void>();
    const timer = setTimeout(elapsed.resolve, ms);
    await Promise.race([elapsed.promise, this.#stopping.promise]);
    clearTimeout(timer);
  }
}

/** Without user and password. */
export function describeRedisUrl(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`;
}
