/** What one connection tells about itself, for the private API. */
import type { PublisherInfo } from '@srs/control';
import type { Kbps } from '@srs/kernel';

export type ClientType = 'unknown' | 'publish' | 'play';
export type ClientProtocol = 'rtmp' | LiveProtocol | 'hls' | 'http-post';
/** How a live stream is played over HTTP, by the ending of its URL. */
export type LiveProtocol = `${'http' | 'ws'}-${'flv' | 'ts' | 'aac' | 'mp3'}`;

/** A server that is a client here: where the other end of the connection is to be found in its log. */
export interface ServerClient {
  readonly version: string;
  readonly serverIp: string;
  readonly pid: number;
  /** Trackable id of its pull or push. */
  readonly id: number;
}

/** What a connection tells about itself. */
export interface ClientDescription {
  readonly id: number;
  readonly ip: string;
  readonly type: ClientType;
  readonly protocol: ClientProtocol;
  /** How a publisher asked to publish; empty for others. */
  readonly dialect: string;
  readonly vhost: string;
  readonly app: string;
  readonly stream: string;
  readonly streamId: string;
  readonly tcUrl: string;
  readonly pageUrl: string;
  readonly swfUrl: string;
  readonly flashVer: string;
  /** Of an edge, or of a server that pushes here, if it says who it is. */
  readonly server?: ServerClient;
  readonly aliveSeconds: number;
  readonly sendBytes: number;
  readonly recvBytes: number;
  readonly sendKbps: Kbps;
  readonly recvKbps: Kbps;
  readonly pendingBytes: number;
  /** Who feeds the stream it plays: the next link from a viewer to the origin. Of a publisher it is the client itself. */
  readonly source: PublisherInfo | null;
  /** Of a player. */
  readonly isInStep?: boolean;
  readonly isPaused?: boolean;
  readonly cuts?: number;
  readonly droppedFrames?: number;
  readonly lagBytes?: number;
}
