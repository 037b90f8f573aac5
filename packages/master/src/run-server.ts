/** The life of the server process: log, pid file, workers, signals, end. */
import { arch, platform, release } from 'node:os';
import { type Config, formatProblem, type LoadResult } from '@srs/config';
import { describeError, type Log, SrsError } from '@srs/kernel';
import { openProcessLog, type ProcessLog } from '@srs/logging';
import { features, identity } from '@srs/worker';
import { certificatePart } from './certificate-part.ts';
import { ConfigWatch } from './config-watch.ts';
import { logPart } from './log-part.ts';
import { PidFile } from './pid-file.ts';
import { Reloader } from './reload.ts';
import { Server } from './server.ts';
import { ServiceNotify } from './service-notify.ts';
import { handleSignals } from './signals.ts';

/** Trackable id of the main part, as in SRS. */
const MAIN_CID = 100;

export interface RunOptions extends LoadResult {
  /** As the user gave it; for the log. */
  readonly configName: string;
  /** Reads the configuration again. @throws ConfigError or SrsError when it cannot be used */
  load(): LoadResult;
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
  let pidFile: PidFile | undefined;
  let server: Server | undefined;
  const notify = new ServiceNotify({ env: process.env, pid: process.pid, log, isServing: () => server?.isServing() ?? false });
  const watch = new ConfigWatch({ log, onChanged: () => void reloader.reload(false) });
  const reloader: Reloader = new Reloader({
    loaded: options,
    load: () => options.load(),
    source: options.configName,
    log,
    parts: [
      logPart(processLog),
      certificatePart(log),
      { prepare: (previous, next) => pidFile!.prepare(previous, next) },
      { prepare: (_previous, next) => started().prepare(next) },
    ],
    onBegin: () => notify.reloading(),
    onEnd: () => {
      if (server !== undefined) notify.ready(server.state);
    },
    onLoaded: (loaded) => {
      logWarnings(log, loaded.warnings);
      watch.watch(reloader.config.inotifyAutoReload ? loaded.files : []);
    },
  });
  const started = (): Server => {
    if (server === undefined) throw new SrsError('ConfigInvalid', 'the server is still starting');
    return server;
  };
  try {
    pidFile = new PidFile(config.pid);
    const starting = Promise.withResolvers<Server>();
    // Before the first worker: the default of a signal would leave workers without a master.
    const signals = handleSignals({
      starting: starting.promise,
      config: () => reloader.config,
      log,
      notify,
      onReload: () => void reloader.reload(false),
      onEnd: () => {
        watch.close();
        pidFile?.close();
        processLog.close();
      },
    });
    const control = {
      reload: (isDryRun: boolean) => reloader.reload(isDryRun),
      config: () => reloader.document(),
      stop: (reason: string) => signals.stop(reason),
    };
    starting.resolve(Server.start({ config, processLog, version: identity.version, control }));
    server = await starting.promise;
  } catch (error) {
    log.error(`the server cannot start: ${describeError(error)}`);
    pidFile?.close();
    throw error;
  }
  process.title = 'srs: master';
  log.trace(`server started, ${server.state}, pid=${process.pid}`);
  if (config.inotifyAutoReload) watch.watch(options.files);
  notify.ready(server.state);
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
  const named = (isThere: boolean): string =>
    Object.entries(features)
      .filter(([, value]) => value === isThere)
      .map(([name]) => name)
      .join(' ');
  log.trace(`features: ${named(true)}; off: ${named(false) || 'none'}`);
  log.trace(`conf: ${configName}, limit: ${config.maxConnections}`);
  log.trace(
    workers.mode === 'single'
      ? 'workers: one process'
      : `workers: back_source=${workers.backSource}, stream=${workers.stream}, http=${workers.http}`,
  );
  logWarnings(log, warnings);
}

function logWarnings(log: Log, warnings: LoadResult['warnings']): void {
  for (const warning of warnings) log.warn(formatProblem(warning));
}
