/** What one connection tells about itself, for the private API. */
import type { Kbps } from '@srs/kernel';

export type ClientType = 'unknown' | 'publish' | 'play';

/** What a connection tells about itself. */
export interface ClientDescription {
  readonly id: number;
  readonly ip: string;
  readonly type: ClientType;
  readonly vhost: string;
  readonly app: string;
  readonly stream: string;
  readonly streamId: string;
  readonly tcUrl: string;
  readonly pageUrl: string;
  readonly flashVer: string;
  readonly aliveSeconds: number;
  readonly sendBytes: number;
  readonly recvBytes: number;
  readonly sendKbps: Kbps;
  readonly recvKbps: Kbps;
  readonly pendingBytes: number;
  /** Of a player. */
  readonly isInStep?: boolean;
  readonly isPaused?: boolean;
  readonly cuts?: number;
  readonly droppedFrames?: number;
  readonly lagBytes?: number;
}
