/** Finds the file that a request means, and opens it when it may be served. */
import type { FileDirectory } from './file-directory.ts';
import type { HeldFile } from './file-held.ts';
import { FileMounts } from './file-mounts.ts';
import { isServedName, notFound, openError } from './file-names.ts';
import { FileOpener } from './file-opener.ts';
import type { FileTarget } from './file-target.ts';
import type { MediaServices } from './media-services.ts';

const INDEX = 'index.html';

/** Where a file is looked for. */
export interface FileAddress {
  readonly directory: FileDirectory;
  /** Absolute; the file may lead elsewhere. */
  readonly path: string;
}

export class FileFinder {
  readonly #services: Pick<MediaServices, 'config' | 'clock' | 'log'>;
  readonly #opener = new FileOpener();
  #config: ReturnType<MediaServices['config']>;
  #mounts: FileMounts;

  constructor(services: Pick<MediaServices, 'config' | 'clock' | 'log'>) {
    this.#services = services;
    this.#config = services.config();
    this.#mounts = new FileMounts(this.#config);
  }

  /** @param host of the request, perhaps with a port @returns undefined when nothing is served by that name */
  addressOf({ segments, isDirectory }: FileTarget, host: string): FileAddress | undefined {
    const place = this.#currentMounts().find(segments, host);
    if (place === undefined || !place.names.every(isServedName)) return undefined;
    const { directory, names } = place;
    return { directory, path: [directory.path, ...names, ...(isDirectory ? [INDEX] : [])].join('/') };
  }

  /**
   * @returns a file, or a directory that was asked for without the slash. The caller releases it
   * @throws ApiError 404 when there is nothing that is served
   */
  async open(target: FileTarget, host: string): Promise<HeldFile> {
    const address = this.addressOf(target, host);
    if (address === undefined) throw notFound();
    const { directory, path } = address;
    const file = await this.#opener.open(path).catch((error: unknown) => {
      throw openError(error);
    });
    try {
      const { stats, realPath } = file;
      if (!(await directory.contains(realPath, this.#services.clock.nowMs()))) {
        this.#services.log.info(
          `HTTP ${JSON.stringify(path)} is refused: it leads to ${JSON.stringify(realPath)}, out of ${directory.path}`,
        );
        throw notFound();
      }
      if (!stats.isFile() && (target.isDirectory || !stats.isDirectory())) throw notFound();
      return file;
    } catch (thrown) {
      file.release();
      throw thrown;
    }
  }

  #currentMounts(): FileMounts {
    const config = this.#services.config();
    if (config !== this.#config) {
      this.#config = config;
      this.#mounts = new FileMounts(config);
    }
    return this.#mounts;
  }
}
