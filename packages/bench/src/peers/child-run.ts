/** A program that a benchmark runs: on its own core, with limits, and never left behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** After SIGTERM a program has this long before SIGKILL. */
const STOP_LIMIT_MS = 10_000;
const KILL_LIMIT_MS = 5_000;
const TAIL_LINES = 12;

export interface ChildRunOptions {
  /** What messages call it. */
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly cwd?: string;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** The processors it may use, as `taskset -c` reads them. */
  readonly cores?: string | undefined;
  /** Ends it when aborted. */
  readonly signal?: AbortSignal;
  /** The whole run may take this long, then it is killed. */
  readonly limitMs?: number;
  /** Every line of its standard output. */
  readonly onLine?: (line: string) => void;
}

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

// What an interrupted benchmark has not stopped: each leads a process group of its own, so its children go with it.
const living = new Set<number>();
process.on('exit', () => {
  for (const pid of living) killGroup(pid, 'SIGKILL');
});

function killGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch {
    // All of it has ended.
  }
}

export class ChildRun {
  readonly name: string;
  readonly pid: number;
  /** The end of the program and of all its output; never rejects. */
  readonly ended: Promise<ChildExit>;
  readonly #options: ChildRunOptions;
  readonly #child: ChildProcess;
  readonly #tail: string[] = [];
  #exit: ChildExit | undefined;
  #isOverLimit = false;

  private constructor(child: ChildProcess, pid: number, options: ChildRunOptions) {
    this.name = options.name;
    this.pid = pid;
    this.#options = options;
    this.#child = child;
    living.add(pid);
    this.#readLines(child.stdout, options.onLine);
    this.#readLines(child.stderr, undefined);
    const limit = options.limitMs === undefined ? undefined : setTimeout(() => this.#onLimit(), options.limitMs);
    const onAbort = (): void => void this.stop().catch(() => {});
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        clearTimeout(limit);
        options.signal?.removeEventListener('abort', onAbort);
        living.delete(pid);
        this.#exit = { code, signal };
        resolve(this.#exit);
      });
    });
    options.signal?.addEventListener('abort', onAbort);
    if (options.signal?.aborted === true) onAbort();
  }

  /** @throws Error when the program cannot be started */
  static async start(options: ChildRunOptions): Promise<ChildRun> {
    options.signal?.throwIfAborted();
    const [program, ...args] = pinned(options.cores, options.command);
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const spawned = once(child, 'spawn');
    // Without a process id the start has failed, and waiting rejects with the reason.
    if (child.pid === undefined) await spawned;
    const run = new ChildRun(child, child.pid!, options);
    await spawned;
    return run;
  }

  /** Runs a program to its end. @throws Error when it ends with another status than 0 */
  static async run(options: ChildRunOptions): Promise<void> {
    const run = await ChildRun.start(options);
    const exit = await run.ended;
    if (exit.code !== 0) throw run.failure();
  }

  get isRunning(): boolean {
    return this.#exit === undefined;
  }

  get exit(): ChildExit | undefined {
    return this.#exit;
  }

  /** The last lines it printed, for messages. */
  tail(): string {
    return this.#tail.join('\n');
  }

  /** Why a program that should have done its work did not. */
  failure(): Error {
    const tail = this.tail();
    return new Error(`${this.name} ${this.#describeEnd()}${tail === '' ? '' : `; it printed:\n${tail}`}`);
  }

  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) this.#child.kill(signal);
  }

  /** Asks the program to end, kills it and its children when it does not. May be called twice. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<ChildExit> {
    this.signal(signal);
    if (!(await this.#endsWithin(STOP_LIMIT_MS))) killGroup(this.pid, 'SIGKILL');
    if (!(await this.#endsWithin(KILL_LIMIT_MS))) throw new Error(`${this.name} (process ${this.pid}) could not be killed`);
    // The program is gone; what it may have left of its group goes too.
    killGroup(this.pid, 'SIGKILL');
    return await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #endsWithin(limitMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), limitMs);
    });
    const isEnded = await Promise.race([this.ended.then(() => true), limit]);
    clearTimeout(timer);
    return isEnded;
  }

  #describeEnd(): string {
    if (this.#isOverLimit) return `was killed after its limit of ${this.#options.limitMs} ms`;
    if (this.#exit === undefined) return 'is still running';
    const { code, signal } = this.#exit;
    return signal === null ? `ended with exit status ${code}` : `ended by signal ${signal}`;
  }

  #onLimit(): void {
    this.#isOverLimit = true;
    killGroup(this.pid, 'SIGKILL');
  }

  #readLines(stream: Readable | null, onLine: ((line: string) => void) | undefined): void {
    if (stream === null) return;
    createInterface({ input: stream }).on('line', (line) => {
      this.#tail.push(line);
      if (this.#tail.length > TAIL_LINES) this.#tail.shift();
      onLine?.(line);
    });
  }
}

/** The command, kept to these processors. */
function pinned(cores: string | undefined, command: readonly [string, ...string[]]): readonly [string, ...string[]] {
  return cores === undefined ? command : ['taskset', '-c', cores, ...command];
}
