/** Threads that work on whole recordings, which would hold up the event loop. */
import { availableParallelism } from 'node:os';
import { errorCodes } from '@srs/kernel';
import { Piscina } from 'piscina';
import { ApiError } from './api-errors.ts';
import { openError } from './file-names.ts';
import { MediaError } from './media-errors.ts';
import type { FileIdentity } from './vod-file-window.ts';
import type { JobName, VodAnswer, VodJobRunner, VodJobs, VodTask } from './vod-jobs.ts';

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
const RETRY_SECONDS = '1';

/** A pool that is there only while it is needed. */
export class VodPool implements VodJobRunner {
  readonly #limits: VodPoolLimits;
  #pool: Piscina<VodTask, VodAnswer> | undefined;
  /** Given to the threads and not yet done. */
  #given = 0;

  constructor(limits: VodPoolLimits) {
    this.#limits = limits;
  }

  /**
   * @throws ApiError 415 for a file that cannot be played, 404 or 403 when it is not there any more, 503 when there is too much to do
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
        throw new ApiError(415, answer.message, errorCodes[answer.errorName]);
      case 'failed':
        throw openError(Object.assign(new Error(answer.message), { code: answer.systemCode }));
    }
  }

  /** What is being done is given up. */
  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    await pool?.destroy();
  }

  async #ask(task: VodTask): Promise<VodAnswer> {
    const { threads, queue, jobMs } = this.#limits;
    // The queue of the pool has the same bound, but does not tell whom it has refused.
    if (this.#given >= threads + queue) throw busy('too many recordings are asked for at once');
    this.#pool ??= new Piscina({
      filename: import.meta.resolve('./entry-vod.ts'),
      minThreads: 0,
      maxThreads: threads,
      maxQueue: threads + queue,
      idleTimeout: IDLE_MS,
    });
    const signal = AbortSignal.timeout(jobMs);
    this.#given += 1;
    try {
      return await this.#pool.run(task, { signal });
    } catch (error) {
      if (signal.aborted) throw busy(`recordings are read too slowly: no answer within ${jobMs} ms`);
      throw error;
    } finally {
      this.#given -= 1;
    }
  }
}

/** @returns an answer after which players try again */
export function busy(message: string): MediaError {
  return new MediaError(503, message, { 'retry-after': RETRY_SECONDS });
}
