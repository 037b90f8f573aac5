/** What publishing needs from the process it happens in. */
import type { Arena, Clock } from '@srs/kernel';
import type { PublishDirectory, ServerProperties } from '@srs/stream';

export interface PublishServices {
  readonly clock: Clock;
  readonly slot: number;
  readonly pid: number;
  readonly directory: PublishDirectory;
  readonly arenas: readonly Arena[];
  readonly identity: ServerIdentity;
  /** This server among all others, from its start to its end: a stream that has passed through it must not come back. */
  readonly instanceId: string;
  /** Wakes the process in a slot. */
  ringDoorbell(slot: number): void;
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
