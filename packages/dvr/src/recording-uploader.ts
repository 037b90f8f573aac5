/** Uploads finished recordings to object stores, each until it has succeeded. */
import { unlink } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Clock, describeError, type Log } from '@srs/kernel';
import type { UploadAnswer } from './entry-upload.ts';
import { factsOf, removeEmptyDirectories } from './find-recordings.ts';
import { isSame, type UploadResult } from './upload-file.ts';
import { readWaiting, UploadJournal, type WaitingFile } from './upload-journal.ts';
import { UploadPauses } from './upload-pauses.ts';
import { objectKey, type UploadSettings } from './upload-settings.ts';
import { UploadTasks } from './upload-tasks.ts';

/** A finished recording. */
export type FileToUpload = Omit<WaitingFile, 'leftover'>;

export interface RecordingUploaderOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** 0..1, as Math.random. */
  readonly random: () => number;
  /** In force at the moment; undefined when the vhost uploads nothing: what waits for it then waits until it does. */
  readonly settingsOf: (vhost: string) => UploadSettings | undefined;
  /** Where what waits is written down, for the next process. */
  readonly stateFile: string;
  /** State files of processes that are no more: this one takes over what they have left. */
  readonly orphanedFiles?: readonly string[];
  /** Between tries: grows from the first to the last. */
  readonly pauses?: { readonly firstMs: number; readonly maxMs: number };
  /** A store that is silent for so long is taken for dead. */
  readonly idleMs?: number;
  /** Of somebody who closes them; tests start no threads each. */
  readonly tasks?: UploadTasks;
}

/** Files at the same time. More would not be faster: the line to the store is the limit, and the disk is there for the recordings. */
export const AT_ONCE = 2;
const PAUSES = { firstMs: 2_000, maxMs: 300_000 };

export class RecordingUploader {
  readonly #options: RecordingUploaderOptions;
  readonly #journal: UploadJournal;
  readonly #pauses: UploadPauses;
  readonly #tasks: UploadTasks;
  /** By path: the store it goes to. */
  readonly #running = new Map<string, UploadSettings>();
  /** Files that were given again while they were being uploaded. */
  readonly #givenAgain = new Set<string>();
  readonly #runs = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #isStarted = false;
  #isClosing = false;

  constructor(options: RecordingUploaderOptions) {
    this.#options = options;
    this.#tasks = options.tasks ?? new UploadTasks(AT_ONCE);
    this.#journal = new UploadJournal(options.stateFile, options.log);
    this.#pauses = new UploadPauses({ ...PAUSES, ...options.pauses, random: options.random });
  }

  /** Uploads a finished recording, if its vhost does that. May be called before `start`. */
  add({ path, vhost, root }: FileToUpload): void {
    if (this.#options.settingsOf(vhost) === undefined) return;
    const file = { path: resolve(path), vhost, root: resolve(root) };
    if (this.#running.has(file.path)) this.#givenAgain.add(file.path);
    this.#pauses.forget(file.path);
    this.#journal.set({ ...file, leftover: this.#journal.files.get(file.path)?.leftover });
    this.#pump();
  }

  /** Takes up what the process before has left. */
  async start(): Promise<void> {
    const { log, orphanedFiles = [] } = this.#options;
    try {
      await this.#journal.load();
      for (const path of orphanedFiles) await this.#adopt(path);
    } catch (error) {
      log.error(`dvr: what waited for its upload is not known: ${describeError(error)}`);
    }
    const count = this.#journal.files.size;
    if (count > 0) log.trace(`dvr: ${count} recordings wait for their upload`);
    this.#isStarted = true;
    this.#pump();
  }

  /** A reload: what the vhosts say of uploads counts at once. */
  configure(): void {
    this.#pump();
  }

  /** The files that are not uploaded yet, as absolute paths, and will be. */
  waiting(): readonly string[] {
    return Array.from(this.#journal.files.values())
      .filter(({ vhost }) => this.#options.settingsOf(vhost) !== undefined)
      .map(({ path }) => path);
  }

  /** Begins nothing more and waits for what is under way, `graceMs` at most. What is not done by then waits for the next process. */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    clearTimeout(this.#timer);
    const timer = setTimeout(() => this.#stopping.abort(), graceMs);
    await Promise.all(this.#runs);
    clearTimeout(timer);
    if (this.#options.tasks === undefined) await this.#tasks.close();
    await this.#journal.flush();
  }

  async #adopt(path: string): Promise<void> {
    for (const file of await readWaiting(path)) if (!this.#journal.files.has(file.path)) this.#journal.set(file);
    await this.#journal.flush();
    await unlink(path).catch(() => {});
  }

  /** Begins as much as may be begun now, and comes back when more may. */
  #pump(): void {
    if (!this.#isStarted || this.#isClosing) return;
    clearTimeout(this.#timer);
    const nowMs = this.#options.clock.nowMs();
    let nextMs = Number.POSITIVE_INFINITY;
    const due: { readonly file: WaitingFile; readonly settings: UploadSettings; readonly failures: number }[] = [];
    for (const file of this.#journal.files.values()) {
      const settings = this.#running.has(file.path) ? undefined : this.#options.settingsOf(file.vhost);
      if (settings === undefined) continue;
      const dueMs = this.#pauses.dueMs(file.path, settings);
      if (dueMs <= nowMs) due.push({ file, settings, failures: this.#pauses.failures(file.path) });
      else nextMs = Math.min(nextMs, dueMs);
    }
    // A file that is not taken must not be the one by which a store is judged, over and over.
    due.sort((one, other) => one.failures - other.failures);
    for (const { file, settings } of due) {
      // The end of each comes back here.
      if (this.#running.size >= AT_ONCE) return;
      if (!this.#isBeingTried(settings)) this.#begin(file, settings);
    }
    if (nextMs < Number.POSITIVE_INFINITY) {
      this.#timer = setTimeout(() => this.#pump(), Math.ceil(nextMs - nowMs));
      this.#timer.unref();
    }
  }

  /** A store that has failed is asked for one file at a time until it works again. */
  #isBeingTried(settings: UploadSettings): boolean {
    return this.#pauses.isFailing(settings) && Array.from(this.#running.values()).some((other) => other === settings);
  }

  #begin(file: WaitingFile, settings: UploadSettings): void {
    this.#running.set(file.path, settings);
    const run = this.#run(file, settings).finally(() => {
      this.#runs.delete(run);
      this.#pump();
    });
    this.#runs.add(run);
  }

  /** Does not throw. */
  async #run(file: WaitingFile, settings: UploadSettings): Promise<void> {
    const answer = await this.#upload(file, settings);
    this.#running.delete(file.path);
    const isGivenAgain = this.#givenAgain.delete(file.path);
    if (answer === undefined) return;
    if (answer.kind === 'failed') {
      this.#keep(file, settings, answer.leftover);
      this.#pauses.storeFailed(settings, this.#options.clock.nowMs());
      this.#complain(file, settings, answer.message);
      return;
    }
    this.#pauses.storeWorks(settings);
    if (isGivenAgain) {
      this.#keep(file, settings, undefined);
      return;
    }
    switch (answer.kind) {
      case 'changed':
        this.#keep(file, settings, undefined);
        this.#complain(file, settings, 'it was written to meanwhile');
        return;
      case 'missing':
        this.#forget(file);
        this.#options.log.warn(`dvr: ${file.path} has gone before it was uploaded, and is given up`);
        return;
      case 'uploaded':
        this.#forget(file);
        await this.#finish(file, settings, answer);
    }
  }

  /** @returns undefined when it was cut short by the end of the process */
  async #upload(file: WaitingFile, settings: UploadSettings): Promise<UploadAnswer | undefined> {
    const { path, root, leftover } = file;
    const { endpoint, bucket, prefix } = settings;
    const isReachable = leftover?.endpoint === endpoint && leftover.bucket === bucket;
    const known = isReachable ? leftover : undefined;
    let left = known;
    try {
      return await this.#tasks.run(
        { path, key: objectKey(prefix, root, path), settings, leftover: known, idleMs: this.#options.idleMs },
        this.#stopping.signal,
        (now) => {
          left = now === undefined ? undefined : { ...now, endpoint, bucket };
          this.#keep(file, settings, now);
        },
      );
    } catch (error) {
      if (this.#stopping.signal.aborted) return undefined;
      return { kind: 'failed', message: describeError(error), leftover: left };
    }
  }

  /** It goes on waiting. */
  #keep(file: WaitingFile, { endpoint, bucket }: UploadSettings, leftover: UploadAnswerLeftover): void {
    const placed = leftover === undefined ? undefined : { key: leftover.key, uploadId: leftover.uploadId, endpoint, bucket };
    if (this.#journal.files.get(file.path)?.leftover?.uploadId === placed?.uploadId) return;
    this.#journal.set({ path: file.path, vhost: file.vhost, root: file.root, leftover: placed });
  }

  #forget({ path }: WaitingFile): void {
    this.#journal.delete(path);
    this.#pauses.forget(path);
  }

  #complain({ path }: WaitingFile, settings: UploadSettings, message: string): void {
    const pauseMs = this.#pauses.fileFailed(path, settings, this.#options.clock.nowMs());
    const count = this.#journal.files.size;
    this.#options.log.warn(`dvr: upload of ${path} failed, again in ${pauseMs} ms, ${count} in all wait: ${message}`);
  }

  async #finish(
    { path, root }: WaitingFile,
    { endpoint, bucket, prefix, deleteAfter }: UploadSettings,
    { file, wasThere }: UploadResult & { readonly kind: 'uploaded' },
  ): Promise<void> {
    const { log } = this.#options;
    const place = `${objectKey(prefix, root, path)} of bucket ${bucket} at ${new URL(endpoint).host}`;
    const outcome = wasThere ? 'was uploaded before' : 'is uploaded';
    log.trace(`dvr: ${path}, ${file.sizeBytes} bytes, ${outcome}: ${place}`);
    if (!deleteAfter) return;
    try {
      const now = await factsOf(path);
      // What was added to it meanwhile is not in the bucket.
      if (now === undefined || !isSame(now, file)) return;
      await unlink(path);
      await removeEmptyDirectories(path, root);
      log.info(`dvr: ${path} is deleted: it has been uploaded`);
    } catch (error) {
      log.error(`dvr: ${path} has been uploaded and cannot be deleted: ${describeError(error)}`);
    }
  }
}

type UploadAnswerLeftover = { readonly key: string; readonly uploadId: string } | undefined;
