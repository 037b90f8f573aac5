/** The documents of the private API, as the processes write them and the command line reads them. Plain JSON. */

import type { ClientDescription, Departure, ServerClient, StreamTraffic } from '@srs/clients';
import type { PublisherInfo } from '@srs/control';
import type { PullReport, PushReport, RingTotals } from '@srs/http-server';
import type { Kbps } from '@srs/kernel';
import type { FanOutStatistics, StreamWriterStatistics, TrackFacts } from '@srs/stream';

// What the management API needs as well is defined there.
export type {
  ConfigDocument,
  DrainSummary,
  FanOutLoad,
  ForwardOutcome,
  MasterSummary,
  ProcessLoad,
  PullReport,
  PullTotals,
  PushReport,
  PushTotals,
  RegistryTotals,
  ReloadedWorker,
  ReloadReport,
  RingTotals,
  ServerDirectory,
  SlotReport,
  SlotState,
  TrafficDescription,
  WorkerAnswer,
  WorkerSummary,
  WorkerTotals,
} from '@srs/http-server';

/** `GET /api/v1/rings`. */
export type RingsDescription = RingTotals & { readonly rings: readonly StreamRingDescription[] };

/** A ring, looked at from outside. */
export interface RingDescription {
  /** Of the region it lies in. */
  readonly sizeBytes: number;
  readonly capacityBytes: number;
  /** From the newest key frame on; 0 when there is none in the ring. */
  readonly gopBytes: number;
  /** Number of the newest record, an Int32 that wraps around. */
  readonly newestSequence: number;
  readonly newestTimestampMs: number;
  /** Records that were too large. */
  readonly rejectedRecords: number;
}

export interface StreamRingDescription extends RingDescription {
  readonly streamId: string;
  /** Of this worker's players in step; null when nobody plays here. */
  readonly readerLagBytes: number | null;
  readonly readerLaps: number | null;
}

/** A publisher of this worker, with the figures of its writer. */
export interface LocalPublisher extends StreamWriterStatistics {
  readonly cid: number;
  readonly ip: string;
  readonly aliveSeconds: number;
  readonly recvBytes: number;
  readonly recvKbps: Kbps;
}

/** A stream as a stream worker sees it: an element of its `GET /api/v1/streams`. */
export interface WorkerStream {
  readonly streamId: string;
  /** Null when it is published elsewhere, or not at all. */
  readonly publisher: LocalPublisher | null;
  /** Trackable id of the publisher, wherever it is; -1 when there is none. */
  readonly sourceCid: number;
  /** Null when nobody plays it here. */
  readonly play: FanOutStatistics | null;
  /** What its clients here have moved since the worker knows it; null when there were none. */
  readonly traffic: StreamTraffic | null;
  /** What its headers say; null without a ring. */
  readonly tracks: TrackFacts | null;
  /** Null while there is none, or it has just ended. */
  readonly ring: RingDescription | null;
}

/** A stream in the directory: an element of a back-source's `GET /api/v1/streams`. */
export interface DirectoryStream {
  readonly streamId: string;
  readonly publisher: PublisherInfo | null;
  /** Workers that follow it. */
  readonly subscribers: number;
  readonly ring: RingDescription | null;
  /** How it is got from an origin; null for a stream that is not. */
  readonly pull: PullReport | null;
  /** The servers that it is pushed to. */
  readonly pushes: readonly PushReport[];
  /** How it is announced to other servers; null for a stream that is not. */
  readonly lease: LeaseReport | null;
}

/** A stream of this server in the registry that several share. */
export interface LeaseReport {
  /** `asking`: it has not answered. `copy`: another server has the stream that this one was given. `taken`: another one publishes it too. */
  readonly state: 'asking' | 'held' | 'copy' | 'taken';
  /** `host:port` of the server that holds it; empty when that is this one. */
  readonly holder: string;
}

/** Elements of `GET /api/v1/clients` and of `GET /api/v1/departures`. */
export type { ClientDescription, Departure, ServerClient };

/** What surrounds every answer. */
export type PrivateAnswer<T> =
  | { readonly code: 0; readonly data: T }
  /** One page of a long list. */
  | { readonly code: 0; readonly total: number; readonly start: number; readonly count: number; readonly data: T };

/** An answer that is not 200; `code` is the HTTP status. */
export interface PrivateError {
  readonly code: number;
  readonly error: string;
}
