/** Small files that readers see whole: the old content or the new one, never a part. */
import { unlink, writeFile } from 'node:fs/promises';
import { SrsError } from '@srs/kernel';
import { renameFile, withParents } from './file-system.ts';

interface Replacement {
  readonly bytes: Buffer | string;
  readonly done: PromiseWithResolvers<void>;
}

/** What waits for each path that is being written. */
const waiting = new Map<string, Replacement | undefined>();

/**
 * Writes under a temporary name (`path.tmp`) and renames it over `path`. Calls for one path are done in order; one that still waits when the
 * next comes is skipped and settles with it, so that a slow disk gets the newest content only. Missing parent directories are made.
 * @param path always written the same way for the same file
 * @throws SrsError FileWrite; the file is then as it was
 */
export async function replaceFile(path: string, bytes: Buffer | string): Promise<void> {
  if (waiting.has(path)) {
    const done = waiting.get(path)?.done ?? Promise.withResolvers<void>();
    waiting.set(path, { bytes, done });
    await done.promise;
    return;
  }
  waiting.set(path, undefined);
  try {
    await replaceNow(path, bytes);
  } finally {
    void replaceWaiting(path);
  }
}

/** Writes what came meanwhile, until nothing waits any more. Does not throw: each waiting call gets its own error. */
async function replaceWaiting(path: string): Promise<void> {
  for (;;) {
    const next = waiting.get(path);
    if (next === undefined) break;
    waiting.set(path, undefined);
    await replaceNow(path, next.bytes).then(next.done.resolve, next.done.reject);
  }
  waiting.delete(path);
}

async function replaceNow(path: string, bytes: Buffer | string): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    await withParents(temporary, () => writeFile(temporary, bytes));
    await renameFile(temporary, path);
  } catch (cause) {
    await unlink(temporary).catch(() => {});
    throw new SrsError('FileWrite', `replace ${path}`, { cause });
  }
}
