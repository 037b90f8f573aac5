/** Brings one file into an object store, and makes sure that it is there. */
import { type FileHandle, open } from 'node:fs/promises';
import { SrsError, systemErrorCode } from '@srs/kernel';
import { type FoundFile, factsOf } from './find-recordings.ts';
import { FileDigest, type FilePart, partsOf } from './upload-digest.ts';
import { contentType, type UploadSettings } from './upload-settings.ts';
import { ObjectStore } from './upload-store.ts';

export interface UploadTask {
  readonly path: string;
  readonly key: string;
  readonly settings: UploadSettings;
  /** Parts that an earlier try has left in the bucket, to be removed first. */
  readonly leftover?: Leftover | undefined;
  readonly idleMs?: number | undefined;
  /** Of one part; tests do not want to send much. */
  readonly partBytes?: number | undefined;
}

export interface Leftover {
  readonly key: string;
  readonly uploadId: string;
}

export type UploadResult =
  /** The object is there and is the file. */
  | { readonly kind: 'uploaded'; readonly file: FoundFile; readonly wasThere: boolean }
  /** Somebody has written to the file meanwhile. */
  | { readonly kind: 'changed' }
  /** There is no such file. */
  | { readonly kind: 'missing' };

/**
 * An object that is there already and equals the file is left alone.
 * @param onParts told the id of an upload in parts before the first of them, and undefined when nothing of it is left
 * @throws SrsError what the store or the disk has against it; parts that were sent are removed as far as possible
 */
export async function uploadFile(task: UploadTask, onParts: (uploadId: string | undefined) => void): Promise<UploadResult> {
  const { path, key, settings, leftover, idleMs, partBytes } = task;
  const store = new ObjectStore({ settings, ...(idleMs === undefined ? {} : { idleMs }) });
  try {
    if (leftover !== undefined) {
      await store.abort(leftover.key, leftover.uploadId);
      onParts(undefined);
    }
    const facts = await factsOf(path);
    const file = facts === undefined ? undefined : await openFile(path);
    if (facts === undefined || file === undefined) return { kind: 'missing' };
    try {
      const upload = new Upload(store, file, facts, key, partBytes);
      const wasThere = await upload.isThere();
      if (!wasThere) await upload.send(onParts);
      const now = await factsOf(path);
      if (now === undefined || !isSame(facts, now)) return { kind: 'changed' };
      return { kind: 'uploaded', file: facts, wasThere };
    } finally {
      await file.close();
    }
  } finally {
    store.close();
  }
}

/** Whether the file is still the one that it was. */
export function isSame(one: FoundFile, other: FoundFile): boolean {
  return one.ino === other.ino && one.dev === other.dev && one.sizeBytes === other.sizeBytes && one.mtimeMs === other.mtimeMs;
}

class Upload {
  readonly #store: ObjectStore;
  readonly #file: FileHandle;
  readonly #facts: FoundFile;
  readonly #key: string;
  readonly #parts: readonly FilePart[];

  constructor(store: ObjectStore, file: FileHandle, facts: FoundFile, key: string, partBytes: number | undefined) {
    this.#store = store;
    this.#file = file;
    this.#facts = facts;
    this.#key = key;
    this.#parts = partsOf(facts.sizeBytes, partBytes);
  }

  /** An earlier try has succeeded, and nobody has heard of it. */
  async isThere(): Promise<boolean> {
    const found = await this.#store.head(this.#key);
    if (found === undefined || found === 'hidden' || !found.isDigest || found.sizeBytes !== this.#facts.sizeBytes) return false;
    const digest = new FileDigest(this.#file);
    for (const part of this.#parts) await digest.add(part);
    return digest.etags().includes(found.etag);
  }

  async send(onParts: (uploadId: string | undefined) => void): Promise<void> {
    const [only] = this.#parts;
    const digest = new FileDigest(this.#file);
    if (this.#parts.length === 1 && only !== undefined) await this.#sendWhole(only, digest);
    else await this.#sendParts(digest, onParts);
    await this.#verify(digest.etags());
  }

  async #sendWhole(part: FilePart, digest: FileDigest): Promise<void> {
    const partDigest = await digest.add(part);
    const { etag, isDigest } = await this.#store.put(this.#key, contentType(this.#facts.path), this.#file, part, partDigest);
    if (isDigest) this.#compare('its ETag', etag, partDigest.md5.toString('hex'));
  }

  async #sendParts(digest: FileDigest, onParts: (uploadId: string | undefined) => void): Promise<void> {
    const uploadId = await this.#store.begin(this.#key, contentType(this.#facts.path));
    onParts(uploadId);
    try {
      const etags: string[] = [];
      for (const [index, part] of this.#parts.entries()) {
        // The bytes are read twice, the second time from memory: the system has just had them.
        const partDigest = await digest.add(part);
        const { etag, isDigest } = await this.#store.putPart(this.#key, uploadId, index + 1, this.#file, part, partDigest);
        if (isDigest) this.#compare(`the ETag of part ${index + 1}`, etag, partDigest.md5.toString('hex'));
        etags.push(etag);
      }
      await this.#store.complete(this.#key, uploadId, etags);
      onParts(undefined);
    } catch (error) {
      await this.#store.abort(this.#key, uploadId).then(
        () => onParts(undefined),
        // It is tried again before the next upload of the file.
        () => {},
      );
      throw error;
    }
  }

  /** The store has checked each request against its checksums; what it has made of them is looked at here. */
  async #verify(etags: readonly string[]): Promise<void> {
    const found = await this.#store.head(this.#key);
    // Keys that may write and not look: what the store has checked by itself must do.
    if (found === 'hidden') return;
    this.#compare('its size', found?.sizeBytes, this.#facts.sizeBytes);
    if (found?.isDigest === true && !etags.includes(found.etag)) this.#compare('its ETag', found.etag, etags[0]);
  }

  #compare(what: string, found: string | number | undefined, wanted: string | number | undefined): void {
    if (found === wanted) return;
    throw new SrsError(
      'HttpAnswer',
      `${this.#key} in the bucket is not the file: ${what} ${found ?? 'unknown'} must be ${wanted ?? 'unknown'}`,
    );
  }
}

/** @returns undefined when it has just gone */
async function openFile(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (cause) {
    if (systemErrorCode(cause) === 'ENOENT') return undefined;
    throw new SrsError('FileOpen', `open ${path}`, { cause });
  }
}
