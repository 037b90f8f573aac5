/** Finds recordings where the file server finds files, and nowhere else. */
import { stat } from 'node:fs/promises';
import { systemErrorCode } from '@srs/kernel';
import { ApiError } from './api-errors.ts';
import { FileMounts, type FilePlace } from './file-mounts.ts';
import { isServedName, openError } from './file-names.ts';
import { FileOpener } from './file-opener.ts';
import type { MediaServices } from './media-services.ts';
import type { FileIdentity } from './vod-file-window.ts';
import type { RecordingFormat } from './vod-target.ts';

export interface FoundRecording {
  readonly file: FileIdentity;
  /** As the URL has it. */
  readonly name: string;
  readonly format: RecordingFormat;
}

const PLAYLIST_ENDING = '.m3u8';
/** If there are both. */
const formats: readonly RecordingFormat[] = ['flv', 'mp4'];
/** Viewers of a live stream ask for its playlist again and again: for so long it is believed that a path is none of a recording. */
const BELIEVED_MS = 1000;
/** Who asks for other names each time must not fill the memory. */
const MAX_BELIEVED = 1000;

export class VodFiles {
  readonly #services: Pick<MediaServices, 'config' | 'clock'>;
  readonly #opener = new FileOpener();
  /** Paths of playlists that no recording is played by, with the time until that is believed. */
  readonly #others = new Map<string, number>();
  #config: ReturnType<MediaServices['config']>;
  #mounts: FileMounts;

  constructor(services: Pick<MediaServices, 'config' | 'clock'>) {
    this.#services = services;
    this.#config = services.config();
    this.#mounts = new FileMounts(this.#config);
  }

  /**
   * The recording that is played by a playlist which is no file.
   * @param base its path without an ending
   * @throws ApiError when there is one that cannot be opened
   */
  async findFor(base: readonly string[], host: string): Promise<FoundRecording | undefined> {
    const place = this.#placeOf(base, host);
    if (place === undefined) return undefined;
    const playlist = `${pathIn(place)}${PLAYLIST_ENDING}`;
    if (this.#isOther(playlist)) return undefined;
    if (!(await exists(playlist))) {
      for (const format of formats) {
        const found = await this.#open(place, `.${format}`, format);
        if (found !== undefined) return found;
      }
    }
    this.#believe(playlist);
    return undefined;
  }

  /** @throws ApiError when it cannot be opened */
  async find(path: readonly string[], format: RecordingFormat, host: string): Promise<FoundRecording | undefined> {
    const place = this.#placeOf(path, host);
    return place === undefined ? undefined : await this.#open(place, '', format);
  }

  async #open(place: FilePlace, ending: string, format: RecordingFormat): Promise<FoundRecording | undefined> {
    const file = await this.#opener.open(`${pathIn(place)}${ending}`).catch((error: unknown) => {
      const told = openError(error);
      if (told instanceof ApiError && told.statusCode === 404) return undefined;
      throw told;
    });
    if (file === undefined) return undefined;
    try {
      const { stats, realPath } = file;
      if (!stats.isFile() || !(await place.directory.contains(realPath, this.#services.clock.nowMs()))) return undefined;
      const { dev: device, ino: inode, size: sizeBytes, mtimeMs: modifiedMs } = stats;
      return { file: { path: realPath, device, inode, sizeBytes, modifiedMs }, name: `${place.names.at(-1)}${ending}`, format };
    } finally {
      file.release();
    }
  }

  #placeOf(path: readonly string[], host: string): FilePlace | undefined {
    const place = this.#currentMounts().find(path, host);
    // A mount may be all of the path, and is no file then.
    return place === undefined || place.names.length === 0 || !place.names.every(isServedName) ? undefined : place;
  }

  #isOther(path: string): boolean {
    const untilMs = this.#others.get(path);
    return untilMs !== undefined && this.#services.clock.nowMs() < untilMs;
  }

  #believe(path: string): void {
    this.#others.delete(path);
    this.#others.set(path, this.#services.clock.nowMs() + BELIEVED_MS);
    for (const oldest of this.#others.keys()) {
      if (this.#others.size <= MAX_BELIEVED) return;
      this.#others.delete(oldest);
    }
  }

  #currentMounts(): FileMounts {
    const config = this.#services.config();
    if (config !== this.#config) {
      this.#config = config;
      this.#mounts = new FileMounts(config);
      this.#others.clear();
    }
    return this.#mounts;
  }
}

function pathIn({ directory, names }: FilePlace): string {
  return [directory.path, ...names].join('/');
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
