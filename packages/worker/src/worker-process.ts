/** Binds a worker to the process it runs in: channel to the master, signals, the last log line of a crash. */
import { rmSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { ForkLink } from '@srs/control';
import { describeError, type Log } from '@srs/kernel';
import { serveWorker } from './serve-worker.ts';
import { processEnvironment } from './worker-start.ts';

export function runWorkerProcess(): void {
  let log: Log | undefined;
  let runtimeDirectory = '';
  const masterPid = process.ppid;
  // The master decides when a worker ends; a Ctrl-C in the terminal reaches the whole process group.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGQUIT'] as const) process.on(signal, () => {});
  process.on('uncaughtException', (error) => {
    const text = `worker fault: ${error.stack ?? describeError(error)}`;
    if (log === undefined) process.stderr.write(`${text}\n`);
    else log.error(text);
    process.exit(1);
  });
  serveWorker(new ForkLink(process as Required<Pick<NodeJS.Process, 'send' | 'disconnect'>> & NodeJS.Process), {
    environmentOf: (start) => {
      process.title = `srs: ${start.role} ${start.slot}`;
      runtimeDirectory = start.runtimeDirectory;
      const environment = processEnvironment(start);
      log = environment.log;
      setTimeout(() => flushCompileCache(), 2_000).unref();
      return environment;
    },
    onEnd: () => {
      // A master that was killed could not clean up. One that lives needs the directory: this worker may be the only one to end.
      const isOrphan = process.ppid !== masterPid;
      if (isOrphan && runtimeDirectory !== '') rmSync(runtimeDirectory, { recursive: true, force: true });
      process.exit(0);
    },
  });
}
