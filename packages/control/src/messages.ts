/** Every message that the processes of one server exchange. */
import type { LogLevel } from '@srs/kernel';

/** Where a ring lies. The same five numbers in every process. */
export interface RingRef {
  /** Index of the back-source that owns the memory; each has an arena of its own. */
  readonly arena: number;
  readonly index: number;
  readonly generation: number;
  readonly offset: number;
  readonly sizeBytes: number;
}

/** Who publishes, for logs, API and the chain of source ids. */
export interface PublisherInfo {
  readonly slot: number;
  readonly pid: number;
  /** Trackable id of the publisher's connection: the stream's source id. */
  readonly cid: number;
  readonly ip: string;
}

/** A stream as its readers see it: the ring of the current publish session, if there is one. */
export interface StreamState {
  readonly streamId: string;
  readonly ring: RingRef | null;
  readonly publisher: PublisherInfo | null;
}

/** A stream that a worker follows, as it tells a back-source that does not know of it yet. */
export interface Subscription {
  readonly streamId: string;
  /** Of the newest frame its players may have been given, so that the next publish goes on from there; 0 for none. */
  readonly lastTimestampMs: number;
  /** Of the first viewer, from the `?` on: an origin may want them. */
  readonly param: string;
}

/** The right to write one stream, held by a worker until it gives it back or dies. */
export interface Lease {
  readonly leaseId: string;
  readonly streamId: string;
  readonly ring: RingRef;
  readonly publisher: PublisherInfo;
  /** Parameters of the publisher, from the `?` on; they may be secret, so they go no further than to its hooks. */
  readonly param: string;
  /** As the publisher wrote it, with its parameters; empty for a stream that is got from another server. */
  readonly tcUrl: string;
  /** The stream is that of another server, got from there for viewers of this one: a publisher here takes its place. */
  readonly isPulled: boolean;
  /** Names of the servers that it has passed through before this one. */
  readonly hops: readonly string[];
}

export type PublishAnswer =
  | {
      readonly isGranted: true;
      readonly lease: Lease;
      /** The stream's time goes on from here when players are still attached from an earlier session; 0 for a new stream. */
      readonly startTimestampMs: number;
    }
  | { readonly isGranted: false; readonly reason: 'busy' | 'no-memory'; readonly publisher: PublisherInfo | null };

/** What hook servers must be told when the process that serves a client dies before it has told them. */
export interface OwedNotice {
  /** Unlike those of all other notices of the same process. */
  readonly id: number;
  readonly event: 'on_close' | 'on_unpublish' | 'on_stop';
  /** Whose settings name the URLs. */
  readonly vhost: string;
  /** Trackable id and address of the client. */
  readonly cid: number;
  readonly ip: string;
  /** JSON, ready to be sent. */
  readonly body: string;
}

/** Where other servers get a stream. */
export interface PublishedPlace {
  readonly address: { readonly host: string; readonly port: number };
  readonly instanceId: string;
  /** Trackable id of the publisher. */
  readonly cid: number;
  /** Names of the servers that the stream has passed through before. */
  readonly hops: readonly string[];
}

/** Somebody else publishes now, publishes already, or this server wants an end. */
export type RevokeReason = 'replaced' | 'conflict' | 'closed';

/** Between a worker (asks) and a back-source (answers and tells). */
export interface DirectoryProtocol {
  readonly requests: {
    /** First request of a connection: who it is, and what it holds from before the back-source was restarted. */
    readonly hello: {
      readonly request: {
        readonly slot: number;
        readonly pid: number;
        readonly leases: readonly (Lease & { readonly lastTimestampMs: number })[];
        readonly subscriptions: readonly Subscription[];
        /** Rings this worker still reads, those of its leases not included. */
        readonly readRings: readonly RingRef[];
        /** All that `owe` has told and `settled` has not. */
        readonly owed: readonly OwedNotice[];
      };
      readonly response: null;
    };
    readonly publish: {
      readonly request: {
        readonly streamId: string;
        readonly cid: number;
        readonly ip: string;
        readonly param: string;
        readonly tcUrl: string;
        /** What to do when somebody publishes this stream already. */
        readonly busy: 'reject' | 'replace';
        readonly hops: readonly string[];
      };
      readonly response: PublishAnswer;
    };
    /** Who publishes a stream at the moment. */
    readonly publisher: {
      readonly request: { readonly streamId: string };
      readonly response: { readonly publisher: PublisherInfo | null };
    };
    /** Which other server has the stream; null when it is here, or no server is known in time. */
    readonly whereabouts: {
      readonly request: { readonly streamId: string };
      readonly response: { readonly address: { readonly host: string; readonly port: number } | null };
    };
    /** What other servers are told of a stream: null unless it has its publisher on this server. `seenAs`: the host by which they know it, or ''. */
    readonly place: {
      readonly request: { readonly streamId: string; readonly seenAs: string };
      readonly response: { readonly place: PublishedPlace | null };
    };
    /** A bigger ring for a running lease: its key-frame interval does not fit. The old one stays valid until `moved`. */
    readonly grow: {
      readonly request: { readonly leaseId: string; readonly capacityBytes: number };
      readonly response: { readonly ring: RingRef | null };
    };
  };
  readonly notifications: {
    /** Worker: a reader follows the stream. Told by `stream` now (also after `hello`) and at every change, so that no state overtakes another. */
    readonly subscribe: { readonly streamId: string; readonly param: string };
    /** Worker: the writer has moved to the ring that `grow` gave, and has ended the old one. */
    readonly moved: { readonly leaseId: string };
    /** Worker: the end of a lease. The worker will not write into its ring any more. */
    readonly unpublish: { readonly leaseId: string; readonly lastTimestampMs: number };
    /** Worker: no reader of this worker is interested in the stream any more. */
    readonly unsubscribe: { readonly streamId: string };
    /** Worker: no reader of this worker looks at the ring any more. */
    readonly release: { readonly ring: RingRef };
    /** Worker, to the first back-source: when this process dies, this is to be told. */
    readonly owe: OwedNotice;
    /** Worker, to the first back-source: that has been told, or will not be. */
    readonly settled: { readonly id: number };
    /** Back-source: where a subscribed stream stands. */
    readonly stream: StreamState;
    /** Back-source: the lease is over for the worker; it disconnects its publisher. `detail`: address of the other one, or why it is closed. */
    readonly revoke: { readonly leaseId: string; readonly reason: RevokeReason; readonly detail: string };
  };
}

export type WorkerRole = 'back-source' | 'stream' | 'http';

/** What a worker tells about itself once it serves. */
export interface WorkerReady {
  readonly privatePort: number;
}

/** Nobody new gets a stream on this server; null in its place takes clients again. */
export interface DrainOrder {
  /** `rtmp://host[:port]` of the server that takes them instead; null when there is none. */
  readonly to: string | null;
  /** Those who are there are to go now. */
  readonly isOver: boolean;
}

/** Between the master and a worker it forked. Both ask: the master for what the worker does, the worker for what only the master knows. */
export interface WorkerProtocol<Start = unknown, Directory = unknown, Configure = unknown, Reload = unknown> {
  readonly requests: {
    /** Master: everything the worker needs. The answer comes when it serves; a failure is the reason it cannot. */
    readonly start: { readonly request: Start; readonly response: WorkerReady };
    /** Master: are you there? A worker whose event loop turns answers at once. */
    readonly ping: { readonly request: null; readonly response: null };
    /** Master: end in good order. Answered when everything is closed; the process then exits. */
    readonly stop: { readonly request: { readonly graceMs: number }; readonly response: null };
    /** Master: a reload. The answer comes when it counts; `problem` is what could not be done, and all the rest has been. */
    readonly configure: { readonly request: Configure; readonly response: { readonly problem: string | null } };
    /** Master: how many publish, play, or are about to? Connections that only ask something over HTTP are none. */
    readonly clientCount: { readonly request: null; readonly response: number };
    /** Master: the whole server is drained. Answered with how many clients were told to go. */
    readonly setDrain: {
      readonly request: DrainOrder | null;
      readonly response: { readonly redirected: number; readonly dismissed: number };
    };
    /** Worker: the server, and every slot with its private port. */
    readonly directory: { readonly request: null; readonly response: Directory };
    /** Worker: read the configuration again, and apply it unless it is a dry run. */
    readonly reload: { readonly request: { readonly isDryRun: boolean }; readonly response: Reload };
    /** Worker: let the worker in that slot finish with its clients and start it again. Answered when that has begun. */
    readonly drain: { readonly request: { readonly slot: number }; readonly response: null };
    /** Worker: the level for the logs of all processes, until a reload changes it. */
    readonly logLevel: { readonly request: { readonly level: LogLevel | 'off' }; readonly response: null };
  };
  readonly notifications: {
    /** Master to back-sources: this process is dead; what it held is free. */
    readonly workerGone: { readonly slot: number; readonly pid: number };
    /** Master: close the listeners; who is there may stay. */
    readonly stopAccepting: null;
    /** Master: SIGUSR1, open the log file again. */
    readonly reopenLog: null;
    /** Master: see `logLevel`. */
    readonly setLogLevel: { readonly level: LogLevel | 'off' };
  };
}
