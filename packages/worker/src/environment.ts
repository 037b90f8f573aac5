/** Everything a worker's parts stand on, so that no part knows whether it has a process of its own. */

import type { Config } from '@srs/config';
import type { Link, WorkerRole } from '@srs/control';
import type { Arena, Log } from '@srs/kernel';
import type { ProcessLog } from '@srs/logging';
import type { OutputAnswer, OutputRequest } from '@srs/stream';
import type { Doorbell } from './doorbell.ts';
import type { RoleChange } from './role.ts';
import type { StatusBoard } from './status-board.ts';
import type { WorkerConfigure } from './worker-start.ts';

/** What is spoken on a listening socket. */
export type ListenerService =
  | 'rtmp'
  | 'rtmps'
  | 'http-api'
  | 'https-api'
  | 'http-stream'
  | 'https-stream'
  | 'stream-caster'
  | 'exporter';

/** Where to accept clients: a listening socket that the master holds for this slot, or an address to open. */
export interface Listener {
  readonly service: ListenerService;
  /** The slot it is for. Another worker has it too while that one finishes with its clients. */
  readonly slot: number;
  readonly host: string;
  readonly port: number;
  readonly fd?: number;
}

/** One name for each socket of a server. */
export function listenerName({ service, slot, host, port }: Omit<Listener, 'fd'>): string {
  return `${service} ${host}:${port} in slot ${slot}`;
}

export interface ProcessId {
  readonly slot: number;
  readonly pid: number;
}

export interface WorkerEnvironment {
  readonly role: WorkerRole;
  readonly slot: number;
  /** The same in all processes of a server, and unlike that of any other server, or of its next start. */
  readonly instanceId: string;
  /** Which back-source this is, for that role. */
  readonly backSource: number;
  /** In force at the moment: a reload puts another one here, then tells the role. */
  readonly config: Config;
  readonly log: Log;
  readonly processLog: ProcessLog;
  /** Ring memory by back-source. */
  readonly arenas: readonly Arena[];
  readonly status: StatusBoard;
  readonly doorbell: Doorbell;
  /** Those of the start; later ones come with `RunningRole.configure`. */
  readonly listeners: readonly Listener[];
  /** Address of this worker's private API; another port is taken when it is in use. */
  readonly privateHost: string;
  readonly privatePort: number;
  /** The other workers alive when this one started. */
  readonly living: readonly ProcessId[];
  /**
   * Puts a new configuration in force, here: for the log, and for the bells of slots that have come. The role is told next.
   * @returns what the role has to know, and what could not be done
   */
  configure(request: WorkerConfigure): { readonly change: RoleChange; readonly problems: readonly string[] };
  connectBackSource(backSource: number): Promise<Link>;
  /** What a back-source keeps in memory for viewers. @throws SrsError HttpAnswer when it cannot be asked */
  askOutputs(backSource: number, request: OutputRequest): Promise<OutputAnswer>;
  /** Answers `askOutputs` (back-source only). Returns what stops it. */
  serveOutputs(answer: (request: OutputRequest) => Promise<OutputAnswer>): Promise<() => void>;
  /** Accepts links from workers (back-source only). Returns what stops it. */
  serveDirectory(onLink: (link: Link) => void): Promise<() => void>;
}
