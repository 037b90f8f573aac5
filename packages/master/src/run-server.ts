/** The life of the server process: log, pid file, workers, signals, end. */
import { mkdirSync } from 'node:fs';
import { arch, platform, release } from 'node:os';
import { dirname } from 'node:path';
import { type Config, formatAddress, type LoadResult } from '@srs/config';
import { describeError, type Log, SrsError } from '@srs/kernel';
import { openProcessLog, type ProcessLog } from '@srs/logging';
import { type FileLock, lockFile } from '@srs/native';
import { identity } from '@srs/worker';
import { Server } from './server.ts';
import { ServiceNotify } from './service-notify.ts';
import { handleSignals } from './signals.ts';

/** Trackable id of the main part, as in SRS. */
const MAIN_CID = 100;

export interface RunOptions extends LoadResult {
  /** As the user gave it; for the log. */
  readonly configName: string;
  /** Clients can connect. */
  onReady(): void;
}

/**
 * Runs a server until a signal ends it; then the process exits with status 0.
 * @throws SrsError when it cannot start
 */
export async function runServer(options: RunOptions): Promise<void> {
  const { config } = options;
  const processLog = openLog(config);
  const { log } = processLog;
  printBanner(log, options);
  let lock: FileLock | undefined;
  let server: Server | undefined;
  const notify = new ServiceNotify({ env: process.env, pid: process.pid, log, isServing: () => server?.isServing() ?? false });
  try {
    mkdirSync(dirname(config.pid), { recursive: true });
    lock = lockFile(config.pid);
    lock.writePid(process.pid);
    const starting = Promise.withResolvers<Server>();
    // Before the first worker: the default of a signal would leave workers without a master.
    handleSignals({
      starting: starting.promise,
      config: () => config,
      log,
      notify,
      onEnd: () => {
        lock?.release();
        processLog.close();
      },
    });
    starting.resolve(Server.start({ config, processLog, version: identity.version }));
    server = await starting.promise;
  } catch (error) {
    log.error(`the server cannot start: ${describeError(error)}`);
    lock?.release();
    throw error;
  }
  process.title = 'srs: master';
  const state = `listen=${config.listen.map(formatAddress).join(' ')}, workers=${server.workers().length}`;
  log.trace(`server started, ${state}, pid=${process.pid}`);
  notify.ready(state);
  options.onReady();
}

function openLog(config: Config): ProcessLog {
  try {
    return openProcessLog(config.log, MAIN_CID);
  } catch (cause) {
    throw new SrsError('FileOpen', `log file ${config.log.file} cannot be opened`, { cause });
  }
}

function printBanner(log: Log, options: RunOptions): void {
  const { config, warnings, configName } = options;
  const { workers } = config;
  log.trace(`srs(simple-rtmp-server) ${identity.version}`);
  log.trace(`license: ${identity.license}`);
  log.trace(`primary: ${identity.primary}`);
  log.trace(`authors: ${identity.authors}`);
  log.trace(`uname: ${platform()} ${release()} ${arch()}, node ${process.versions.node}`);
  log.trace(`conf: ${configName}, limit: ${config.maxConnections}`);
  log.trace(
    workers.mode === 'single' ? 'workers: one process' : `workers: back_source=${workers.backSource}, stream=${workers.stream}`,
  );
  for (const warning of warnings) log.warn(`${warning.file}${warning.line > 0 ? `:${warning.line}` : ''}: ${warning.message}`);
}
