/** A machine of its own for a test, with its own processes, services and ports: this machine's files, and nothing that is written stays. */
import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { beforeEach } from 'vitest';
import { ChildProgram, type FinishedProgram } from './child-program.ts';
import { eventually } from './deadline.ts';
import { findProgram, missingNote, type Program } from './programs.ts';

const bootScript = join(import.meta.dirname, 'fixtures/boot-machine.sh');
const BOOT_LIMIT_MS = 30_000;
const COMMAND_LIMIT_MS = 60_000;
const systemd = '/lib/systemd/systemd';

const programs: readonly Program[] = ['unshare', 'nsenter', 'ip'];

/** Where groups of processes are made: the one hierarchy of today, or the new one beside the old. */
function controlGroups(): string | undefined {
  return ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].find((path) => existsSync(join(path, 'cgroup.procs')));
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** CAP_SYS_ADMIN: root in a container does not have it. */
const ADMINISTRATION = 1n << 21n;

/** Why no name spaces of one's own can be made; undefined when they can. */
function namespaceObstacle(): string | undefined {
  const rights = /^CapEff:\s+(\w+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  if (rights !== undefined && (BigInt(`0x${rights}`) & ADMINISTRATION) !== 0n) return undefined;
  return 'only root, and not in a container, may make mounts and processes of its own';
}

/** Skips the tests of the file or `describe` where `unshare` is not allowed; returns whether it is. */
export function requiresNamespaces(): boolean {
  const note = namespaceObstacle();
  beforeEach((context) => context.skip(note !== undefined, note));
  return note === undefined;
}

/** Why this machine cannot have another one inside; undefined when it can. */
function obstacle(init: 'systemd' | 'none'): string | undefined {
  const missing = programs.filter((program) => findProgram(program) === undefined);
  if (missing.length > 0) return missingNote(missing);
  const denial = namespaceObstacle();
  if (denial !== undefined) return denial;
  if (!readFileSync('/proc/filesystems', 'utf8').includes('overlay')) return 'the kernel has no overlay file system';
  const groups = controlGroups();
  if (groups === undefined || !isWritable(groups)) return 'no control group can be made here';
  if (init === 'systemd' && !existsSync(systemd)) return 'needs systemd: apt-get install systemd';
  return undefined;
}

/** Skips the tests of the file or `describe` where `TestMachine.start` cannot work; returns whether it can. */
export function requiresTestMachine(init: 'systemd' | 'none'): boolean {
  const note = obstacle(init);
  beforeEach((context) => context.skip(note !== undefined, note));
  return note === undefined;
}

export class TestMachine {
  readonly #program: ChildProgram;
  readonly #init: number;
  readonly #directory: string;
  readonly #group: string;

  private constructor(program: ChildProgram, init: number, directory: string, group: string) {
    this.#program = program;
    this.#init = init;
    this.#directory = directory;
    this.#group = group;
  }

  /** Boots; with systemd, until that has started all it has to. */
  static async start(init: 'systemd' | 'none'): Promise<TestMachine> {
    const directory = mkdtempSync(join(tmpdir(), 'srs-machine-'));
    const group = join(controlGroups()!, basename(directory));
    mkdirSync(group);
    // Inside of a group of its own, which the machine then takes for all there is.
    const script =
      'echo 0 >"$1/cgroup.procs" && exec unshare --mount --pid --fork --kill-child --cgroup --uts --ipc --net "$2" "$3" "$4"';
    const program = await ChildProgram.start('/bin/sh', ['-c', script, 'boot', group, bootScript, directory, init]);
    try {
      const [pid] = await eventually(
        () => {
          if (!program.isRunning) throw new Error(`the machine did not boot\n${program.tail()}`);
          const children = childrenOf(program.pid);
          return children.length > 0 && isBooted(children[0]!) && children;
        },
        BOOT_LIMIT_MS,
        () => `the machine did not boot\n${program.tail()}`,
      );
      const machine = new TestMachine(program, pid!, directory, group);
      if (init === 'systemd') {
        await eventually(
          async () => /^(running|degraded)$/.test((await machine.run('systemctl', 'is-system-running', '--wait')).stdout.trim()),
          BOOT_LIMIT_MS,
          () => 'systemd has not started all of its services',
        );
      }
      return machine;
    } catch (thrown) {
      program.signal('SIGKILL');
      await program.exited;
      throw thrown;
    }
  }

  /** Runs a program in the machine, to its end. */
  run(command: string, ...args: readonly string[]): Promise<FinishedProgram> {
    const enter = ['--target', String(this.#init), '--all', '--root', '--wd', '/usr/bin/env', '-i', `PATH=${searchPath}`];
    return ChildProgram.run('nsenter', [...enter, command, ...args], { limitMs: COMMAND_LIMIT_MS });
  }

  /** The standard output of a program. @throws Error with all it said when it fails */
  async output(command: string, ...args: readonly string[]): Promise<string> {
    const end = await this.run(command, ...args);
    if (end.code !== 0) {
      throw new Error(`${[command, ...args].join(' ')}: ${end.signal ?? `status ${end.code}`}\n${end.stdout}${end.stderr}`);
    }
    return end.stdout;
  }

  /** The output of a line of shell. @throws Error with all it said when it fails */
  shell(line: string): Promise<string> {
    return this.output('/bin/sh', '-c', line);
  }

  /** Copies a file into the machine. @returns where it lies there */
  add(file: string): string {
    const path = join('/var/cache', basename(file));
    copyFileSync(file, `/proc/${this.#init}/root${path}`);
    return path;
  }

  /** Ends everything in it at once. */
  async stop(): Promise<void> {
    try {
      process.kill(this.#init, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
    await this.#program.closed;
    rmSync(this.#directory, { recursive: true, force: true });
    rmdirTree(this.#group);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

const searchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

/** The script has made way for what it boots. */
function isBooted(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('boot-machine');
  } catch {
    return false;
  }
}

/** A group is removed when it is empty; the ones inside come first, and removing files of it is not possible. */
function rmdirTree(group: string): void {
  for (const child of readdirSafe(group)) rmdirTree(join(group, child));
  try {
    rmdirSync(group);
  } catch {
    // Its last process is still on its way out; an empty group costs nothing.
  }
}

function readdirSafe(path: string): readonly string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}
