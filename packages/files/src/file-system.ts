/** Opening and renaming where directories may be missing. */
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemErrorCode } from '@srs/kernel';

/** What an `OutputFile` needs of a `FileHandle`. */
export interface OutputHandle {
  /** May write a part only, at least one byte. */
  writev(buffers: readonly Buffer[], position: number): Promise<{ readonly bytesWritten: number }>;
  close(): Promise<void>;
}

/** @throws the system's error */
export type OpenHandle = (path: string, flags: number) => Promise<{ readonly handle: OutputHandle; readonly sizeBytes: number }>;

/** Opens a file and tells its size; missing parent directories are made. */
export const openHandle: OpenHandle = async (path, flags) => {
  const handle = await withParents(path, () => open(path, flags));
  try {
    const { size } = await handle.stat();
    return { handle, sizeBytes: size };
  } catch (thrown) {
    await handle.close();
    throw thrown;
  }
};

/** Renames a file, over one that may be there; missing parent directories are made. */
export async function renameFile(from: string, to: string): Promise<void> {
  await withParents(to, () => rename(from, to));
}

/** An empty directory may be removed between its making and its use; more often than this nobody does so. */
const MAX_ATTEMPTS = 3;

/** Does it again with the directories of `path` when it failed because something is missing. */
export async function withParents<T>(path: string, act: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await act();
    } catch (thrown) {
      if (systemErrorCode(thrown) !== 'ENOENT' || attempt === MAX_ATTEMPTS) throw thrown;
    }
    await makeDirectory(dirname(path));
  }
}

/** Step by step: of a read-only file system, mkdir with `recursive` says that something is missing. */
async function makeDirectory(path: string): Promise<void> {
  const parent = dirname(path);
  try {
    await makeOne(path);
  } catch (thrown) {
    if (systemErrorCode(thrown) !== 'ENOENT' || parent === path) throw thrown;
    await makeDirectory(parent);
    await makeOne(path);
  }
}

async function makeOne(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (thrown) {
    if (systemErrorCode(thrown) !== 'EEXIST') throw thrown;
  }
}
