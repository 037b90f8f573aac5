/** `srs-cli` before a person: on a real terminal, and completed by a real shell. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ChildProgram } from '../support/child-program.ts';
import { within } from '../support/deadline.ts';
import { publishWithFfmpeg } from '../support/foreign.ts';
import { clip } from '../support/media.ts';
import { processTree } from '../support/proc.ts';
import { requires } from '../support/requires.ts';
import { repositoryRoot, ServerProcess } from '../support/server-process.ts';

requires('bash', 'ffmpeg', 'python3');

const LIMIT_MS = 30_000;
const command = join(repositoryRoot, 'bin/srs-cli');

/** A shell command on a terminal of its own: keys go in, the screen comes out. */
class Terminal implements Disposable {
  readonly #child: ChildProcessWithoutNullStreams;
  text = '';

  constructor(script: string) {
    const spawnOnTerminal = 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)';
    this.#child = spawn('python3', ['-c', spawnOnTerminal, 'bash', '--norc', '-c', script]);
    this.#child.stdout.on('data', (bytes: Buffer) => {
      this.text += bytes.toString();
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  type(keys: string): void {
    this.#child.stdin.write(keys);
  }

  /** Waits until the screen has got `what`, from the character number `from` on. */
  async shows(what: string, from = 0): Promise<void> {
    const seen = async (): Promise<void> => {
      while (!this.text.slice(from).includes(what)) await once(this.#child.stdout, 'data');
    };
    await within(seen(), LIMIT_MS, () => `the terminal did not show ${JSON.stringify(what)}: ${JSON.stringify(this.text)}`);
  }

  async end(): Promise<void> {
    const isOver = this.#child.exitCode !== null || once(this.#child, 'exit');
    await within(Promise.resolve(isOver), LIMIT_MS, () => `the terminal did not end: ${JSON.stringify(this.text.slice(-500))}`);
  }

  [Symbol.dispose](): void {
    for (const pid of this.#child.exitCode === null ? processTree(this.pid) : []) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended in the meantime.
      }
    }
  }
}

/** `top` between two looks at the settings of the terminal. */
const topScript = (server: ServerProcess): string =>
  `stty cols 120 rows 30; echo before=$(stty -g); '${command}' --api ${server.place.privatePort} --timeout 5000 top; echo code=$?; echo after=$(stty -g)`;

function settingsOf({ text }: Terminal): { before: string | undefined; after: string | undefined; code: string | undefined } {
  const find = (name: string): string | undefined => new RegExp(`${name}=(\\S+)`).exec(text)?.[1];
  return { before: find('before'), after: find('after'), code: find('code') };
}

it.each([
  ['the key q', (terminal: Terminal) => terminal.type('q'), '0'],
  [
    'SIGINT',
    (terminal: Terminal) => {
      const node = processTree(terminal.pid).at(-1);
      process.kill(node!, 'SIGINT');
    },
    '130',
  ],
])('top leaves a terminal as it was after %s', async (_, act, code) => {
  await using server = await ServerProcess.start();
  using terminal = new Terminal(topScript(server));
  await terminal.shows('q quit');
  terminal.type('c');
  await terminal.shows('Pending');
  act(terminal);
  await terminal.end();
  const settings = settingsOf(terminal);
  expect(settings.code).toBe(code);
  expect(settings.before).toMatch(/^[0-9a-f:]+$/);
  expect(settings.after).toBe(settings.before);
  expect(terminal.text).toContain('\x1b[?7h\x1b[?25h\x1b[?1049l');
});

it('top goes on while a worker hangs, and shows it', async () => {
  await using server = await ServerProcess.start();
  const victim = (await server.workers()).at(-1)!;
  using terminal = new Terminal(topScript(server).replace('5000', '300'));
  await terminal.shows('q quit');
  process.kill(victim.pid, 'SIGSTOP');
  try {
    await terminal.shows(`(pid ${victim.pid}) is left out: no answer within 300 ms`);
    const from = terminal.text.length;
    await terminal.shows('silent', from);
    terminal.type('q');
    await terminal.end();
    expect(settingsOf(terminal).code).toBe('0');
  } finally {
    process.kill(victim.pid, 'SIGCONT');
  }
});

it('bash completes commands, and the streams of the server that runs', async () => {
  await using server = await ServerProcess.start();
  const publisher = await publishWithFfmpeg(await clip('h264-aac'), server.url('live/one'));
  try {
    await server.waitForLog(/publish/);
    const complete = async (words: string): Promise<string[]> => {
      const line = `COMP_WORDS=(srs-cli ${words}); COMP_CWORD=${words.split(' ').length}`;
      const script = `source <('${command}' completion bash); ${line}; _srs-cli_yargs_completions; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const { stdout } = await ChildProgram.run('bash', ['--norc', '-c', script]);
      return stdout.trim().split('\n');
    };
    expect(await complete('st')).toEqual(['status', 'streams']);
    expect(await complete('reload --d')).toEqual(['--dry-run']);
    expect(await complete(`--api ${server.place.privatePort} explain liv`)).toEqual(['live/one']);
  } finally {
    await publisher.stop('SIGKILL');
  }
});
