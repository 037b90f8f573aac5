/** What was asked to be recorded, or not: counts for one publish each, and outlives this process. */
import { readFile } from 'node:fs/promises';
import { splitStreamId } from '@srs/config';
import type { Lease } from '@srs/control';
import { replaceFile } from '@srs/files';
import { describeError, type Log, systemErrorCode } from '@srs/kernel';

type LeaseName = Pick<Lease, 'streamId' | 'leaseId'>;

interface Wish extends LeaseName {
  readonly isRecorded: boolean;
}

export class RecordingWishes {
  readonly #path: string;
  readonly #log: Log;
  /** By stream. */
  readonly #wishes = new Map<string, Wish>();
  /** Of the process before, until the publish comes that they are for. */
  #inherited: ReadonlyMap<string, Wish> = new Map();

  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
  }

  /** What the process before was told; a file that cannot be read is logged. */
  async load(): Promise<void> {
    try {
      const wishes = readWishes(JSON.parse(await readFile(this.#path, 'utf8')));
      this.#inherited = new Map(wishes.map((wish) => [wish.streamId, wish]));
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return;
      this.#log.error(`dvr: what was asked to be recorded is not known: ${describeError(error)}`);
    }
  }

  /** Of the process before. */
  inheritedVhosts(): ReadonlySet<string> {
    return new Set(Array.from(this.#inherited.keys(), (streamId) => splitStreamId(streamId).vhost));
  }

  /** A publish begins, or this process comes to know of it. @returns what is wanted of it */
  begin({ streamId, leaseId }: LeaseName): boolean | undefined {
    const wish = this.#wishes.get(streamId) ?? this.#inherited.get(streamId);
    if (wish?.leaseId === leaseId) this.#wishes.set(streamId, wish);
    else this.end(streamId);
    return this.#wishes.get(streamId)?.isRecorded;
  }

  /** @param isRecorded undefined for what the configuration says */
  set({ streamId, leaseId }: LeaseName, isRecorded: boolean | undefined): void {
    if (isRecorded === undefined) {
      this.end(streamId);
      return;
    }
    this.#wishes.set(streamId, { streamId, leaseId, isRecorded });
    void this.#save();
  }

  /** The publish is over. */
  end(streamId: string): void {
    if (this.#wishes.delete(streamId)) void this.#save();
  }

  /** The process ends. What it was asked for stays, for it may be started again beside the publishers; what nobody came for goes. */
  async close(): Promise<void> {
    if (this.#inherited.size > 0) await this.#save();
  }

  /** Does not throw. */
  async #save(): Promise<void> {
    const wishes = Array.from(this.#wishes.values());
    try {
      await replaceFile(this.#path, `${JSON.stringify(wishes)}\n`);
    } catch (error) {
      this.#log.error(`dvr: what was asked to be recorded would be lost with this process: ${describeError(error)}`);
    }
  }
}

/** What somebody else has written is passed over. */
function readWishes(value: unknown): readonly Wish[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((each: Partial<Record<keyof Wish, unknown>> | null) => {
    const { streamId, leaseId, isRecorded } = each ?? {};
    const isWish = typeof streamId === 'string' && typeof leaseId === 'string' && typeof isRecorded === 'boolean';
    return isWish ? [{ streamId, leaseId, isRecorded }] : [];
  });
}
