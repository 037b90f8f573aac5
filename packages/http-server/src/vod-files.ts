/** Finds recordings where the file server finds files, and nowhere else. */
import { stat } from 'node:fs/promises';
import { systemErrorCode } from '@srs/kernel';
import type { RecordingFile, RecordingFormat } from '@srs/vod';
import { ApiError } from './api-errors.ts';
import { FileFinder } from './file-finder.ts';
import type { FileTarget } from './file-target.ts';
import type { MediaServices } from './media-services.ts';

const PLAYLIST_ENDING = '.m3u8';
/** If there are both. */
const formats: readonly RecordingFormat[] = ['flv', 'mp4'];
/** Viewers of a live stream ask for its playlist again and again: for so long it is believed that a path is none of a recording. */
const BELIEVED_MS = 1000;
/** Who asks for other names each time must not fill the memory. */
const MAX_BELIEVED = 1000;

export class VodFiles {
  readonly #clock: MediaServices['clock'];
  readonly #finder: FileFinder;
  /** Paths of playlists that no recording is played by, with the time until that is believed. */
  readonly #others = new Map<string, number>();

  constructor(services: Pick<MediaServices, 'config' | 'clock' | 'log'>) {
    this.#clock = services.clock;
    this.#finder = new FileFinder(services);
  }

  /**
   * The recording that is played by a playlist which is no file.
   * @param base its path without an ending, of one name at least
   * @throws ApiError when there is one that cannot be opened
   */
  async findFor(base: readonly string[], host: string): Promise<RecordingFile | undefined> {
    const playlist = this.#finder.addressOf(targetOf(withEnding(base, PLAYLIST_ENDING)), host)?.path;
    if (playlist === undefined || this.#isOther(playlist)) return undefined;
    if (!(await exists(playlist))) {
      for (const format of formats) {
        const found = await this.find(withEnding(base, `.${format}`), format, host);
        if (found !== undefined) return found;
      }
    }
    this.#believe(playlist);
    return undefined;
  }

  /**
   * @param path that of the recording
   * @throws ApiError when it cannot be opened
   */
  async find(path: readonly string[], format: RecordingFormat, host: string): Promise<RecordingFile | undefined> {
    const file = await this.#finder.open(targetOf(path), host).catch((error: unknown) => {
      if (error instanceof ApiError && error.statusCode === 404) return undefined;
      throw error;
    });
    if (file === undefined) return undefined;
    const { stats, realPath } = file;
    file.release();
    if (!stats.isFile()) return undefined;
    const { dev: device, ino: inode, size: sizeBytes, mtimeMs: modifiedMs } = stats;
    return { identity: { path: realPath, device, inode, sizeBytes, modifiedMs }, name: path.at(-1)!, format };
  }

  #isOther(path: string): boolean {
    const untilMs = this.#others.get(path);
    return untilMs !== undefined && this.#clock.nowMs() < untilMs;
  }

  #believe(path: string): void {
    this.#others.delete(path);
    this.#others.set(path, this.#clock.nowMs() + BELIEVED_MS);
    for (const oldest of this.#others.keys()) {
      if (this.#others.size <= MAX_BELIEVED) return;
      this.#others.delete(oldest);
    }
  }
}

function withEnding(path: readonly string[], ending: string): readonly string[] {
  return [...path.slice(0, -1), `${path.at(-1)}${ending}`];
}

function targetOf(segments: readonly string[]): FileTarget {
  return { segments, isDirectory: false, query: '', authority: undefined };
}

/** However it could be read: then it is the business of the file server. */
async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    return systemErrorCode(error) !== 'ENOENT';
  }
}
