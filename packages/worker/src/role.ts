/** What a role looks like to the process that runs it. */
import type { ProcessId } from './environment.ts';

/** What a worker tells about itself on its private API. Plain JSON. */
export interface RoleDescription {
  readonly streams: readonly object[];
  readonly clients: readonly object[];
  readonly rings: object;
}

export interface RunningRole {
  describe(): RoleDescription;
  /** Another worker process is dead. */
  workerGone(process: ProcessId): void;
  /** Ends in good order: clients are told, leases given back. */
  stop(graceMs: number): Promise<void>;
}
