/** What the API shows of a whole server, put together from all its workers by whoever runs the API. */
import type { ClientProtocol, ClientType } from '@srs/clients';
import type { PublisherInfo } from '@srs/control';
import type { AudioFacts, VideoFacts } from '@srs/stream';
import type {
  PullReport,
  PushReport,
  ReloadReport,
  ServerDirectory,
  TrafficDescription,
  WorkerAnswer,
  WorkerSummary,
} from './server-documents.ts';
import type { ServerTraffic } from './system-statistics.ts';

export type { AudioFacts, VideoFacts };

/** Every call asks the processes anew and settles within about a second, also when some of them hang. */
export interface ServerView {
  /** Counted since the start, whatever has become of the workers; asks nobody. */
  traffic(): ServerTraffic;
  directory(): Promise<ServerDirectory>;
  summaries(): Promise<readonly WorkerAnswer<WorkerSummary>[]>;
  streams(): Promise<StreamsView>;
  /** A part of the list of all clients, in the order of workers and of their coming. */
  clients(part: ListPart): Promise<ClientsView>;
  /** Null when no worker that answered has it. */
  client(id: number): Promise<Answered<ClientView | null>>;
  /** Disconnects a client. @returns false when no worker that answered has it */
  kick(id: number): Promise<Answered<boolean>>;
  /**
   * Records a published stream whatever the configuration says, or does not, until its publish ends; undefined goes back to the configuration.
   * @param streamId `vhost/app/stream`
   * @returns false when no back-source that answered knows of its publish
   */
  record(streamId: string, isWanted: boolean | undefined): Promise<Answered<boolean>>;
  /**
   * Pushes a published stream to another destination too, until it is removed or the publish ends.
   * @param streamId `vhost/app/stream`
   */
  addForward(streamId: string, destination: string): Promise<Answered<ForwardOutcome>>;
  /**
   * Ends what `addForward` has begun.
   * @param destination as it was added, or as it is listed
   * @returns false when no back-source that answered has it
   */
  removeForward(streamId: string, destination: string): Promise<Answered<boolean>>;
  /** Reads the configuration again and applies it. @returns what changed, and who applied it */
  reload(isDryRun: boolean): Promise<ReloadReport>;
}

export interface ListPart {
  /** Index of the first element. */
  readonly start: number;
  readonly count: number;
}

/** A worker whose figures are missing in an answer. */
export interface SilentWorker {
  readonly slot: number;
  readonly role: string;
  readonly pid: number;
  /** Why, for people. */
  readonly problem: string;
}

export interface Answered<T> {
  readonly found: T;
  readonly silent: readonly SilentWorker[];
}

/** What has become of a destination that was to be added. */
export type ForwardOutcome = 'added' | 'already' | ForwardRefusal;

export interface ForwardRefusal {
  readonly reason: 'no stream' | 'malformed' | 'own server' | 'too many';
  /** For who has asked: the thing, its value and what is allowed. */
  readonly text: string;
}

export interface StreamsView {
  /** By stream id. */
  readonly streams: readonly StreamView[];
  readonly silent: readonly SilentWorker[];
}

export interface ClientsView {
  /** Clients of all workers. */
  readonly total: number;
  readonly clients: readonly ClientView[];
  readonly silent: readonly SilentWorker[];
}

/** Bytes and 30 s rates from and to clients. */
export type TrafficView = Omit<TrafficDescription, 'recvKbps' | 'sendKbps'> & {
  readonly recvKbps30s: number;
  readonly sendKbps30s: number;
};

/** One stream, added up over all workers. */
export interface StreamView extends TrafficView {
  /** `vhost/app/stream`. */
  readonly streamId: string;
  /** Connections that publish or play it. */
  readonly clients: number;
  readonly players: number;
  /** Null while nobody publishes. */
  readonly publisher: PublisherInfo | null;
  /** Seconds since the publish began; 0 while nobody publishes. */
  readonly publishSeconds: number;
  /** Of the current publish. */
  readonly videoFrames: number;
  readonly audioFrames: number;
  readonly droppedFrames: number;
  readonly video: VideoFacts | null;
  readonly audio: AudioFacts | null;
  /** Of its players: times that frames were left out, how many, bytes that wait in sockets, bytes in the ring still to be read. */
  readonly playerCuts: number;
  readonly playerDroppedFrames: number;
  readonly pendingBytes: number;
  readonly lagBytes: number;
  /** The longest of all workers. */
  readonly flushIntervalMs: number;
  /** How it is got from an origin; null for a stream that is not. */
  readonly pull: PullReport | null;
  /** The servers that it is pushed to. */
  readonly pushes: readonly PushReport[];
  /** Its players by worker. */
  readonly readers: readonly StreamReaderView[];
}

export interface StreamReaderView {
  readonly slot: number;
  readonly players: number;
  readonly playersInStep: number;
  readonly flushIntervalMs: number;
  readonly lagBytes: number;
}

/** One connection. */
export interface ClientView extends TrafficView {
  /** The trackable id that its log lines have. */
  readonly id: number;
  /** Of the worker that it is connected to. */
  readonly slot: number;
  readonly pid: number;
  readonly type: ClientType;
  readonly protocol: ClientProtocol;
  /** How a publisher asked; empty for others. */
  readonly dialect: string;
  readonly ip: string;
  readonly vhost: string;
  readonly app: string;
  readonly stream: string;
  /** `vhost/app/stream`; empty before publish or play. */
  readonly streamId: string;
  readonly tcUrl: string;
  readonly pageUrl: string;
  readonly swfUrl: string;
  readonly flashVer: string;
  readonly aliveSeconds: number;
  /** Who feeds the stream it plays; of a publisher it is the client itself. */
  readonly source: PublisherInfo | null;
  readonly pendingBytes: number;
  readonly lagBytes: number;
  readonly cuts: number;
  readonly droppedFrames: number;
  readonly isPaused: boolean;
  readonly isInStep: boolean;
}
