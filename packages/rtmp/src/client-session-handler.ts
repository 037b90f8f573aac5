/** What a client session says to its owner, and what it is made with. */
import type { AmfObject } from '@srs/amf';
import type { FrameType } from '@srs/kernel';
import type { ChunkReaderLimits } from './chunk-reader.ts';
import type { ConnectOptions, PeerIdentity } from './command-connect.ts';
import type { Command } from './command-message.ts';
import type { Redirect, Status } from './command-stream.ts';
import type { RtmpCrypto } from './crypto.ts';

/** A status the server sent, with all its properties (undefined when it sent no object). */
export interface ReceivedStatus extends Status {
  readonly info: AmfObject | undefined;
}

/** Why the server refused connect, publish or play, or whereto it sends the client in the middle of them. */
export interface Rejection extends ReceivedStatus {
  readonly redirect: Redirect | undefined;
}

/** What is known of the server once it has let the client in. */
export interface ConnectedInfo {
  /** Who it says it is, if it is an SRS-like server. */
  readonly peer: PeerIdentity | undefined;
  /** The first object of connect's result: fmsVer and the like. */
  readonly properties: AmfObject | undefined;
  /** The second one: level, code, description, data. */
  readonly info: AmfObject | undefined;
}

/** Every method may call back into the session, except `onSend`. */
export interface ClientSessionHandler {
  /** Bytes to write to the server, in order; the buffer belongs to the callee. */
  onSend(bytes: Buffer): void;
  onConnected?(connected: ConnectedInfo): void;
  /** The server has started the publish or play: frames may be sent, or are about to come. */
  onReady?(): void;
  /**
   * Hot path. One audio, video or data message of the stream being played; aggregates have been taken apart, AMF3 data arrives
   * as 18. Data messages of the protocol itself (`|RtmpSampleAccess`, onStatus, onPlayStatus) are left out. `payload` is valid
   * during the call only.
   */
  onMedia?(type: FrameType, timestampMs: number, payload: Buffer): void;
  /** Any onStatus that is no rejection, of level error too once the stream has started. */
  onStatus?(status: ReceivedStatus): void;
  /** The server refuses, or sends the client to another one at any time; the session is closed, close the connection. */
  onRejected(rejection: Rejection): void;
  /** StreamBegin, StreamEOF and the like, with their message stream id. */
  onUserControl?(event: number, value: number): void;
  /** A command that the session does not know, such as those of the bandwidth test. */
  onCommand?(command: Command): void;
  onWarning?(text: string): void;
}

export interface ClientSessionOptions extends ConnectOptions {
  readonly crypto: RtmpCrypto;
  readonly unixSeconds: () => number;
  /** `connect` stops there: to ask a server whether it would let a client in, or for the bandwidth test. */
  readonly role: 'play' | 'publish' | 'connect';
  /** Not needed to connect only. */
  readonly streamName?: string;
  /** Complex unless told; old or small servers may know only the simple one. */
  readonly handshake?: 'complex' | 'simple';
  readonly limits?: Partial<ChunkReaderLimits>;
  /** Of what this side sends; 128 keeps the protocol's own and announces nothing. */
  readonly chunkSize?: number;
  /** Announced to the server, bytes. */
  readonly windowAckSize?: number;
  /** `fmle` sends releaseStream, FCPublish and FCUnpublish around publish, as encoders do; `flash` is the plain form. */
  readonly publishStyle?: 'fmle' | 'flash';
  /** `live` unless told. */
  readonly publishType?: string;
  /** Seconds as the play command has it; -2 (live or recorded) unless told. */
  readonly playStart?: number;
  /** Milliseconds; -1 (no end) unless told. */
  readonly playDurationMs?: number;
  /** Announced after play, milliseconds. */
  readonly bufferLengthMs?: number;
}

/** `ready` is where frames flow; `connected` is the end of the way for the role `connect`. */
export type ClientSessionPhase = 'idle' | 'handshake' | 'connect' | 'connected' | 'create-stream' | 'start' | 'ready' | 'closed';
