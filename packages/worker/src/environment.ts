/** Everything a worker's parts stand on, so that no part knows whether it has a process of its own. */

import type { Config } from '@srs/config';
import type { Link, WorkerRole } from '@srs/control';
import type { Arena, Log } from '@srs/kernel';
import type { ProcessLog } from '@srs/logging';
import type { Doorbell } from './doorbell.ts';
import type { StatusBoard } from './status-board.ts';

/** What is spoken on a listening socket. */
export type ListenerService = 'rtmp' | 'http-api';

/** Where to accept clients: a listening socket that the master holds for this slot, or an address to open. */
export interface Listener {
  readonly service: ListenerService;
  readonly host: string;
  readonly port: number;
  readonly fd?: number;
}

export interface ProcessId {
  readonly slot: number;
  readonly pid: number;
}

export interface WorkerEnvironment {
  readonly role: WorkerRole;
  readonly slot: number;
  /** Which back-source this is, for that role. */
  readonly backSource: number;
  readonly config: Config;
  readonly log: Log;
  readonly processLog: ProcessLog;
  /** Ring memory by back-source. */
  readonly arenas: readonly Arena[];
  readonly status: StatusBoard;
  readonly doorbell: Doorbell;
  readonly listeners: readonly Listener[];
  /** Address of this worker's private API; another port is taken when it is in use. */
  readonly privateHost: string;
  readonly privatePort: number;
  /** The other workers alive when this one started. */
  readonly living: readonly ProcessId[];
  connectBackSource(backSource: number): Promise<Link>;
  /** Accepts links from workers (back-source only). Returns what stops it. */
  serveDirectory(onLink: (link: Link) => void): Promise<() => void>;
}
