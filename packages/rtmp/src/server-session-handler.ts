/** What a server session says to its owner, and what it is made with. */
import type { FrameType } from '@srs/kernel';
import type { ChunkReaderLimits } from './chunk-reader.ts';
import type { ConnectRequest } from './command-connect.ts';
import type { Command } from './command-message.ts';
import type { PlayRequest, PublishRequest } from './command-stream.ts';
import type { RtmpCrypto } from './crypto.ts';
import type { HandshakeKind } from './handshake.ts';

/** What the session tells its owner. Every method may call back into the session, except `onSend`. */
export interface ServerSessionHandler {
  /** Bytes to write to the peer, in order; the buffer belongs to the callee. */
  onSend(bytes: Buffer): void;
  onHandshake?(kind: HandshakeKind): void;
  /** Answer with `acceptConnect` or `reject`, now or later; input behind it waits (held, bounded by the limits) until then. */
  onConnect(request: ConnectRequest): void;
  /** Answer with `acceptPublish` or `reject`, now or later. */
  onPublish(request: PublishRequest): void;
  /** Answer with `acceptPlay` or `reject`, now or later. */
  onPlay(request: PlayRequest): void;
  /**
   * Hot path. One audio, video or data message of the accepted publish; aggregates have been taken apart, AMF3 data (type 15)
   * arrives as 18 without the byte that selects its format. `payload` is valid during the call only.
   */
  onMedia(type: FrameType, timestampMs: number, payload: Buffer): void;
  /** The publisher has ended the publish by command; the answers have been sent. It may publish again on this connection. */
  onUnpublish(): void;
  /** The answers have been sent. */
  onPause(isPaused: boolean): void;
  /** The player has closed its stream; it may play or publish again on this connection. */
  onStop(): void;
  /**
   * A command that the session itself does not know, such as those of the bandwidth test, in any phase after connect.
   * @returns true when it is dealt with; else it gets the empty `_result` that keeps any caller going
   */
  onCommand?(command: Command): boolean;
  /** The client says that it goes where `redirect` has sent it. */
  onRedirectAccepted?(): void;
  /** The peer has answered `sendPing`, with the value that was sent. */
  onPong?(value: number): void;
  onWarning?(text: string): void;
}

export interface ServerSessionOptions {
  readonly crypto: RtmpCrypto;
  readonly unixSeconds: () => number;
  /** For a publisher; before a publish is accepted smaller ones count. */
  readonly limits?: Partial<ChunkReaderLimits>;
  /** Announced to the peer, bytes. */
  readonly windowAckSize?: number;
  /** See `setOutChunkSize`. */
  readonly outChunkSize?: number;
}

/** Where a connection is. The `-pending` phases wait for the owner's answer. */
export type ServerSessionPhase =
  | 'handshake'
  | 'connect'
  | 'connect-pending'
  | 'identify'
  | 'publish-pending'
  | 'publish'
  | 'play-pending'
  | 'play'
  /** Sent to another server; it may say that it goes. */
  | 'redirected'
  | 'closed';
