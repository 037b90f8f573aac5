/** What a connection to a server is made with, and how it ends. */
import { describeError, type FrameType } from '@srs/kernel';
import type { ClientSessionOptions, Command, ReceivedStatus } from '@srs/rtmp';

/** What the target or the client itself fills in. */
type Given = 'crypto' | 'unixSeconds' | 'role' | 'streamName' | 'tcUrl' | 'app';

/** Times in milliseconds. The session's own options (chunk size, pageUrl, arguments of connect and so on) are open too. */
export interface ConnectionOptions extends Omit<ClientSessionOptions, Given> {
  /** Until the TCP connection stands, the look-up of the name included. 5 s unless told. */
  readonly connectTimeoutMs?: number;
  /** From there until the server has answered the last command. 30 s unless told. */
  readonly startTimeoutMs?: number;
  /** How long the server may be behind without one moment in which no byte waits for it. 30 s unless told. */
  readonly sendTimeoutMs?: number;
  /** How long the server's machine may take nothing of what is on its way to it. The system's limit, minutes, unless told. */
  readonly standstillTimeoutMs?: number;
  /** How long nothing may pass either way once the stream has started. No limit (0) unless told: it may lack a publisher. */
  readonly idleTimeoutMs?: number;
  /** Bytes that may wait for the server; beyond that it is given up. 16 MiB unless told. */
  readonly maxUnsentBytes?: number;
  /** Certificates (PEM) that a server of `rtmps` may have beside those of the known authorities. */
  readonly ca?: string;
  /** False lets every certificate pass, for servers that have made their own. True unless told. */
  readonly verifiesCertificate?: boolean;
  /** Gives up opening. An open connection is ended with `close`. */
  readonly signal?: AbortSignal;
  /** The connection stands; nothing has been said on it yet. */
  onReached?(): void;
  onStatus?(status: ReceivedStatus): void;
  /** StreamBegin, StreamEOF and the like. */
  onUserControl?(event: number, value: number): void;
  /** A command that the protocol of streams does not know, such as those of the bandwidth test. */
  onCommand?(command: Command): void;
  onWarning?(text: string): void;
}

export interface ClientOptions extends ConnectionOptions {
  /** `connect` is open as soon as the server has let the client in: for tests of access and bandwidth. */
  readonly role: ClientSessionOptions['role'];
  /** Hot path. One frame of what is played; it may come before opening is reported. `payload` is valid during the call only. */
  onFrame?(type: FrameType, timestampMs: number, payload: Buffer): void;
}

/** Why a connection is no more. */
export type CloseReason =
  /** By `close`. */
  | { readonly kind: 'closed' }
  /** The server ended it, in good order; `status` is the last error it told before. */
  | { readonly kind: 'closed-by-server'; readonly status: ReceivedStatus | undefined }
  /** Broken off, timed out, or broken protocol; also an error that a handler of the owner has thrown. */
  | { readonly kind: 'failed'; readonly error: Error };

export function describeCloseReason(reason: CloseReason): string {
  switch (reason.kind) {
    case 'closed':
      return 'closed';
    case 'closed-by-server': {
      const { status } = reason;
      return status === undefined
        ? 'the server closed the connection'
        : `the server closed the connection: ${status.code}, ${status.description}`;
    }
    case 'failed':
      return describeError(reason.error);
  }
}
