/**
 * Opens files for requests. Thousands of viewers ask for the newest segment and the playlist at the same time: those who come
 * while a path is being opened wait for the next opening of it and share that. So each gets the file as it was after his request
 * had come, and the disk is asked rarely.
 */
import { constants, fstatSync, open, readlinkSync, type Stats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { closeFile, HeldFile, type OpenFile, WholeFileMemory } from './file-held.ts';

const openDescriptor = promisify(open);

/** A FIFO without a writer, or a device, must not keep a thread waiting. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

interface FileOpenerOptions {
  /** Where the system shows what descriptors stand for. Other systems than Linux have no such place. */
  readonly descriptors?: string;
  readonly memory?: WholeFileMemory;
}

type Waiter = PromiseWithResolvers<HeldFile>;

export class FileOpener {
  /** Paths that are being opened, and who waits for the next time. */
  readonly #waiting = new Map<string, Waiter[]>();
  readonly #descriptors: string;
  readonly #memory: WholeFileMemory;

  constructor(options: FileOpenerOptions = {}) {
    this.#descriptors = options.descriptors ?? '/proc/self/fd';
    this.#memory = options.memory ?? new WholeFileMemory();
  }

  /**
   * Opens whatever is there, directories too. The caller releases it.
   * @throws the system's error
   */
  open(path: string): Promise<HeldFile> {
    const waiter: Waiter = Promise.withResolvers();
    const waiting = this.#waiting.get(path);
    if (waiting === undefined) this.#openSoon(path, [waiter]);
    else waiting.push(waiter);
    return waiter.promise;
  }

  /** When all requests that have come by now have been looked at. */
  #openSoon(path: string, waiters: Waiter[]): void {
    this.#waiting.set(path, waiters);
    setImmediate(() => void this.#openFor(waiters, path));
  }

  async #openFor(waiters: readonly Waiter[], path: string): Promise<void> {
    const next: Waiter[] = [];
    this.#waiting.set(path, next);
    try {
      const file = new HeldFile(await this.#openNow(path), this.#memory, waiters.length);
      for (const waiter of waiters) waiter.resolve(file);
    } catch (error) {
      for (const waiter of waiters) waiter.reject(error);
    }
    if (next.length === 0) this.#waiting.delete(path);
    else this.#openSoon(path, next);
  }

  async #openNow(path: string): Promise<OpenFile> {
    const fd = await openDescriptor(path, OPEN_FLAGS);
    let sizeBytes = 0;
    try {
      // Both answer from memory once the file is open, and are cheaper than the way to another thread.
      const stats = fstatSync(fd);
      sizeBytes = stats.size;
      return { fd, stats, realPath: this.#pathOf(fd) ?? (await checkedRealPath(path, stats)) };
    } catch (thrown) {
      closeFile(fd, sizeBytes);
      throw thrown;
    }
  }

  #pathOf(fd: number): string | undefined {
    try {
      return readlinkSync(`${this.#descriptors}/${fd}`);
    } catch {
      return undefined;
    }
  }
}

/**
 * For systems that do not tell the path of a descriptor.
 * @param opened what was opened under that path: whatever has become of the path meanwhile, this must be what it leads to
 */
async function checkedRealPath(path: string, opened: Stats): Promise<string> {
  const realPath = await realpath(path);
  const { dev, ino } = await stat(realPath);
  if (dev === opened.dev && ino === opened.ino) return realPath;
  throw Object.assign(new Error(`${path} was replaced`), { code: 'ENOENT' });
}
