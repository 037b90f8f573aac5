/** What the RTMP server needs from the process it lives in. */

import type { AddressLimiter } from '@srs/access';
import type { ClientHooks } from '@srs/clients';
import type { Config } from '@srs/config';
import type { Arena, Clock, Log } from '@srs/kernel';
import type { Batch, DirectoryClient, FlushBudget, LiveStreams, ServerProperties } from '@srs/stream';

export interface RtmpServices {
  /** The configuration in force; asked for at each use, so that a reload counts for the next connection. */
  config(): Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly slot: number;
  readonly pid: number;
  readonly directory: DirectoryClient;
  readonly liveStreams: LiveStreams;
  readonly arenas: readonly Arena[];
  /** Memory that all fan-outs encode into. */
  readonly batch: Batch;
  /** What sending may cost all of them. */
  readonly flushBudget: FlushBudget;
  readonly identity: ServerIdentity;
  readonly hooks: ClientHooks;
  /** Wakes the process in a slot. */
  ringDoorbell(slot: number): void;
  /** A trackable id for a new connection. */
  nextCid(): number;
  /** Counts the clients of each address over all processes. */
  readonly addresses: AddressLimiter;
  /** Counts a connection; false when the server has as many as it may have. */
  claimConnection(): boolean;
  releaseConnection(): void;
}

/** What this server says of itself to clients. */
export interface ServerIdentity {
  /** For instance `SRS/2.0.0(Name)`. */
  readonly server: string;
  readonly version: string;
  readonly license: string;
  readonly url: string;
  readonly site: string;
  readonly email: string;
  readonly copyright: string;
  readonly primary: string;
  readonly authors: string;
}

/** The properties that are added to every stream's metadata. */
export function metadataProperties(identity: ServerIdentity): ServerProperties {
  return [
    ['server', identity.server],
    ['primary', identity.primary],
    ['authors', identity.authors],
    ['server_version', identity.version],
  ];
}
