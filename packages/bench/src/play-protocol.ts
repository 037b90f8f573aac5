/** What a player and the protocol it speaks tell each other. */
import type { FrameType } from '@srs/kernel';

/** The player, as its protocol sees it. */
export interface PlayLink {
  /** Every packet is wanted whole: `onPacket` is called, else `onHead`. */
  readonly isChecked: boolean;
  send(bytes: Buffer | string): void;
  /** The stream has been asked for. Once. */
  onAsked(): void;
  /** The server gives the stream: media may follow. Once, unless `onRejected` was. */
  onPlaying(): void;
  /** The server does not, or no longer, give the stream. */
  onRejected(reason: string): void;
  /** Hot path. A message is complete; of its payload the first bytes stand in `head`, from `headAt` on, during the call only. */
  onHead(type: number, head: Uint8Array, headAt: number, headBytes: number): void;
  /** A message is complete. `payload` is valid during the call only; `timestampMs` has 31 bits. */
  onPacket(type: FrameType, timestampMs: number, payload: Buffer): void;
}

/** One player's talk with the server, without its socket. */
export interface PlayProtocol {
  /** How far it has come, for messages: ` (in phase connect)`; '' when there is nothing to say. */
  readonly phase: string;
  /** The connection is there. */
  start(): void;
  /**
   * Hot path. `buffer[0 .. length - 1]` has come; it is not kept.
   * @throws SrsError when that breaks the protocol; it must not be called again then
   */
  receive(buffer: Buffer, length: number): void;
}
