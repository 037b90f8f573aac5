/** What the processes of a server tell about themselves, as plain JSON: read here by the API and the metrics, and by the command line. */
import type { ServerClient } from '@srs/clients';
import type { Config, ConfigChange, EffectiveDirective } from '@srs/config';
import type { WorkerRole } from '@srs/control';
import type { Kbps } from '@srs/kernel';
import type { FlushLoad } from '@srs/stream';

/** `GET /api/v1/summary` of the master's private API. */
export interface MasterSummary {
  readonly version: string;
  readonly pid: number;
  readonly mode: Config['workers']['mode'];
  readonly uptimeSeconds: number;
  readonly listen: Config['listen'];
  /** Number of slots. */
  readonly workers: number;
  /** Absent while the server takes clients. */
  readonly drain?: DrainSummary;
}

/** How far a server is that lets its clients go: `GET /api/v1/drain` of the master's private API. */
export interface DrainSummary {
  /** `waiting` for clients to leave by themselves; `leaving`: those who did not have been told to go. */
  readonly state: 'waiting' | 'leaving' | 'empty';
  /** Where RTMP clients are sent; null when they are refused. */
  readonly to: string | null;
  /** The server ends when it is empty. */
  readonly isStopping: boolean;
  /** Until it was empty, or until now. */
  readonly elapsedSeconds: number;
  /** Until clients are told to go. */
  readonly remainingSeconds: number;
  /** At the beginning, and now. */
  readonly clientsBefore: number;
  readonly clients: number;
  /** Those who were there at the beginning and have gone, by how they went. */
  readonly left: number;
  readonly redirected: number;
  readonly dismissed: number;
}

/** `draining`: it accepts nobody any more and lets its clients leave. */
export type SlotState = 'starting' | 'ready' | 'draining' | 'waiting' | 'stopping' | 'stopped';

/** A slot as the master sees it: an element of `GET /api/v1/workers`. */
export interface SlotReport {
  readonly slot: number;
  readonly role: WorkerRole;
  readonly state: SlotState;
  readonly pid: number;
  /** Port of the worker's private API; 0 while it has none. */
  readonly port: number;
  readonly restarts: number;
  readonly lastEnd: string;
  readonly uptimeSeconds: number;
}

/** The master, and the slots as it knows them. */
export interface ServerDirectory {
  readonly server: MasterSummary;
  readonly workers: readonly SlotReport[];
}

/** What a reload has done, or would do: `POST /api/v1/reload` of the master's private API. */
export interface ReloadReport {
  /** False for a dry run, and when there are problems: nothing has changed anywhere then. */
  readonly isApplied: boolean;
  readonly isDryRun: boolean;
  /** Of the configuration in force: 1 at the start, one more with each reload that changed something. */
  readonly version: number;
  /** What was read; `the environment` when there is no file. */
  readonly file: string;
  readonly changes: readonly ConfigChange[];
  /** Why it cannot be applied, one line each. */
  readonly problems: readonly string[];
  /** Who was told; empty when nothing has changed. */
  readonly workers: readonly ReloadedWorker[];
}

export interface ReloadedWorker {
  readonly slot: number;
  readonly role: WorkerRole;
  readonly pid: number;
  readonly isApplied: boolean;
  /** What it could not do, or what is still to come; null when all is done. */
  readonly detail: string | null;
}

/** `GET /api/v1/config` of the master's private API. */
export interface ConfigDocument {
  readonly version: number;
  readonly file: string;
  readonly directives: readonly EffectiveDirective[];
}

/** Bytes from and to clients since the process started, those of clients that have left included. */
export interface TrafficDescription {
  readonly recvBytes: number;
  readonly sendBytes: number;
  readonly recvKbps: Kbps;
  readonly sendKbps: Kbps;
}

/** How players are being fed. */
export interface FanOutLoad extends FlushLoad {
  /** Longest time that a stream's frames are collected at the moment. */
  readonly flushIntervalMs: number;
  /** Largest of the newest batches. */
  readonly batchBytes: number;
}

/** What one worker serves, in figures that cost little however many clients it has. */
export interface WorkerTotals {
  /** Streams it knows: published here, played here, or (back-source) in its directory. */
  readonly streams: number;
  /** Those of them that are published at the moment. */
  readonly publishedStreams: number;
  /** Connections, those that neither publish nor play included. */
  readonly clients: number;
  readonly publishers: number;
  readonly players: number;
  readonly traffic: TrafficDescription;
  /** Frames that publishers sent and no ring had room for. */
  readonly droppedFrames: number;
  /** Times that players were so late that frames were left out, and how many frames that were. */
  readonly playerCuts: number;
  readonly playerDroppedFrames: number;
  /** Of all its fan-outs together; null for a worker that has none. */
  readonly fanOut: FanOutLoad | null;
  /** Where it announces streams and looks for them: of back-sources in a cluster. */
  readonly registries?: readonly RegistryTotals[];
  /** Destinations by kind and state, all there are: of back-sources. */
  readonly pushes?: readonly PushTotals[];
  /** Streams got from other servers by state, all there are: of back-sources. */
  readonly pulls?: readonly PullTotals[];
}

export interface PushTotals extends Pick<PushReport, 'kind' | 'state'> {
  readonly count: number;
}

export interface PullTotals extends Pick<PullReport, 'state'> {
  readonly count: number;
}

/** A registry that several servers share. */
export interface RegistryTotals {
  /** What and where it is, without passwords. */
  readonly name: string;
  readonly isUp: boolean;
  /** Streams of this worker that it has, or should have. */
  readonly leases: number;
  /** Since the process started. */
  readonly commands: number;
  readonly failures: number;
  /** Of the newest commands, on average. */
  readonly latencyMs: number;
  /** Empty when nothing has failed. */
  readonly lastError: string;
}

/** A stream of an edge on its way from an origin. */
export interface PullReport {
  /** `host:port` of the origin that is asked, or was asked last. */
  readonly origin: string;
  /** Spoken with the origin, as `cluster { protocol }` has them; null before it has answered. */
  readonly protocol: 'rtmp' | 'flv' | 'flvs' | null;
  /** `connected`: the origin has sent nothing yet. `waiting`: for the next try. */
  readonly state: 'connecting' | 'connected' | 'pulling' | 'waiting' | 'closed';
  /** For so long it has been in that state. */
  readonly stateSeconds: number;
  /** How often media has begun to come. */
  readonly starts: number;
  /** Why the last try or connection ended; empty when none has. */
  readonly lastError: string;
  /** What the origin has said of itself: address, process, and the trackable id of the pull there; null when it says nothing. */
  readonly peer: ServerClient | null;
}

/** A stream on its way to another server. */
export interface PushReport {
  readonly kind: 'forward' | 'edge push';
  /** Who wants it: the configuration, the answer of the backend, or a request. */
  readonly source: 'config' | 'backend' | 'api';
  /** `host:port`, or the URL with its variables as they were written and without its secrets. */
  readonly destination: string;
  readonly state: 'connecting' | 'publishing' | 'waiting' | 'closed';
  /** How often the server has started the publish. */
  readonly connects: number;
  readonly sentFrames: number;
  readonly sentBytes: number;
  /** Overtaken while the server was slow, or away after it had been there. */
  readonly droppedFrames: number;
  /** Why the last try or connection ended; empty when none has. */
  readonly lastError: string;
}

/** How much of the machine a process takes. */
export interface ProcessLoad {
  readonly memory: {
    readonly rssBytes: number;
    /** Resident memory with shared pages counted in parts; null where the system does not tell. */
    readonly pssBytes: number | null;
    readonly heapUsedBytes: number;
    readonly externalBytes: number;
  };
  /** How long events waited for the event loop that came at any moment of the last full window (before that: since the start). */
  readonly eventLoop: {
    readonly windowSeconds: number;
    readonly p50Ms: number;
    readonly p99Ms: number;
    readonly maxMs: number;
  };
  /** Of one core, in the same window. */
  readonly cpuPercent: number;
}

/** `GET /api/v1/summary` of a worker. */
export interface WorkerSummary extends WorkerTotals, ProcessLoad {
  readonly role: WorkerRole;
  readonly slot: number;
  readonly pid: number;
  readonly uptimeSeconds: number;
  readonly rings: RingTotals;
}

/** Of a back-source: rings handed out and their memory. Of other workers: rings in use. */
export type RingTotals =
  | { readonly count: number; readonly usedBytes: number; readonly limitBytes: number }
  | { readonly held: number };

/** One worker with what it said. */
export interface WorkerAnswer<T> {
  readonly worker: SlotReport;
  /** Null when it has said nothing. */
  readonly data: T | null;
  /** Why it has not said everything; null when it has. */
  readonly problem: string | null;
}
