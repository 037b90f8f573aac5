/** Work on whole files, which would hold up the event loop. */
import { SrsError } from '@srs/kernel';
import { Piscina } from 'piscina';
import type { RepairAnswer, RepairTask } from './entry-repair.ts';
import type { FileSummary, RecordingEnding } from './recording.ts';

/** The disk is the limit, not the processor. */
const MAX_THREADS = 1;
/** A thread costs memory: it goes when there was nothing to do for so long. */
const IDLE_MS = 10_000;
/** Files that may wait: as many recordings can break off at once when a disk is full. Beyond, files stay for the next start. */
const MAX_QUEUE = 10_000;

/** A pool of threads that is there only while it is needed. */
export class RecordingTasks {
  #pool: Piscina<RepairTask, RepairAnswer> | undefined;

  /**
   * Completes a file that was interrupted, or looks at one that is complete.
   * @returns what it holds; `empty` when there is no picture and no sound in it, `missing` when it is not there
   * @throws SrsError FileOpen, FileRead, FileWrite, FlvHeader, Mp4File
   */
  async repair(path: string, ending: RecordingEnding): Promise<FileSummary | 'empty' | 'missing'> {
    this.#pool ??= new Piscina({
      filename: import.meta.resolve('./entry-repair.ts'),
      minThreads: 0,
      maxThreads: MAX_THREADS,
      maxQueue: MAX_QUEUE,
      idleTimeout: IDLE_MS,
    });
    const answer = await this.#pool.run({ path, ending });
    if (answer.kind === 'done') return answer.summary ?? 'empty';
    if (answer.systemCode === 'ENOENT') return 'missing';
    throw new SrsError(answer.errorName, answer.message);
  }

  /** What is being done is done to its end. */
  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    await pool?.close();
  }
}
