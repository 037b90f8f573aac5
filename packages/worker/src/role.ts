/** What a role looks like to the process that runs it. */
import type { ProcessId } from './environment.ts';
import type { Page, PageRequest } from './page.ts';
import type {
  ClientDescription,
  DirectoryStream,
  RingsDescription,
  RingTotals,
  WorkerStream,
  WorkerTotals,
} from './private-documents.ts';

/** What a worker tells about itself on its private API: every part is made when it is asked for, and only that part. */
export interface RoleView {
  totals(): WorkerTotals;
  streams(): readonly (WorkerStream | DirectoryStream)[];
  clients(page: PageRequest): Page<ClientDescription>;
  ringTotals(): RingTotals;
  rings(): RingsDescription;
}

export interface RunningRole {
  readonly view: RoleView;
  /** Another worker process is dead. */
  workerGone(process: ProcessId): void;
  /** Lets nobody in any more; who is there may stay. */
  stopAccepting(): void;
  /** Ends in good order: clients are told, leases given back. */
  stop(graceMs: number): Promise<void>;
}
