/** What a role looks like to the process that runs it. */

import type { SentAway } from '@srs/clients';
import type { Config } from '@srs/config';
import type { DrainOrder, PartialCounters } from '@srs/control';
import type { ForwardOutcome } from '@srs/http-server';
import type {
  ClientDescription,
  Departure,
  DirectoryStream,
  RingsDescription,
  RingTotals,
  WorkerStream,
  WorkerTotals,
} from '@srs/survey';
import type { Listener, ProcessId } from './environment.ts';
import type { Page, PageRequest } from './page.ts';

/** What a worker tells about itself on its private API: every part is made when it is asked for, and only that part. */
export interface RoleView {
  totals(): WorkerTotals;
  streams(): readonly (WorkerStream | DirectoryStream)[];
  clients(page: PageRequest): Page<ClientDescription>;
  /** Null when it is not here. */
  client(id: number): ClientDescription | null;
  /** Disconnects a client. @returns false when it is not here */
  kick(id: number): boolean;
  /** Only who owns streams has this. */
  readonly outputs?: StreamOutputControl;
  /** Clients that have left, the newest first; only the last ones are known. */
  departures(): readonly Departure[];
  /** Since the process started; the keeper adds what its predecessors had. */
  counters(): PartialCounters;
  ringTotals(): RingTotals;
  rings(): RingsDescription;
}

/** What can be asked to be made of a published stream, beside what the configuration says. */
export interface StreamOutputControl {
  /**
   * Records it, or does not; undefined goes back to the configuration.
   * @returns false when nobody publishes it here
   */
  record(streamId: string, isWanted: boolean | undefined): Promise<boolean>;
  /** Pushes it to another destination too, until that is removed or the publish ends. */
  addForward(streamId: string, destination: string): Promise<ForwardOutcome>;
  /** @returns false when it was not added to the stream */
  removeForward(streamId: string, destination: string): boolean;
}

/** A reload as a role sees it. What is the same in both configurations is the same object. */
export interface RoleChange {
  readonly previous: Config;
  /** In force already: `environment.config`. */
  readonly config: Config;
  /** Sockets that are new to this worker; whoever accepts on them closes them. */
  readonly opened: readonly Listener[];
  /** To be closed, after what the kernel has accepted on them was taken in. */
  readonly closed: readonly Listener[];
}

export interface RunningRole {
  readonly view: RoleView;
  /**
   * Makes a new configuration count for all that runs.
   * @throws SrsError what could not be done; all the rest has been done
   */
  configure(change: RoleChange): Promise<void>;
  /** Another worker process is dead. */
  workerGone(process: ProcessId): void;
  /** Lets nobody in any more; who is there may stay. */
  stopAccepting(): void;
  /** The whole server is drained, or not any more. @returns how many clients were told to go */
  setDrain(order: DrainOrder | null): SentAway;
  /** Ends in good order: clients are told, leases given back. */
  stop(graceMs: number): Promise<void>;
}
