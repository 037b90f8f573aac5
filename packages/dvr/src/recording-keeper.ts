/** Deletes old recordings: those above an age, and the oldest ones when the disk is full. */
import { statfs, unlink } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { DvrConfig } from '@srs/config';
import { type Clock, describeError, type Log } from '@srs/kernel';
import { schedule } from 'node-cron';
import { type FoundFile, factsOf, findFiles, removeEmptyDirectories } from './find-recordings.ts';
import { recordingPattern, recordingRoot, recordingTemplate } from './recording-path.ts';

/** Of each vhost: its name, and what it says of recordings. */
export type KeptSections = readonly {
  readonly vhost: string;
  readonly dvr: Pick<DvrConfig, 'path' | 'retentionMs' | 'diskHighPercent'>;
}[];

export interface RecordingKeeperOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** All vhosts that record, those that keep their recordings for ever too: a file that two of them can have made goes by the milder rule. */
  readonly sections: () => KeptSections;
  /** Files that are still to be uploaded, as absolute paths: they are kept however old they are, and go last when the disk is full. */
  readonly waiting?: () => Promise<ReadonlySet<string>>;
  /** Bytes of the file system in all and in use; tests give a full one. */
  readonly diskUse?: (directory: string) => Promise<DiskUse>;
}

interface DiskUse {
  readonly totalBytes: number;
  readonly usedBytes: number;
}

/** Every minute: a full disk does not wait. */
const EVERY_MINUTE = '* * * * *';

/** What one vhost wants of its files. */
interface Rule {
  readonly vhost: string;
  readonly root: string;
  readonly pattern: RegExp;
  readonly retentionMs: number;
  readonly diskHighPercent: number;
}

export class RecordingKeeper {
  readonly #options: RecordingKeeperOptions;
  /** Directories of which the log knows that they lose what has not been uploaded. */
  readonly #losing = new Set<string>();

  constructor(options: RecordingKeeperOptions) {
    this.#options = options;
  }

  /**
   * Runs every minute, never twice at a time. To be called in one process only.
   * @param expression of cron, with seconds when it has six fields
   * @returns what ends it; resolves when nothing runs any more
   */
  start(expression = EVERY_MINUTE): () => Promise<void> {
    let lastRun: Promise<unknown> = Promise.resolve();
    const run = (): Promise<unknown> => {
      lastRun = this.run();
      return lastRun;
    };
    const task = schedule(expression, run, { name: 'recordings', noOverlap: true, suppressMissedWarning: true });
    return async () => {
      await task.destroy();
      await lastRun;
    };
  }

  /** One look at all recordings. Does not throw: what cannot be deleted is logged. @returns the paths that were deleted */
  async run(): Promise<readonly string[]> {
    const rules = this.#options.sections().map(ruleOf);
    const deleted: string[] = [];
    const active = rules.filter(({ retentionMs, diskHighPercent }) => retentionMs > 0 || diskHighPercent > 0);
    for (const root of new Set(active.map((rule) => rule.root))) {
      const ofRoot = active.filter((rule) => rule.root === root);
      try {
        deleted.push(...(await this.#clean(root, ofRoot, rules)));
      } catch (error) {
        this.#options.log.error(`dvr: cannot look for old recordings in ${root}: ${describeError(error)}`);
      }
    }
    return deleted;
  }

  async #clean(root: string, rules: readonly Rule[], all: readonly Rule[]): Promise<readonly string[]> {
    const nowMs = this.#options.clock.wallMs();
    const files = await findFiles(root, (path) => rules.some(({ pattern }) => pattern.test(path)));
    files.sort((a, b) => a.mtimeMs - b.mtimeMs);
    const rulesOf = (file: FoundFile): readonly Rule[] => all.filter(({ pattern }) => pattern.test(file.path));
    const waiting = (await this.#options.waiting?.()) ?? new Set<string>();
    const isWaiting = (file: FoundFile): boolean => waiting.has(resolve(file.path));
    const isOld = (file: FoundFile): boolean =>
      rulesOf(file).every(({ retentionMs }) => retentionMs > 0 && nowMs - file.mtimeMs > retentionMs);
    const old = files.filter((file) => isOld(file) && !isWaiting(file));
    const deleted = await this.#delete(root, old, 'older than they are kept');
    const rest = files.filter((file) => !old.includes(file));
    const inOrder = [...rest.filter((file) => !isWaiting(file)), ...rest.filter(isWaiting)];
    const excess = await this.#excess(root, inOrder, rulesOf);
    this.#tellLoss(root, excess.filter(isWaiting));
    return [...deleted, ...(await this.#delete(root, excess, 'the oldest on a disk that is too full'))];
  }

  /** Once, until nothing is lost any more. */
  #tellLoss(root: string, files: readonly FoundFile[]): void {
    if (files.length === 0) this.#losing.delete(root);
    if (files.length === 0 || this.#losing.has(root)) return;
    this.#losing.add(root);
    this.#options.log.error(
      `dvr: the disk of ${root} is too full: recordings are deleted that have not been uploaded yet, ${files[0]!.path} first`,
    );
  }

  /** The first files whose bytes bring the disk below the limit. Not more at once, for a deleted file may keep its room for a while. */
  async #excess(
    root: string,
    files: readonly FoundFile[],
    rulesOf: (file: FoundFile) => readonly Rule[],
  ): Promise<readonly FoundFile[]> {
    const limited = files.map((file) => ({ file, percent: limitOf(rulesOf(file)) })).filter(({ percent }) => percent > 0);
    if (limited.length === 0) return [];
    const { totalBytes, usedBytes } = await (this.#options.diskUse ?? diskUse)(root);
    let remainingBytes = usedBytes;
    const excess: FoundFile[] = [];
    for (const { file, percent } of limited) {
      if (remainingBytes <= (totalBytes * percent) / 100) continue;
      remainingBytes -= file.sizeBytes;
      excess.push(file);
    }
    return excess;
  }

  async #delete(root: string, files: readonly FoundFile[], why: string): Promise<readonly string[]> {
    const { log } = this.#options;
    const deleted: FoundFile[] = [];
    for (const file of files) {
      try {
        // It may be another file by now, or be written again.
        const now = await factsOf(file.path);
        if (now?.ino !== file.ino || now.mtimeMs !== file.mtimeMs) continue;
        await unlink(file.path);
        deleted.push(file);
        log.info(`dvr: ${file.path} is deleted: ${why}`);
        await removeEmptyDirectories(file.path, root);
      } catch (error) {
        log.error(`dvr: ${file.path} cannot be deleted: ${describeError(error)}`);
      }
    }
    if (deleted.length > 0) {
      const bytes = deleted.reduce((sum, file) => sum + file.sizeBytes, 0);
      log.trace(`dvr: ${deleted.length} recordings in ${root} are deleted, ${bytes} bytes: ${why}`);
    }
    return deleted.map((file) => file.path);
  }
}

function ruleOf({ vhost, dvr }: KeptSections[number]): Rule {
  const template = recordingTemplate(dvr.path);
  const { retentionMs, diskHighPercent } = dvr;
  return { vhost, root: recordingRoot(template), pattern: recordingPattern(template, vhost), retentionMs, diskHighPercent };
}

/** How full the disk may be before such a file goes: as full as the mildest of the vhosts says; 0 when it never goes. */
function limitOf(rules: readonly Rule[]): number {
  const percents = rules.map(({ diskHighPercent }) => diskHighPercent);
  return percents.includes(0) ? 0 : Math.max(0, ...percents);
}

async function diskUse(directory: string): Promise<DiskUse> {
  const { bsize, blocks, bfree, bavail } = await statfs(directory);
  // As df counts it: what is set aside for root is neither used nor free.
  return { usedBytes: (blocks - bfree) * bsize, totalBytes: (blocks - bfree + bavail) * bsize };
}
