/** Notices that configuration files have been written, whichever way an editor or a tool does that. */
import { type FSWatcher, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import { describeError, type Log } from '@srs/kernel';

export interface ConfigWatchOptions {
  readonly log: Log;
  /** They have changed, and have been left alone for a moment. */
  onChanged(): void;
}

/** Who writes a file in pieces, or several files, is not interrupted. */
const QUIET_MS = 200;

/**
 * Directories are watched, not files: many editors write a new file and give it the old name, and a mounted directory may be changed as a
 * whole by one symbolic link.
 */
export class ConfigWatch {
  readonly #options: ConfigWatchOptions;
  #files: readonly string[] = [];
  #watchers = new Map<string, FSWatcher>();
  #signature = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ConfigWatchOptions) {
    this.#options = options;
  }

  /** From now on these, as they are now; none to watch nothing. */
  watch(files: readonly string[]): void {
    this.#files = files;
    this.#signature = signatureOf(files);
    const directories = new Set(files.map((file) => dirname(file)));
    for (const [directory, watcher] of this.#watchers) {
      if (directories.has(directory)) continue;
      watcher.close();
      this.#watchers.delete(directory);
    }
    for (const directory of directories) if (!this.#watchers.has(directory)) this.#open(directory);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.watch([]);
  }

  #open(directory: string): void {
    try {
      const watcher = watch(directory, { persistent: false }, () => this.#look());
      watcher.on('error', (error) => {
        this.#options.log.warn(`inotify_auto_reload: ${directory} is not watched any more: ${describeError(error)}`);
        watcher.close();
        this.#watchers.delete(directory);
      });
      this.#watchers.set(directory, watcher);
    } catch (error) {
      this.#options.log.warn(`inotify_auto_reload: ${directory} cannot be watched: ${describeError(error)}`);
    }
  }

  /** Something has happened in a directory, maybe to another file. */
  #look(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const signature = signatureOf(this.#files);
      if (signature === this.#signature) return;
      this.#signature = signature;
      this.#options.onChanged();
    }, QUIET_MS).unref();
  }
}

/** Changes with any of the files. */
function signatureOf(files: readonly string[]): string {
  return files
    .map((file) => {
      try {
        const { dev, ino, size, mtimeNs } = statSync(file, { bigint: true });
        return `${dev}.${ino}.${size}.${mtimeNs}`;
      } catch {
        return '-';
      }
    })
    .join(' ');
}
