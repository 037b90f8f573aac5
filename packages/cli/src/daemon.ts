/** The way into the background: the command returns when the server is up, or has failed. */
import { spawn } from 'node:child_process';

/** What the process in the background tells the one that waits for it. */
export type DaemonNews =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly exitCode: number; readonly text: string };

/**
 * Starts this program again as a process of its own and waits for its news.
 * @param keepsOutput the log goes to the console: the background process needs it
 * @returns the exit status of the command
 */
export function startInBackground(script: string, args: readonly string[], keepsOutput: boolean): Promise<number> {
  const output = keepsOutput ? 'inherit' : 'ignore';
  const child = spawn(process.execPath, [script, ...args, '--daemon-child'], {
    detached: true,
    stdio: ['ignore', output, output, 'ipc'],
  });
  // Who ends the command while it waits wants no server either.
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, forward);
  process.on('SIGHUP', () => forward('SIGTERM'));
  return new Promise((resolve) => {
    child.once('error', (error) => {
      process.stderr.write(`srs: cannot start in the background: ${error.message}\n`);
      resolve(1);
    });
    child.once('exit', (code, signal) => {
      process.stderr.write(`srs: the server ended while it started: ${signal ?? `exit code ${code}`}\n`);
      resolve(code === null || code === 0 ? 1 : code);
    });
    child.once('message', (message) => {
      const news = message as DaemonNews;
      child.removeAllListeners('exit');
      child.disconnect();
      child.unref();
      if (news.kind === 'failed') process.stderr.write(`${news.text}\n`);
      resolve(news.kind === 'ready' ? 0 : news.exitCode);
    });
  });
}

/** Tells the waiting command, from the background process. */
export function tellDaemonNews(news: DaemonNews): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) resolve();
    else process.send(news, () => resolve());
  });
}
