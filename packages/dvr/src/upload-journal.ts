/** Which files wait for their upload: a file of JSON lines that outlives the process. */
import { appendFile, readFile } from 'node:fs/promises';
import { replaceFile } from '@srs/files';
import { describeError, type Log, SrsError, systemErrorCode } from '@srs/kernel';
import type { Leftover } from './upload-file.ts';

/*
 *   {"path":"/rec/live/a.flv","vhost":"a.com","root":"/rec"}                                  waits
 *   {"path":"/rec/live/a.flv","vhost":"a.com","root":"/rec","leftover":{...}}                 has parts in the bucket, which it waits to replace
 *   {"path":"/rec/live/a.flv"}                                                                is done with
 *
 * The last line of a path counts.
 */

/** A file that waits. Paths are absolute. */
export interface WaitingFile {
  readonly path: string;
  readonly vhost: string;
  /** The directory that its name in the bucket is relative to. */
  readonly root: string;
  /** Parts in a bucket, and where that is. */
  readonly leftover?: PlacedLeftover | undefined;
}

interface PlacedLeftover extends Leftover {
  readonly endpoint: string;
  readonly bucket: string;
}

type JournalLine = WaitingFile | { readonly path: string };

/** So many lines more than there are files in them, and the file is written anew. */
const MAX_DEAD_LINES = 500;

export class UploadJournal {
  readonly #path: string;
  readonly #log: Log;
  readonly #files = new Map<string, WaitingFile>();
  #unwritten: JournalLine[] = [];
  #lineCount = 0;
  /** The file is not what it should be: it must be written anew. */
  #isDamaged = false;
  #hasComplained = false;
  #writing: Promise<void> | undefined;

  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
  }

  /** The longest in the list first. */
  get files(): ReadonlyMap<string, WaitingFile> {
    return this.#files;
  }

  /** Takes what is in the file, before what has been added by now. @throws SrsError FileRead */
  async load(): Promise<void> {
    const added = Array.from(this.#files.values());
    this.#files.clear();
    for (const file of await readWaiting(this.#path)) this.#files.set(file.path, file);
    for (const file of added) this.#files.set(file.path, file);
    this.#isDamaged = true;
    this.#write();
  }

  set(file: WaitingFile): void {
    this.#files.set(file.path, file);
    this.#unwritten.push(file);
    this.#write();
  }

  delete(path: string): void {
    if (!this.#files.delete(path)) return;
    this.#unwritten.push({ path });
    this.#write();
  }

  /** Resolves when everything has been written, or cannot be. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  #write(): void {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
  }

  /** One after the other; does not throw. */
  async #writeAll(): Promise<void> {
    while (this.#unwritten.length > 0 || this.#isDamaged) {
      const lines = this.#unwritten;
      this.#unwritten = [];
      const isLong = this.#lineCount + lines.length > this.#files.size + MAX_DEAD_LINES;
      const isWhole = this.#isDamaged || isLong;
      try {
        if (isWhole) {
          const files = Array.from(this.#files.values());
          this.#lineCount = files.length;
          this.#isDamaged = false;
          await replaceFile(this.#path, textOf(files));
        } else {
          this.#lineCount += lines.length;
          await appendFile(this.#path, textOf(lines));
        }
        this.#hasComplained = false;
      } catch (error) {
        this.#isDamaged = true;
        // The directory may be missing; when the whole file cannot be written either, the next change tries again.
        if (!isWhole) continue;
        this.#complain(error);
        if (this.#unwritten.length === 0) return;
      }
    }
  }

  #complain(error: unknown): void {
    if (this.#hasComplained) return;
    this.#hasComplained = true;
    this.#log.error(`dvr: what waits for its upload would be lost with this process: ${describeError(error)}`);
  }
}

/** What waits by a journal, which another process may be writing. @throws SrsError FileRead */
export async function readWaiting(path: string): Promise<readonly WaitingFile[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (systemErrorCode(cause) === 'ENOENT') return [];
    throw new SrsError('FileRead', `read ${path}`, { cause });
  }
  const files = new Map<string, WaitingFile>();
  for (const line of text.split('\n')) {
    const parsed = parseLine(line);
    if (parsed === undefined) continue;
    if ('vhost' in parsed) files.set(parsed.path, parsed);
    else files.delete(parsed.path);
  }
  return Array.from(files.values());
}

function textOf(lines: readonly JournalLine[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** @returns undefined for the half of a line that a killed process has left, and for what somebody else has written */
function parseLine(line: string): JournalLine | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const { path, vhost, root, leftover } = fieldsOf(value);
  if (typeof path !== 'string') return undefined;
  if (typeof vhost !== 'string' || typeof root !== 'string') return vhost === undefined ? { path } : undefined;
  const placed = leftoverOf(leftover);
  return placed === undefined ? { path, vhost, root } : { path, vhost, root, leftover: placed };
}

function leftoverOf(value: unknown): PlacedLeftover | undefined {
  const { key, uploadId, endpoint, bucket } = fieldsOf(value);
  if (typeof key !== 'string' || typeof uploadId !== 'string') return undefined;
  return typeof endpoint === 'string' && typeof bucket === 'string' ? { key, uploadId, endpoint, bucket } : undefined;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
