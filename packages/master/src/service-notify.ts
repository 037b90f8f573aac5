/** Tells the service manager (systemd) how the server is, by its protocol: one datagram of `NAME=value` lines for each news. */
import { describeError, type Log } from '@srs/kernel';
import { sendUnixDatagram } from '@srs/native';

/** What the manager passes on: where it listens, and how soon it wants to hear again that the server is alive. */
const VARIABLES = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'] as const;

export interface ServiceNotifyOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly pid: number;
  readonly log: Log;
  /** Asked before each sign of life: a server that cannot serve gives none, and the manager starts it again. */
  isServing(): boolean;
  /** How one datagram is sent; to the socket unless told. */
  readonly send?: (socket: string, text: string) => void;
}

/**
 * After `stopping` the server tells of nothing else any more, a reload for example. Without a manager that wants to hear, every method
 * does nothing. None throws: a manager that does not listen must not stop a server.
 */
export class ServiceNotify {
  readonly #options: ServiceNotifyOptions;
  readonly #socket: string | undefined;
  readonly #watchdogEveryMs: number;
  #watchdogTimer: NodeJS.Timeout | undefined;
  #hasFailed = false;
  #isStopping = false;

  /** Takes its variables out of the environment, so that no process the server starts speaks in its name. */
  constructor(options: ServiceNotifyOptions) {
    const { env } = options;
    this.#options = options;
    this.#socket = env.NOTIFY_SOCKET || undefined;
    const isForUs = env.WATCHDOG_PID === undefined || Number(env.WATCHDOG_PID) === options.pid;
    const limitMs = Number(env.WATCHDOG_USEC) / 1000;
    // Half of the limit, as the manual asks: one sign that is late costs nothing.
    this.#watchdogEveryMs = isForUs && limitMs > 0 ? Math.max(1, Math.floor(limitMs / 2)) : 0;
    for (const name of VARIABLES) delete env[name];
  }

  /** Clients can connect; also when a reload is over. */
  ready(status: string): void {
    if (this.#isStopping) return;
    this.#send('READY=1', `STATUS=${oneLine(status)}`);
    if (this.#socket === undefined || this.#watchdogEveryMs === 0 || this.#watchdogTimer !== undefined) return;
    this.#watchdogTimer = setInterval(() => {
      if (this.#options.isServing()) this.#send('WATCHDOG=1');
    }, this.#watchdogEveryMs).unref();
  }

  /** A new configuration is being applied; `ready` ends that. */
  reloading(): void {
    if (this.#isStopping) return;
    // The clock is the one by which the manager tells its own request from an older reload.
    this.#send('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
  }

  /**
   * The server ends.
   * @param limitMs how long that may take, where it is known: the manager waits so much longer than it is configured to
   */
  stopping(status: string, limitMs = 0): void {
    this.#isStopping = true;
    const extension = limitMs > 0 ? [`EXTEND_TIMEOUT_USEC=${Math.ceil(limitMs * 1000)}`] : [];
    this.#send('STOPPING=1', `STATUS=${oneLine(status)}`, ...extension);
  }

  /** Ends the signs of life. */
  close(): void {
    clearInterval(this.#watchdogTimer);
    this.#watchdogTimer = undefined;
  }

  #send(...lines: readonly string[]): void {
    if (this.#socket === undefined) return;
    try {
      (this.#options.send ?? sendUnixDatagram)(this.#socket, lines.join('\n'));
    } catch (error) {
      if (!this.#hasFailed) this.#options.log.warn(`the service manager does not hear: ${describeError(error)}`);
      this.#hasFailed = true;
    }
  }
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ');
