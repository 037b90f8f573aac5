/** A program as a child process: its lines, its end, and the promise that nothing of it is left behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { eventually, within } from './deadline.ts';
import { commandLine, isAlive, processTree } from './proc.ts';

/** After SIGTERM a program has this long before SIGKILL. */
const STOP_LIMIT_MS = 10_000;
const KILL_LIMIT_MS = 5_000;
const TAIL_LINES = 30;

export interface ChildProgramOptions {
  readonly cwd?: string;
  /** Added to the environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The whole run may take this long, then it is killed and `waitForExit` rejects. Without it, the program runs until it is stopped. */
  readonly limitMs?: number;
  /** Keep standard output as bytes (`stdout()`) instead of reading it as lines. */
  readonly keepStdout?: boolean;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface FinishedProgram extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

interface LineEvents {
  line: [text: string];
}

// What a test that was interrupted has not stopped. The whole session is meant: a program may have children.
const running = new Set<number>();
process.on('exit', () => {
  for (const pid of running) {
    for (const member of processTree(pid)) kill(member, 'SIGKILL');
  }
});

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended in the meantime.
  }
}

export class ChildProgram {
  readonly command: string;
  readonly pid: number;
  /** The end of the program itself; its children may live on. Never rejects. */
  readonly exited: Promise<Exit>;
  /** Its end and the end of all output, also that of children which hold the same pipes. Never rejects. */
  readonly closed: Promise<Exit>;
  readonly #lines: string[] = [];
  readonly #stdout: Buffer[] = [];
  readonly #events = new EventEmitter<LineEvents>();
  #exit: Exit | undefined;
  #isOverLimit = false;
  readonly #limitMs: number | undefined;

  private constructor(command: string, pid: number, child: ChildProcess, options: ChildProgramOptions) {
    this.command = command;
    this.pid = pid;
    this.#limitMs = options.limitMs;
    this.#events.setMaxListeners(0);
    running.add(pid);
    if (options.keepStdout === true) child.stdout?.on('data', (bytes: Buffer) => this.#stdout.push(bytes));
    else this.#readLines(child.stdout);
    this.#readLines(child.stderr);
    const limit = options.limitMs === undefined ? undefined : setTimeout(() => this.#onLimit(), options.limitMs);
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        clearTimeout(limit);
        this.#exit = { code, signal };
        resolve(this.#exit);
      });
    });
    this.closed = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        running.delete(pid);
        resolve({ code, signal });
      });
    });
  }

  /** Starts `path` (never through a shell) as leader of a session of its own, without standard input. */
  static async start(path: string, args: readonly string[], options: ChildProgramOptions = {}): Promise<ChildProgram> {
    const child = spawn(path, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const spawned = once(child, 'spawn');
    // Without a process id the start has failed, and waiting rejects with the reason.
    if (child.pid === undefined) await spawned;
    const program = new ChildProgram([path, ...args].join(' '), child.pid!, child, options);
    await spawned;
    return program;
  }

  /** Runs a program to its end; rejects only when it cannot be started or runs into `limitMs` (60 s unless told). */
  static async run(path: string, args: readonly string[], options: ChildProgramOptions = {}): Promise<FinishedProgram> {
    const program = await ChildProgram.start(path, args, { limitMs: 60_000, ...options, keepStdout: true });
    await program.closed;
    const exit = await program.waitForExit();
    return { ...exit, stdout: program.stdout().toString(), stderr: program.lines().join('\n') };
  }

  get isRunning(): boolean {
    return this.#exit === undefined;
  }

  /** The lines printed so far, standard output and standard error in the order of arrival. */
  lines(): readonly string[] {
    return this.#lines;
  }

  /** Standard output so far, when it is kept as bytes. */
  stdout(): Buffer {
    return Buffer.concat(this.#stdout);
  }

  /** The last lines, for messages of failed tests. */
  tail(): string {
    const lines = this.#lines.slice(-TAIL_LINES);
    return lines.length === 0 ? '(it printed nothing)' : lines.map((line) => `  | ${line}`).join('\n');
  }

  /** The program and all that it started, as far as they live. */
  pids(): number[] {
    return processTree(this.pid);
  }

  /**
   * The first line that matches, among those already printed (from line number `from` on) or still to come. Rejects when the
   * program ends or `limitMs` pass without one.
   */
  async waitForLine(
    pattern: RegExp | string,
    options: { readonly limitMs?: number; readonly from?: number } = {},
  ): Promise<string> {
    const matches = (line: string) => (typeof pattern === 'string' ? line.includes(pattern) : pattern.test(line));
    const known = this.#lines.slice(options.from ?? 0).find(matches);
    if (known !== undefined) return known;
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const onLine = (line: string) => {
      if (matches(line)) resolve(line);
    };
    this.#events.on('line', onLine);
    void this.closed.then((exit) =>
      reject(new Error(`${this.command} ended (${describeExit(exit)}) without a line ${pattern}\n${this.tail()}`)),
    );
    try {
      return await within(promise, options.limitMs ?? 10_000, () => `${this.command} printed no line ${pattern}\n${this.tail()}`);
    } finally {
      this.#events.off('line', onLine);
    }
  }

  /** The end of the program. Rejects when it was killed because of its own `limitMs`, or has not ended within `limitMs` from now. */
  async waitForExit(limitMs?: number): Promise<Exit> {
    const exit =
      limitMs === undefined
        ? await this.exited
        : await within(this.exited, limitMs, () => `${this.command} did not end\n${this.tail()}`);
    if (this.#isOverLimit) throw new Error(`${this.command} was killed after its limit of ${this.#limitMs} ms\n${this.tail()}`);
    return exit;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) kill(this.pid, signal);
  }

  /**
   * Asks the program to end, kills it when it does not, and looks for what it left behind. May be called twice.
   *
   * @throws Error when it had to be killed, or processes outlived it (they are killed first)
   */
  async stop(signal: NodeJS.Signals = 'SIGTERM', limitMs: number = STOP_LIMIT_MS): Promise<Exit> {
    const members = this.pids();
    this.signal(signal);
    let complaint: string | undefined;
    const isEnded = () => !isAlive(this.pid);
    await eventually(isEnded, limitMs, () => 'still alive').catch(() => {
      complaint = `${this.command} did not end within ${limitMs} ms after ${signal}`;
    });
    if (complaint === undefined) {
      // Children of a program that has ended get a moment to notice it.
      const isAlone = () => this.#survivors(members).length === 0;
      await eventually(isAlone, Math.min(limitMs, KILL_LIMIT_MS), () => 'still alive').catch(() => {
        const survivors = this.#survivors(members).map((pid) => `${pid} ${commandLine(pid)}`);
        complaint = `${this.command} left behind: ${survivors.join('; ')}`;
      });
    }
    for (const pid of this.#survivors(members)) kill(pid, 'SIGKILL');
    const exit = await within(this.exited, KILL_LIMIT_MS, () => `${this.command} could not be killed`);
    if (complaint !== undefined) throw new Error(`${complaint}\n${this.tail()}`);
    return exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #survivors(members: readonly number[]): number[] {
    return [...new Set([...members, ...this.pids()])].filter(isAlive);
  }

  #onLimit(): void {
    this.#isOverLimit = true;
    for (const pid of this.pids()) kill(pid, 'SIGKILL');
  }

  #readLines(stream: NodeJS.ReadableStream | null): void {
    let rest = '';
    stream?.setEncoding('utf8');
    stream?.on('data', (text: string) => {
      // A carriage return alone ends a line too: ffmpeg and rtmpdump rewrite their progress line.
      const parts = (rest + text).split(/\r?\n|\r/);
      rest = parts.pop() ?? '';
      for (const part of parts) this.#addLine(part);
    });
    stream?.on('end', () => {
      if (rest !== '') this.#addLine(rest);
    });
  }

  #addLine(line: string): void {
    this.#lines.push(line);
    this.#events.emit('line', line);
  }
}

export function describeExit(exit: Exit): string {
  return exit.signal === null ? `exit status ${exit.code}` : `signal ${exit.signal}`;
}
