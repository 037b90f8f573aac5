/** The drain of a whole server: it takes nobody, waits for its clients, tells them to go when the time is over, and says when it is empty. */
import type { DrainOrder } from '@srs/control';
import { describeError, type Log } from '@srs/kernel';
import type { DrainSummary } from '@srs/survey';

/** The server as far as its drain is concerned. */
export interface DrainedServer {
  /** Who publishes or plays, or is about to. */
  clientCount(): Promise<number>;
  /** Tells all workers, those too that are started later. @returns how many clients were told to go */
  setDrain(order: DrainOrder | null): Promise<{ readonly redirected: number; readonly dismissed: number }>;
}

export interface ServerDrainOptions {
  readonly server: DrainedServer;
  /** Where RTMP clients go; null when they are refused. */
  readonly to: string | null;
  /** How long clients may take to leave by themselves. */
  readonly withinMs: number;
  readonly isStopping: boolean;
  /** Those who are there when it begins. */
  readonly clients: number;
  readonly log: Log;
  /** The server is empty. */
  onEmpty(): void;
}

const LOOK_EVERY_MS = 100;

export class ServerDrain {
  readonly #options: ServerDrainOptions;
  readonly #beganMs = performance.now();
  #clients: number;
  #state: DrainSummary['state'] = 'waiting';
  #emptyMs: number | undefined;
  #redirected = 0;
  #dismissed = 0;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** Begins at once. */
  constructor(options: ServerDrainOptions) {
    const { clients, to, withinMs, log } = options;
    this.#options = options;
    this.#clients = clients;
    const where = to === null ? '' : `, RTMP clients are sent to ${to}`;
    log.trace(`the server is drained: ${countText(clients)} may stay for ${withinMs / 1000} s${where}`);
    void this.#run();
  }

  get summary(): DrainSummary {
    const { to, isStopping, withinMs, clients: clientsBefore } = this.#options;
    const elapsedMs = (this.#emptyMs ?? performance.now()) - this.#beganMs;
    const told = this.#redirected + this.#dismissed;
    // Who was told to go may still be there for a moment.
    const present = this.#state === 'waiting' ? this.#clients : 0;
    return {
      state: this.#state,
      to,
      isStopping,
      elapsedSeconds: Math.round(elapsedMs / 1000),
      remainingSeconds: this.#state === 'waiting' ? Math.max(0, Math.ceil((withinMs - elapsedMs) / 1000)) : 0,
      clientsBefore,
      clients: this.#clients,
      left: Math.max(0, clientsBefore - told - present),
      redirected: this.#redirected,
      dismissed: this.#dismissed,
    };
  }

  /** Takes clients again; those who were told to go are gone. */
  async cancel(): Promise<void> {
    this.close();
    this.#options.log.trace('the server is drained no more and takes clients again');
    await this.#options.server.setDrain(null);
  }

  /** Looks no more. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    const { server, to, withinMs } = this.#options;
    try {
      if (withinMs > 0 || this.#isEmpty) await server.setDrain({ to, isOver: false });
      // Who was let in until then is waited for.
      this.#clients = await server.clientCount();
      await this.#until(() => this.#isEmpty || performance.now() - this.#beganMs >= withinMs);
      if (this.#isClosed) return;
      if (!this.#isEmpty) await this.#sendAway();
      await this.#until(() => this.#isEmpty);
    } catch (error) {
      this.#options.log.error(`drain: ${describeError(error)}`);
    }
    if (!this.#isClosed) this.#finish();
  }

  async #sendAway(): Promise<void> {
    const { server, to } = this.#options;
    const { redirected, dismissed } = await server.setDrain({ to, isOver: true });
    this.#redirected = redirected;
    this.#dismissed = dismissed;
    this.#state = 'leaving';
  }

  get #isEmpty(): boolean {
    return this.#clients === 0;
  }

  #finish(): void {
    this.#emptyMs = performance.now();
    this.#state = 'empty';
    this.#options.log.trace(`the server is ${describeDrain(this.summary)}`);
    this.#options.onEmpty();
  }

  async #until(isOver: () => boolean): Promise<void> {
    while (!this.#isClosed && !isOver()) {
      await new Promise<void>((resolve) => {
        this.#timer = setTimeout(resolve, LOOK_EVERY_MS);
      });
      this.#clients = await this.#options.server.clientCount();
    }
  }
}

/** `empty after 12 s: 3 left by themselves, 2 redirected, 1 dismissed`. */
function describeDrain({ elapsedSeconds, left, redirected, dismissed }: DrainSummary): string {
  return `empty after ${elapsedSeconds} s: ${left} left by themselves, ${redirected} redirected, ${dismissed} dismissed`;
}

const countText = (count: number): string => (count === 1 ? '1 client' : `${count} clients`);
