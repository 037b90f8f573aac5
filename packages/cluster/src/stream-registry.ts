/** Where streams live among several servers: the one interface, whatever stands behind it. */
import type { ServerAddress } from '@srs/config';

/** A server that has the publisher of a stream. */
export interface StreamPlace {
  /** Others reach it there. */
  readonly address: ServerAddress;
  /** Names the server among all others, from its start to its end; '' of one that does not say. */
  readonly instanceId: string;
  /** Trackable id of the publisher there; 0 of a server that does not say. */
  readonly cid: number;
  /** Instances of the servers that the stream had passed through before it came there. */
  readonly hops: readonly string[];
}

export interface LeaseTerms {
  /** Without a renewal the lease ends after this. */
  readonly leaseMs: number;
  /** Takes the name from another server that holds it. */
  readonly takesOver: boolean;
}

export type LeaseAnswer =
  | { readonly kind: 'held' }
  /** Another living server holds the name. */
  | { readonly kind: 'taken'; readonly by: StreamPlace };

/** How a registry does, for operators. */
export interface RegistryReport {
  /** What it is and where, without passwords: an address, or `coworkers` and those of all of them. */
  readonly name: string;
  readonly isUp: boolean;
  /** Since the process started. */
  readonly commands: number;
  readonly failures: number;
  /** Of the newest commands, on average. */
  readonly latencyMs: number;
  /** Why it is not up, or the last command failed; empty when none has. */
  readonly lastError: string;
}

/** Every answer comes within a limit: what fails, or takes too long, throws SrsError Registry. */
export interface StreamRegistry {
  /**
   * Takes the lease of a stream, or renews the one that this server has. A server of the same address is an earlier life of this one,
   * and what another one got from here is a copy: both give way.
   */
  announce(streamId: string, place: StreamPlace, terms: LeaseTerms): Promise<LeaseAnswer>;
  /** Ends the lease if the server holds it. */
  withdraw(streamId: string, place: StreamPlace): Promise<void>;
  /** In the order of `streamIds`; undefined for a stream that nobody has announced. */
  lookUp(streamIds: readonly string[]): Promise<readonly (StreamPlace | undefined)[]>;
  /** Calls back whenever the registry can be asked (again): leases may have run out meanwhile. */
  onUp(callback: () => void): void;
  readonly report: RegistryReport;
  /** Streams that may be looked up over and over in a second. */
  readonly lookUpsPerSecond: number;
  close(): void;
}
