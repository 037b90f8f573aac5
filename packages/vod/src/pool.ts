/** Threads that work on whole recordings, which would hold up the event loop. */
import { availableParallelism } from 'node:os';
import { SrsError } from '@srs/kernel';
import { Piscina } from 'piscina';
import type { FileIdentity } from './file-window.ts';
import { JobSlots } from './job-slots.ts';
import type { JobName, VodAnswer, VodJobRunner, VodJobs, VodTask } from './jobs.ts';

export interface VodPoolLimits {
  readonly threads: number;
  /** Jobs that may wait for a thread. */
  readonly queue: number;
  /** For one job, its waiting included. */
  readonly jobMs: number;
}

/** Several processes serve HTTP, and each has threads of its own. */
export const defaultPoolLimits: VodPoolLimits = Object.freeze({
  threads: Math.max(1, Math.min(4, Math.floor(availableParallelism() / 2))),
  queue: 128,
  jobMs: 30_000,
});

/** A thread costs memory: it goes when there was nothing to do for so long. */
const IDLE_MS = 30_000;

/** A pool that is there only while it is needed. */
export class VodPool implements VodJobRunner {
  readonly #limits: VodPoolLimits;
  readonly #entry: string;
  /** The queue of the pool would strand those who wait when a thread is ended, for it begins another only with the next job. */
  readonly #slots: JobSlots;
  #pool: Piscina<VodTask, VodAnswer> | undefined;
  #isClosed = false;

  /** @param entry what the threads run: another one for tests */
  constructor(limits: VodPoolLimits, entry: string = import.meta.resolve('./entry-vod.ts')) {
    this.#limits = limits;
    this.#entry = entry;
    this.#slots = new JobSlots(limits.threads);
  }

  /**
   * @throws SrsError VodBusy when there is too much to do or the file changes, another one for a file that cannot be played; or
   * the system's error
   */
  async run<Name extends JobName>(
    name: Name,
    file: FileIdentity,
    input: VodJobs[Name]['input'],
  ): Promise<VodJobs[Name]['result']> {
    const answer = await this.#ask({ name, file, input } as VodTask);
    switch (answer.kind) {
      case 'done':
        return answer.result;
      case 'changed':
        throw busy(`${JSON.stringify(file.path)} changes while it is read`);
      case 'refused':
        throw new SrsError(answer.errorName, answer.message);
      case 'failed':
        throw Object.assign(new Error(answer.message), { code: answer.systemCode });
    }
  }

  /** What is being done is given up, and nothing more is done. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#pool?.destroy();
    this.#pool = undefined;
  }

  async #ask(task: VodTask): Promise<VodAnswer> {
    const { queue, jobMs } = this.#limits;
    const signal = AbortSignal.timeout(jobMs);
    try {
      if (this.#slots.isFull && this.#slots.waiting >= queue) throw busy('too many recordings are asked for at once');
      await this.#slots.claim(signal);
      try {
        return await this.#openPool().run(task, { signal });
      } finally {
        this.#slots.release();
      }
    } catch (error) {
      if (signal.aborted) throw busy(`recordings are read too slowly: no answer within ${jobMs} ms`);
      if (this.#isClosed) throw closed();
      throw error;
    }
  }

  #openPool(): Piscina<VodTask, VodAnswer> {
    if (this.#isClosed) throw closed();
    if (this.#pool === undefined) {
      this.#pool = new Piscina({ filename: this.#entry, minThreads: 0, maxThreads: this.#limits.threads, idleTimeout: IDLE_MS });
      // A thread that fails with nothing to do; the next job has another. Without a listener this would end the process.
      this.#pool.on('error', () => {});
    }
    return this.#pool;
  }
}

function busy(message: string): SrsError {
  return new SrsError('VodBusy', message);
}

function closed(): SrsError {
  return busy('recordings are not played any more: the server stops');
}
