/** Keeps one slot filled: starts its worker, starts it again with back-off when it dies, and stops it in good order. */
import { describeError, type Log } from '@srs/kernel';
import type { SlotReport, SlotState } from '@srs/survey';
import type { WorkerStart } from '@srs/worker';
import type { SlotDefinition } from './slot-plan.ts';
import type { WorkerHandle } from './worker-handle.ts';

export interface SlotHost {
  readonly log: Log;
  spawn(slot: SlotDefinition): { readonly handle: WorkerHandle; readonly start: WorkerStart };
  /** The process is dead; whatever it held must be given back. */
  onGone(slot: SlotDefinition, pid: number): void;
  /** The worker serves, or has answered that it is there: what it has missed can be told. */
  onAlive(slot: SlotSupervisor): void;
}

const START_TIMEOUT_MS = 20_000;
const RESTART_FIRST_MS = 100;
const RESTART_MAX_MS = 5_000;
/** A worker that lived this long starts over with the shortest delay. */
const STABLE_MS = 10_000;
/** How much longer than its clients' grace a worker may take to end before it is killed. */
const KILL_AFTER_GRACE_MS = 1_000;

/** How often a worker is asked whether it is there, and how long it may take to answer. */
const PING_EVERY_MS = 2_000;
const PING_LIMIT_MS = 12_000;
/**
 * And how long when it is asked once more before it is killed. The master itself may have been stopped, with its machine for example: its
 * clock then runs out before it reads the answer that is there.
 */
const LAST_PING_LIMIT_MS = 3_000;

export class SlotSupervisor {
  readonly definition: SlotDefinition;
  readonly #host: SlotHost;
  #state: SlotState = 'stopped';
  #handle: WorkerHandle | undefined;
  #port = 0;
  #restarts = 0;
  #lastEnd = '';
  #readyAtMs = 0;
  #restartDelayMs = RESTART_FIRST_MS;
  #restartTimer: NodeJS.Timeout | undefined;
  #isRetired = false;
  #pingTimer: NodeJS.Timeout | undefined;

  constructor(definition: SlotDefinition, host: SlotHost) {
    this.definition = definition;
    this.#host = host;
  }

  get pid(): number {
    return this.#handle?.pid ?? 0;
  }

  get handle(): WorkerHandle | undefined {
    return this.#handle;
  }

  get state(): SlotState {
    return this.#state;
  }

  /** It serves, whether it accepts more clients or not. */
  get isAlive(): boolean {
    return this.#handle !== undefined && (this.#state === 'ready' || this.#state === 'draining');
  }

  report(): SlotReport {
    return {
      slot: this.definition.slot,
      role: this.definition.role,
      state: this.#state,
      pid: this.pid,
      port: this.#port,
      restarts: this.#restarts,
      lastEnd: this.#lastEnd,
      uptimeSeconds: this.#state === 'ready' ? Math.round((performance.now() - this.#readyAtMs) / 1000) : 0,
    };
  }

  /** Starts the worker for the first time. @throws the reason when it cannot serve: the server then does not start */
  async start(): Promise<void> {
    await this.#spawn();
  }

  /** As `start`, but a worker that cannot serve is tried again and again, as one that died. */
  async startOrRetry(): Promise<void> {
    try {
      await this.#spawn();
    } catch (error) {
      if (this.#state === 'draining') this.#state = 'stopped';
      if (this.#state === 'stopping' || this.#state === 'stopped' || this.#isRetired) return;
      this.#host.log.error(`${describeError(error)}, trying again in ${this.#restartDelayMs} ms`);
      this.#scheduleRestart();
    }
  }

  /** From now on a worker that dies is not started again. */
  retire(): void {
    this.#isRetired = true;
    clearTimeout(this.#restartTimer);
  }

  /** The worker finishes with its clients: it still serves, but when it dies it is not started again. */
  beginDrain(): void {
    clearTimeout(this.#restartTimer);
    this.#state = this.#handle === undefined ? 'stopped' : 'draining';
  }

  /** A worker in place of one that was stopped, see `startOrRetry`. */
  async startAgain(): Promise<void> {
    this.#restartDelayMs = RESTART_FIRST_MS;
    await this.#restart();
  }

  /** Ends the worker: told first, killed when it does not listen. */
  async stop(graceMs: number): Promise<void> {
    this.#state = 'stopping';
    clearTimeout(this.#restartTimer);
    clearTimeout(this.#pingTimer);
    const handle = this.#handle;
    if (handle !== undefined) {
      const killTimer = setTimeout(() => {
        this.#host.log.warn(`${this.#name} did not end within ${graceMs + KILL_AFTER_GRACE_MS} ms, killing it`);
        handle.kill();
      }, graceMs + KILL_AFTER_GRACE_MS);
      // A worker that dies while it is asked is as good as stopped.
      handle.channel.request('stop', { graceMs }, graceMs + KILL_AFTER_GRACE_MS).catch(() => {});
      await handle.ended;
      clearTimeout(killTimer);
    }
    this.#state = 'stopped';
  }

  get #name(): string {
    return `${this.definition.role} worker in slot ${this.definition.slot}`;
  }

  async #spawn(): Promise<void> {
    this.#state = 'starting';
    const { handle, start } = this.#host.spawn(this.definition);
    this.#handle = handle;
    const ended = handle.ended.then((reason) => {
      this.#ended(handle, reason);
      return reason;
    });
    const answer = handle.channel.request('start', start, START_TIMEOUT_MS);
    try {
      const ready = await Promise.race([
        answer,
        ended.then((reason) => Promise.reject(new Error(`${this.#name} ended while starting: ${reason}`))),
      ]);
      this.#port = ready.privatePort;
      this.#readyAtMs = performance.now();
      if (this.#state === 'starting') this.#state = 'ready';
      this.#host.log.trace(`${this.#name} is ready, pid=${handle.pid}, private port=${ready.privatePort}`);
      this.#pingLater(handle);
      this.#host.onAlive(this);
    } catch (error) {
      answer.catch(() => {});
      handle.kill();
      throw error;
    }
  }

  /** A worker that hangs is worse than a dead one: the kernel goes on giving it new connections. */
  #pingLater(handle: WorkerHandle): void {
    this.#pingTimer = setTimeout(() => void this.#ping(handle), PING_EVERY_MS);
  }

  async #ping(handle: WorkerHandle): Promise<void> {
    const isThere = (await answers(handle, PING_LIMIT_MS)) || (await answers(handle, LAST_PING_LIMIT_MS));
    // A worker that is ending, or has ended, is seen elsewhere.
    if (this.#handle !== handle || !this.isAlive || handle.channel.isClosed) return;
    if (isThere) {
      this.#pingLater(handle);
      this.#host.onAlive(this);
      return;
    }
    this.#host.log.error(
      `${this.#name} hangs (pid=${handle.pid}): no answer for ${(PING_LIMIT_MS + LAST_PING_LIMIT_MS) / 1000} s, killing it`,
    );
    handle.kill();
  }

  #ended(handle: WorkerHandle, reason: string): void {
    if (this.#handle !== handle) return;
    clearTimeout(this.#pingTimer);
    this.#handle = undefined;
    this.#port = 0;
    this.#lastEnd = reason;
    this.#host.onGone(this.definition, handle.pid);
    // One that did not get as far as `ready` is reported by whoever started it.
    if (this.#state === 'draining') {
      this.#state = 'stopped';
      this.#host.log.error(`${this.#name} died (pid=${handle.pid}, ${reason}) while its clients were leaving`);
      return;
    }
    if (this.#state !== 'ready') return;
    if (this.#isRetired) {
      this.#state = 'stopped';
      this.#host.log.error(`${this.#name} died (pid=${handle.pid}, ${reason}) while the server leaves`);
      return;
    }
    if (performance.now() - this.#readyAtMs >= STABLE_MS) this.#restartDelayMs = RESTART_FIRST_MS;
    this.#host.log.error(`${this.#name} died (pid=${handle.pid}, ${reason}), starting it again in ${this.#restartDelayMs} ms`);
    this.#scheduleRestart();
  }

  #scheduleRestart(): void {
    this.#state = 'waiting';
    this.#restartTimer = setTimeout(() => void this.#restart(), this.#restartDelayMs);
    this.#restartDelayMs = Math.min(this.#restartDelayMs * 2, RESTART_MAX_MS);
  }

  async #restart(): Promise<void> {
    this.#restarts += 1;
    await this.startOrRetry();
  }
}

async function answers(handle: WorkerHandle, limitMs: number): Promise<boolean> {
  try {
    await handle.channel.request('ping', null, limitMs);
    return true;
  } catch {
    return false;
  }
}
