/** A file that is written behind: the caller never waits for the disk. */
import { constants } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { SrsError, systemErrorCode } from '@srs/kernel';
import { type OpenHandle, type OutputHandle, openHandle, renameFile } from './file-system.ts';
import { TaskQueue } from './task-queue.ts';

export type { OpenHandle, OutputHandle };

export interface OutputFileOptions {
  /** Bytes that may wait for the disk. One more, and the file is given up: a disk that slow never catches up with live media. */
  readonly maxPendingBytes: number;
  /** What is in the file stays and `write` goes on behind it; else an existing file is emptied. */
  readonly append?: boolean;
  /**
   * When given, an existing file is left alone, and this names what to try instead for attempt 1, 2, ...; undefined to give up.
   * Has no effect together with `append`.
   */
  readonly otherPath?: (attempt: number) => string | undefined;
  /**
   * Called once, for the first thing that went wrong, maybe from within `write`; what is given to the file afterwards is dropped.
   * FileOpen or FileWrite; the message names the path, the cause is the system's error.
   */
  onError(error: SrsError): void;
  /** Opens the file; tests give a slow or broken one. */
  readonly openHandle?: OpenHandle;
}

/** `writev` takes so many at once (IOV_MAX). */
const MAX_BUFFERS_PER_WRITE = 1024;

/**
 * Bytes are queued and written in order by the thread pool, as many at once as are waiting. Everything here is done in the order of the calls:
 * opening, writes, patches, renames, the close.
 */
export class OutputFile {
  readonly #options: OutputFileOptions;
  readonly #tasks = new TaskQueue();
  #path: string;
  #handle: OutputHandle | undefined;
  #error: SrsError | undefined;
  /** Where the next write goes. */
  #writePosition = 0;
  #sizeBytes = 0;
  #pendingBytes = 0;
  /** What the last queued task will write; undefined when that task does something else. */
  #batch: Buffer[] | undefined;
  #isClosing = false;
  #isDiscarded = false;
  #closed: Promise<void> | undefined;

  /** Never waits and never throws: opening is queued like everything else. Missing parent directories are made. */
  static open(path: string, options: OutputFileOptions): OutputFile {
    return new OutputFile(path, options);
  }

  private constructor(path: string, options: OutputFileOptions) {
    this.#path = path;
    this.#options = options;
    this.#enqueue(() => this.#open());
  }

  /** Where the file is by now: `otherPath` and `rename` change it. */
  get path(): string {
    return this.#path;
  }

  /** Size of the file once all it was given is written. With `append`, what was there before counts from the opening on. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Bytes that were given and are not written yet. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /**
   * Writes behind all that was written before. Dropped after an error, and once the file is closing.
   * @param bytes the file's own from now on: they must not change any more
   */
  write(bytes: Buffer): void {
    if (bytes.length === 0 || !this.#accepts(bytes.length)) return;
    this.#sizeBytes += bytes.length;
    if (this.#batch !== undefined) {
      this.#batch.push(bytes);
      return;
    }
    const batch = [bytes];
    this.#batch = batch;
    this.#enqueue(async () => {
      if (this.#batch === batch) this.#batch = undefined;
      await this.#writeAll(batch);
    });
  }

  /** Overwrites bytes that were written before, in order with the writes. Dropped like them. */
  patch(position: number, bytes: Buffer): void {
    if (bytes.length === 0 || !this.#accepts(bytes.length)) return;
    // Later writes must not join those that come before this.
    this.#batch = undefined;
    this.#enqueue(async () => {
      await this.#attempt([bytes], position);
    });
  }

  /**
   * Renames the file once all it was given before is written. What was there is replaced; missing parent directories are made.
   * @throws SrsError what went wrong with the file before, or FileWrite when it cannot be renamed
   */
  async rename(path: string): Promise<void> {
    await this.#tasks.add(async () => {
      if (this.#error !== undefined) throw this.#error;
      try {
        await renameFile(this.#path, path);
      } catch (cause) {
        throw new SrsError('FileWrite', `rename ${this.#path} to ${path}`, { cause });
      }
      this.#path = path;
    });
  }

  /** Resolves, always, when all is written or has failed and the file is closed. */
  close(): Promise<void> {
    this.#isClosing = true;
    this.#closed ??= this.#tasks.add(() => this.#close());
    return this.#closed;
  }

  /** As `close`, but what waits is not written and the file is removed. */
  async discard(): Promise<void> {
    this.#isDiscarded = true;
    await this.close();
    try {
      await unlink(this.#path);
    } catch (cause) {
      if (!isMissing(cause)) this.#fail(new SrsError('FileWrite', `remove ${this.#path}`, { cause }));
    }
  }

  #accepts(bytes: number): boolean {
    if (this.#error !== undefined || this.#isClosing) return false;
    const pendingBytes = this.#pendingBytes + bytes;
    const { maxPendingBytes } = this.#options;
    if (pendingBytes > maxPendingBytes) {
      const slow = `the disk is too slow for ${this.#path}: ${pendingBytes} bytes wait to be written, at most ${maxPendingBytes} may`;
      this.#fail(new SrsError('FileWrite', slow));
      return false;
    }
    this.#pendingBytes = pendingBytes;
    return true;
  }

  /** The tasks of this class do not throw. */
  #enqueue(task: () => Promise<void>): void {
    void this.#tasks.add(task);
  }

  async #open(): Promise<void> {
    const { append = false, otherPath } = this.#options;
    const open = this.#options.openHandle ?? openHandle;
    const mode = append ? 0 : otherPath === undefined ? constants.O_TRUNC : constants.O_EXCL;
    for (let attempt = 1; ; attempt++) {
      try {
        const { handle, sizeBytes } = await open(this.#path, constants.O_WRONLY | constants.O_CREAT | mode);
        this.#handle = handle;
        this.#writePosition = sizeBytes;
        this.#sizeBytes += sizeBytes;
        return;
      } catch (cause) {
        const other = isTaken(cause) ? otherPath?.(attempt) : undefined;
        if (other === undefined) {
          this.#fail(new SrsError('FileOpen', `open ${this.#path} for writing`, { cause }));
          return;
        }
        this.#path = other;
      }
    }
  }

  async #writeAll(buffers: readonly Buffer[]): Promise<void> {
    for (let from = 0; from < buffers.length; from += MAX_BUFFERS_PER_WRITE) {
      this.#writePosition += await this.#attempt(buffers.slice(from, from + MAX_BUFFERS_PER_WRITE), this.#writePosition);
    }
  }

  /** @returns how many bytes were written: all, or fewer after an error */
  async #attempt(buffers: readonly Buffer[], position: number): Promise<number> {
    const total = buffers.reduce((sum, each) => sum + each.length, 0);
    let written = 0;
    try {
      if (this.#handle !== undefined && !this.#isDiscarded) {
        for (let rest = buffers; rest.length > 0; rest = withoutStart(buffers, written)) {
          const { bytesWritten } = await this.#handle.writev(rest, position + written);
          if (bytesWritten === 0) throw new Error('the system wrote nothing');
          written += bytesWritten;
        }
      }
    } catch (cause) {
      // Later writes would leave a hole.
      this.#handle = await closed(this.#handle);
      this.#fail(new SrsError('FileWrite', `write ${total} bytes at ${position} of ${this.#path}`, { cause }));
    }
    this.#pendingBytes -= total;
    return written;
  }

  async #close(): Promise<void> {
    try {
      await this.#handle?.close();
    } catch (cause) {
      this.#fail(new SrsError('FileWrite', `close ${this.#path}`, { cause }));
    }
    this.#handle = undefined;
  }

  #fail(error: SrsError): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    this.#options.onError(error);
  }
}

/** What of `buffers` follows their first `bytes` bytes. */
function withoutStart(buffers: readonly Buffer[], bytes: number): readonly Buffer[] {
  let skip = bytes;
  let index = 0;
  while (index < buffers.length && skip >= buffers[index]!.length) skip -= buffers[index++]!.length;
  if (skip === 0) return buffers.slice(index);
  return [buffers[index]!.subarray(skip), ...buffers.slice(index + 1)];
}

async function closed(handle: OutputHandle | undefined): Promise<undefined> {
  await handle?.close().catch(() => {});
  return undefined;
}

function isMissing(thrown: unknown): boolean {
  return systemErrorCode(thrown) === 'ENOENT';
}

function isTaken(thrown: unknown): boolean {
  return systemErrorCode(thrown) === 'EEXIST';
}
