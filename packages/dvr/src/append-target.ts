/** The plan `append`: which file a publish goes on with. */
import { type FileHandle, link, open, stat, unlink } from 'node:fs/promises';
import { SrsError, systemErrorCode } from '@srs/kernel';
import { finishFile } from './finish-file.ts';
import { OpenFiles } from './open-files.ts';
import type { FileSummary } from './recording.ts';
import { endingOf, finishedPath, unfinishedPath } from './recording-path.ts';
import type { RecordingTasks } from './recording-tasks.ts';

/** Streams whose last file is remembered, for templates that give each publish a name of its own. */
const MAX_REMEMBERED = 1000;

/** An unfinished file, complete up to here, that nobody else writes. */
export interface AppendTarget {
  readonly path: string;
  readonly summary: FileSummary;
  /** Others see it as open; to be called once when it is written by somebody else, or finished. */
  release(): Promise<void>;
}

export class AppendTargets {
  readonly #tasks: RecordingTasks;
  /** Unfinished paths that this process writes. */
  readonly #taken = new Set<string>();
  /** By stream and template; the oldest first. */
  readonly #lastPaths = new Map<string, string>();

  constructor(tasks: RecordingTasks) {
    this.#tasks = tasks;
  }

  /** The file of the publish before, if this server knows it. */
  lastPath(streamId: string, template: string): string | undefined {
    return this.#lastPaths.get(keyOf(streamId, template));
  }

  remember(streamId: string, template: string, path: string): void {
    const key = keyOf(streamId, template);
    this.#lastPaths.delete(key);
    this.#lastPaths.set(key, path);
    if (this.#lastPaths.size > MAX_REMEMBERED) this.#lastPaths.delete(this.#lastPaths.keys().next().value!);
  }

  /**
   * Makes a finished file an unfinished one again, or takes one that was interrupted.
   * @param path of the finished file
   * @returns undefined when there is none, or somebody else writes it
   * @throws SrsError when there is one, and it cannot be used
   */
  async take(path: string, wallMs: number): Promise<AppendTarget | undefined> {
    const unfinished = unfinishedPath(path);
    if (this.#taken.has(unfinished)) return undefined;
    this.#taken.add(unfinished);
    try {
      const target = await this.#takeFree(path, unfinished, wallMs);
      if (target !== undefined) return target;
    } catch (cause) {
      this.#taken.delete(unfinished);
      throw cause instanceof SrsError ? cause : new SrsError('FileOpen', `open ${path} to go on with it`, { cause });
    }
    this.#taken.delete(unfinished);
    return undefined;
  }

  /** Gives back a file that nothing was written to. */
  async giveBack(target: AppendTarget): Promise<void> {
    await target.release();
    await finishFile(target.path, finishedPath(target.path, target.summary.durationMs));
  }

  async #takeFree(path: string, unfinished: string, wallMs: number): Promise<AppendTarget | undefined> {
    const wasFinished = !(await isAbandoned(unfinished, wallMs));
    if (wasFinished && !(await reopen(path, unfinished))) return undefined;
    let handle: FileHandle | undefined;
    let target: AppendTarget | undefined;
    try {
      const opened = await open(unfinished, 'r+');
      handle = opened;
      const summary = await this.#tasks.repair(unfinished, endingOf(path));
      if (typeof summary === 'object') {
        target = { path: unfinished, summary, release: () => this.#release(unfinished, opened) };
      } else if (summary === 'empty' && !wasFinished) await unlink(unfinished);
      return target;
    } finally {
      if (target === undefined) {
        await handle?.close();
        // It was fine for somebody.
        if (wasFinished) await finishFile(unfinished, path);
      }
    }
  }

  async #release(unfinished: string, handle: FileHandle): Promise<void> {
    this.#taken.delete(unfinished);
    await handle.close();
  }
}

/** An interrupted recording is there, and nobody writes it. */
async function isAbandoned(unfinished: string, wallMs: number): Promise<boolean> {
  try {
    const file = await stat(unfinished);
    return !(await OpenFiles.look(wallMs)).has(file);
  } catch (thrown) {
    if (isMissing(thrown)) return false;
    throw thrown;
  }
}

/** @returns false when there is no finished file, or an unfinished one of its name */
async function reopen(path: string, unfinished: string): Promise<boolean> {
  try {
    await link(path, unfinished);
  } catch (thrown) {
    if (isMissing(thrown) || systemErrorCode(thrown) === 'EEXIST') return false;
    throw thrown;
  }
  await unlink(path);
  return true;
}

function isMissing(thrown: unknown): boolean {
  return systemErrorCode(thrown) === 'ENOENT';
}

function keyOf(streamId: string, template: string): string {
  return `${streamId}\n${template}`;
}
