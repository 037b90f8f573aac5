/** The server as a child process of `npm start`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { DaemonNews } from './daemon.ts';

const launcher = fileURLToPath(new URL('../../../bin/srs', import.meta.url));

/** Longer than the server takes to let its clients go and to end workers that do not listen. */
const STOP_LIMIT_MS = 10_000;

/** How the server came up, or did not. */
export type ServerStart =
  | { readonly isReady: true }
  /** `text` is empty when the server has said by itself what is wrong. */
  | { readonly isReady: false; readonly exitCode: number; readonly text: string };

export interface ServerEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class StartedServer {
  /** Settles when clients can connect, or the server has failed; never rejects. */
  readonly started: Promise<ServerStart>;
  /** Never rejects. */
  readonly ended: Promise<ServerEnd>;
  readonly #child: ChildProcess;

  /** Starts `srs` in the foreground; its log goes to this program's output. */
  constructor(configFile: string, args: readonly string[]) {
    // The way on which a background process reports to the command that waits for it serves here too.
    const child = spawn(launcher, ['-c', configFile, '-d', 'off', ...args, '--daemon-child'], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child = child;
    const kill = (): void => void child.kill('SIGTERM');
    // Whatever ends this program, the server does not stay behind.
    process.once('exit', kill);
    this.ended = new Promise((resolve) => {
      child.once('error', () => resolve({ code: 1, signal: null }));
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    this.started = new Promise((resolve) => {
      child.once('error', (error) =>
        resolve({ isReady: false, exitCode: 1, text: `${launcher} cannot be started: ${error.message}` }),
      );
      child.once('message', (message) => {
        const news = message as DaemonNews;
        resolve(news.kind === 'ready' ? { isReady: true } : { isReady: false, exitCode: news.exitCode, text: news.text });
        child.disconnect();
      });
      child.once('exit', (code) => resolve({ isReady: false, exitCode: code ?? 1, text: '' }));
    });
    void this.ended.then(() => process.off('exit', kill));
  }

  /** Ends the server in good order. May be called when it has ended already. */
  async stop(): Promise<ServerEnd> {
    this.#child.kill('SIGTERM');
    const killTimer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_LIMIT_MS);
    const end = await this.ended;
    clearTimeout(killTimer);
    return end;
  }
}
