/** Looks for files below a directory. */
import { lstat, opendir, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemErrorCode } from '@srs/kernel';

export interface FoundFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly dev: number;
  readonly ino: number;
}

/** Directories inside each other; an app has no more parts. */
const MAX_DEPTH = 64;

/**
 * The plain files below `root` whose path satisfies `isWanted`. Symbolic links are not followed; what disappears meanwhile is left out.
 * @throws the system's error when `root` itself cannot be read; there are no files when it is missing
 */
export async function findFiles(root: string, isWanted: (path: string) => boolean): Promise<FoundFile[]> {
  const found: FoundFile[] = [];
  await walk(root, 0, async (path) => {
    if (!isWanted(path)) return;
    const file = await factsOf(path);
    if (file !== undefined) found.push(file);
  });
  return found;
}

/** @returns undefined when it is no plain file, or not there any more */
export async function factsOf(path: string): Promise<FoundFile | undefined> {
  try {
    const facts = await lstat(path);
    const { size, mtimeMs, ctimeMs, dev, ino } = facts;
    return facts.isFile() ? { path, sizeBytes: size, mtimeMs, ctimeMs, dev, ino } : undefined;
  } catch (thrown) {
    if (isGone(thrown)) return undefined;
    throw thrown;
  }
}

/** Those above a file that was deleted, up to `root`: of a day, or of an app that has nothing left. */
export async function removeEmptyDirectories(file: string, root: string): Promise<void> {
  for (let path = dirname(file); path !== root && path.startsWith(root); path = dirname(path)) {
    try {
      await rmdir(path);
    } catch {
      // Something is left in it.
      return;
    }
  }
}

async function walk(directory: string, depth: number, onFile: (path: string) => Promise<void>): Promise<void> {
  try {
    for await (const entry of await opendir(directory)) {
      const path = join(directory, entry.name);
      if (entry.isFile()) await onFile(path);
      else if (entry.isDirectory() && depth < MAX_DEPTH) await walk(path, depth + 1, onFile);
    }
  } catch (thrown) {
    if (isGone(thrown)) return;
    // One directory that cannot be read must not hide the others.
    if (depth > 0 && systemErrorCode(thrown) === 'EACCES') return;
    throw thrown;
  }
}

function isGone(thrown: unknown): boolean {
  const code = systemErrorCode(thrown);
  return code === 'ENOENT' || code === 'ENOTDIR';
}
