/** One stream played from another server, whatever the protocol. */
import type { FrameType } from '@srs/kernel';
import type { HeaderIdentity } from '@srs/rtmp';
import type { CloseReason } from './client-options.ts';

/** Times in milliseconds. */
export interface UpstreamPlayOptions {
  /** Until the connection stands, the look-up of the name included. */
  readonly connectTimeoutMs: number;
  /** From there until the server has let the player in. A server that may keep its answer until the stream begins has no such limit. */
  readonly startTimeoutMs: number;
  /** Gives up opening. */
  readonly signal: AbortSignal;
  /** The server has answered, and told of itself what it tells. */
  onAnswered(peer: HeaderIdentity | undefined): void;
  /**
   * Hot path. One audio, video or data message; the first may come before opening is reported. `payload` is valid during the
   * call only. An error thrown here ends the connection and is its reason.
   *
   * @param timestampMs 31 bits
   */
  onFrame(type: FrameType, timestampMs: number, payload: Buffer): void;
}

export interface UpstreamPlay {
  /** Settles when the connection is closed; never rejects. */
  readonly closed: Promise<CloseReason>;
  readonly bytesReceived: number;
  close(): Promise<CloseReason>;
  /** Closes at once and without a word: for a server that does not answer any more. */
  abandon(): void;
}
