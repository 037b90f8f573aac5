/** What all reports have in common: the document that `--json` prints, and the marks on workers that said nothing. */
import { formatAddress, type ServerAddress } from '@srs/config';
import type { MasterSummary, SlotReport, WorkerAnswer } from '@srs/survey';
import { type Cell, type Colors, emphasize } from './cli-table.ts';
import { printable } from './cli-text.ts';

/** A worker in every document. */
export interface WorkerRow extends SlotReport {
  /** How much the worker has said. */
  readonly answer: 'full' | 'partial' | 'none';
  /** Why that is not all, for people; null when it is. */
  readonly problem: string | null;
}

export interface ReportBase {
  /** The address that was asked. */
  readonly api: string;
  readonly server: MasterSummary;
  /** All workers have answered in full: the figures leave out nobody. */
  readonly isComplete: boolean;
}

export interface Report<Document extends object = object> {
  readonly document: Document;
  /** The document as tables; lines that end with a line feed. */
  readonly text: (colors: Colors) => string;
  /** Why what was asked for was not done, or not found: goes to standard error, and the exit status is 1. */
  readonly failure?: string | undefined;
}

export function reportBase(api: ServerAddress, server: MasterSummary, answers: readonly WorkerAnswer<unknown>[]): ReportBase {
  return { api: formatAddress(api), server, isComplete: answers.every(({ problem }) => problem === null) };
}

export function workerRow({ worker, data, problem }: WorkerAnswer<unknown>): WorkerRow {
  const part = data === null ? 'none' : 'partial';
  return { ...worker, answer: problem === null ? 'full' : part, problem };
}

/** `ready` only when it has also answered. */
export function stateCell({ state, answer }: WorkerRow): Cell {
  if (state !== 'ready') return { text: state, emphasis: state === 'waiting' ? 'bad' : 'warning' };
  return answer === 'full' ? { text: 'ready', emphasis: 'good' } : { text: 'silent', emphasis: 'bad' };
}

/** One line for each worker that has not told everything; empty when there is none. */
export function problemLines(workers: readonly WorkerRow[], colors: Colors): string {
  return workers
    .filter(({ answer }) => answer !== 'full')
    .map((worker) => {
      const what = worker.answer === 'none' ? 'is left out' : 'is listed in part';
      return `${emphasize(printable(`! ${workerName(worker)} ${what}: ${worker.problem}`), 'bad', colors)}\n`;
    })
    .join('');
}

/** A worker in a sentence. */
export function workerName({ slot, role, pid }: Pick<SlotReport, 'slot' | 'role' | 'pid'>): string {
  return `${role} worker in slot ${slot}${pid === 0 ? '' : ` (pid ${pid})`}`;
}
