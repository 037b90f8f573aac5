/** What the signals of the system mean to a server. */
import type { Config } from '@srs/config';
import { describeError, type Log } from '@srs/kernel';
import { leaveGracefully } from './graceful-quit.ts';
import type { Server } from './server.ts';
import type { ServiceNotify } from './service-notify.ts';

export interface SignalOptions {
  /** A server that does not start has no use for signals; whoever started it tells why. */
  readonly starting: Promise<Server>;
  /** The configuration in force. */
  config(): Config;
  readonly log: Log;
  readonly notify: ServiceNotify;
  /** SIGHUP, once the server has started. */
  onReload(): void;
  /** The server has stopped; the process exits next. */
  onEnd(): void;
}

/** How often the parent is looked at, with `asprocess on`. */
const PARENT_EVERY_MS = 500;

/**
 * SIGTERM, SIGINT and SIGUSR2 stop the server, SIGQUIT lets its clients leave first; a second one that is not SIGQUIT ends that wait. The
 * process then exits with status 0.
 * @returns what stops the server as a signal does
 */
export function handleSignals(options: SignalOptions): { stop(reason: string): void } {
  const { log, notify } = options;
  const whenStarted = (act: (server: Server) => void): void => void options.starting.then(act, () => {});
  const hurry = new AbortController();
  let isLeaving = false;

  const stop = (reason: string): void => {
    log.trace(`${reason}: the server stops`);
    hurry.abort();
    whenStarted((server) => void end(server, options));
  };
  const leave = (reason: string): void => {
    if (isLeaving) return;
    isLeaving = true;
    const { graceStartWaitMs, graceClientWaitMs, graceFinalWaitMs } = options.config().process;
    const grace = {
      times: { startWaitMs: graceStartWaitMs, clientWaitMs: graceClientWaitMs, finalWaitMs: graceFinalWaitMs },
      signal: hurry.signal,
      tell: (text: string, restMs: number): void => {
        log.trace(`${reason}: ${text}`);
        notify.stopping(text, restMs + STOP_LIMIT_MS);
      },
    };
    whenStarted((server) => void leaveGracefully(server, grace).then(() => end(server, options)));
  };

  for (const signal of ['SIGINT', 'SIGUSR2'] as const) process.on(signal, stop);
  process.on('SIGTERM', (signal) => (options.config().process.isQuitForced && !isLeaving ? leave(signal) : stop(signal)));
  process.on('SIGQUIT', leave);
  process.on('SIGUSR1', () => whenStarted((server) => server.reopenLogs()));
  process.on('SIGHUP', () => whenStarted(() => options.onReload()));
  process.on('uncaughtException', (error) => {
    // The workers see their channel close and end by themselves.
    log.error(`master fault: ${error.stack ?? describeError(error)}`);
    process.exit(1);
  });
  if (options.config().process.isChild) whenParentIsGone(() => stop(`the parent process ${parentPid} is gone`));
  return { stop };
}

/** What `Server.stop` needs at most, with some to spare. */
const STOP_LIMIT_MS = 5_000;

const parentPid = process.ppid;

async function end(server: Server, options: SignalOptions): Promise<void> {
  const { log, notify } = options;
  notify.stopping('stopping', STOP_LIMIT_MS);
  try {
    await server.stop();
  } catch (error) {
    log.error(`stop: ${describeError(error)}`);
  }
  log.trace('the server has stopped');
  notify.close();
  options.onEnd();
  process.exit(0);
}

/** An orphan is given to another parent by the system. */
function whenParentIsGone(act: () => void): void {
  const timer = setInterval(() => {
    if (process.ppid === parentPid) return;
    clearInterval(timer);
    act();
  }, PARENT_EVERY_MS);
}
