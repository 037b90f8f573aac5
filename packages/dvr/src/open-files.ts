/** Which unfinished recordings somebody writes at the moment. */
import { readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UNFINISHED } from './recording-path.ts';

const PROCESSES = '/proc';
/** What the system puts behind the name of a file that was removed. */
const REMOVED = ' (deleted)';
/** Without /proc, a file that nobody has touched for so long is taken for abandoned: publishers are given up long before. */
const ABANDONED_AFTER_MS = 300_000;

export interface FileIdentity {
  readonly dev: number;
  readonly ino: number;
  readonly mtimeMs: number;
}

/** Answers for the time at which it was made. */
export class OpenFiles {
  readonly #open: ReadonlySet<string> | undefined;
  readonly #wallMs: number;

  private constructor(open: ReadonlySet<string> | undefined, wallMs: number) {
    this.#open = open;
    this.#wallMs = wallMs;
  }

  /** Looks through the processes of this user, those of another server among them. */
  static async look(wallMs: number): Promise<OpenFiles> {
    const processes = await namesIn(PROCESSES);
    if (processes === undefined) return new OpenFiles(undefined, wallMs);
    const open = new Set<string>();
    for (const pid of processes.filter((name) => /^\d+$/.test(name))) {
      const directory = join(PROCESSES, pid, 'fd');
      // Those of other users cannot be read, and could not write our files.
      for (const fd of (await namesIn(directory)) ?? []) await addOpen(join(directory, fd), open);
    }
    return new OpenFiles(open, wallMs);
  }

  has(file: FileIdentity): boolean {
    if (this.#open === undefined) return this.#wallMs - file.mtimeMs < ABANDONED_AFTER_MS;
    return this.#open.has(keyOf(file));
  }
}

async function addOpen(descriptor: string, open: Set<string>): Promise<void> {
  try {
    const path = await readlink(descriptor);
    if (path.endsWith(UNFINISHED) || path.endsWith(UNFINISHED + REMOVED)) open.add(keyOf(await stat(descriptor)));
  } catch {
    // Closed in the meantime.
  }
}

/** @returns undefined when there is no such directory, or none that may be read */
async function namesIn(directory: string): Promise<string[] | undefined> {
  try {
    return await readdir(directory);
  } catch {
    return undefined;
  }
}

function keyOf({ dev, ino }: Pick<FileIdentity, 'dev' | 'ino'>): string {
  return `${dev}:${ino}`;
}
