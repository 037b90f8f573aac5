/** Playlists, segments and keys as files, which any web server can deliver. */
import { access, open, readdir, unlink } from 'node:fs/promises';
import { OutputFile, replaceFile } from '@srs/files';
import { SrsError, systemErrorCode } from '@srs/kernel';
import { UNFINISHED } from './segment-names.ts';
import type { HlsStore, SegmentSink } from './store.ts';

/** What may wait for the disk, of one segment: several seconds of any stream. */
const MAX_PENDING_BYTES = 16 * 1024 * 1024;
const MAX_OTHER_NAMES = 100;
/** A playlist of the longest list that is ever written is smaller. */
const MAX_PLAYLIST_BYTES = 8 * 1024 * 1024;

export const diskStore: HlsStore = {
  openSegment: (path, onError) => new DiskSegment(path, onError),
  replace: replaceFile,

  async readPlaylist(path) {
    try {
      return await readSmallFile(path);
    } catch (cause) {
      if (isMissing(cause)) return undefined;
      throw new SrsError('FileRead', `read ${path}`, { cause });
    }
  },

  async present(paths) {
    const found = await Promise.all(paths.map(async (path) => ((await isThere(path)) ? path : undefined)));
    return new Set(found.filter((path) => path !== undefined));
  },

  async remove(paths) {
    const ends = await Promise.allSettled(paths.map((path) => unlink(path)));
    for (const [index, end] of ends.entries()) {
      if (end.status === 'rejected' && !isMissing(end.reason)) {
        throw new SrsError('FileWrite', `remove ${paths[index]}`, { cause: end.reason });
      }
    }
  },

  async removeLeftovers(directory, isLeftover) {
    let names: readonly string[];
    try {
      names = await readdir(directory);
    } catch (cause) {
      if (isMissing(cause)) return;
      throw new SrsError('FileRead', `list ${directory}`, { cause });
    }
    await this.remove(names.filter(isLeftover).map((name) => `${directory}/${name}`));
  },
};

class DiskSegment implements SegmentSink {
  readonly #file: OutputFile;

  constructor(path: string, onError: (error: SrsError) => void) {
    // The one before it may have been given up, and not be removed yet, when its number and with it its name come again.
    const otherPath = (attempt: number) => (attempt <= MAX_OTHER_NAMES ? `${path}.${attempt}${UNFINISHED}` : undefined);
    this.#file = OutputFile.open(path + UNFINISHED, { maxPendingBytes: MAX_PENDING_BYTES, otherPath, onError });
  }

  get pendingBytes(): number {
    return this.#file.pendingBytes;
  }

  write(bytes: Buffer): void {
    this.#file.write(bytes);
  }

  async commit(path: string): Promise<void> {
    // Some file systems tell only then that there was no room.
    await this.#file.close();
    await this.#file.rename(path);
  }

  async discard(): Promise<void> {
    await this.#file.discard();
  }
}

async function readSmallFile(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size > MAX_PLAYLIST_BYTES) throw new Error(`playlist of ${size} bytes must be at most ${MAX_PLAYLIST_BYTES}`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

function isMissing(thrown: unknown): boolean {
  return systemErrorCode(thrown) === 'ENOENT';
}
