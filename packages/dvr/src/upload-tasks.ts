/**
 * The threads that upload. The event loop of the process belongs to the recordings: reading, checksums and encryption would hold it up. The code that
 * speaks to the store is loaded by the first of them.
 */
import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { PartsMessage, UploadAnswer, UploadRun } from './entry-upload.ts';
import type { Leftover, UploadTask } from './upload-file.ts';

/** A thread costs memory: it goes when there was nothing to do for so long. */
const IDLE_MS = 10_000;

export class UploadTasks {
  readonly #maxThreads: number;
  #pool: Piscina<UploadRun, UploadAnswer> | undefined;

  /** @param maxThreads as many files at once */
  constructor(maxThreads: number) {
    this.#maxThreads = maxThreads;
  }

  /**
   * @param signal ends the thread in the middle of what it does
   * @param onLeftover told what would be left in the bucket if everything ended now
   * @throws the reason of the signal, or what has ended the thread
   */
  async run(task: UploadTask, signal: AbortSignal, onLeftover: (leftover: Leftover | undefined) => void): Promise<UploadAnswer> {
    this.#pool ??= new Piscina({
      filename: import.meta.resolve('./entry-upload.ts'),
      minThreads: 0,
      maxThreads: this.#maxThreads,
      idleTimeout: IDLE_MS,
    });
    const { port1, port2 } = new MessageChannel();
    port1.on('message', ({ leftover }: PartsMessage) => onLeftover(leftover));
    try {
      return await this.#pool.run({ task, port: port2 }, { signal, transferList: [port2] });
    } finally {
      port1.close();
    }
  }

  /** Nothing runs any more. */
  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    await pool?.destroy();
  }
}
