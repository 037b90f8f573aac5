/** Plays one stream of a server. */
import type { FrameType } from '@srs/kernel';
import type { CloseReason, ConnectionOptions } from './client-options.ts';
import { RtmpClient } from './rtmp-client.ts';
import type { RtmpTarget } from './rtmp-target.ts';

export interface PlayerOptions extends ConnectionOptions {
  /**
   * Hot path. One audio, video or data message; the first may come before opening is reported. `payload` is valid during the
   * call only. An error thrown here ends the connection and is its reason.
   */
  onFrame(type: FrameType, timestampMs: number, payload: Buffer): void;
}

export class RtmpPlayer {
  /** The connection: what the server said of itself, and counters. */
  readonly client: RtmpClient;

  private constructor(client: RtmpClient) {
    this.client = client;
  }

  /**
   * Connects and waits until the server has started to play, which it may well do before there is a publisher. Errors as for
   * `RtmpClient.open`.
   */
  static async open(target: RtmpTarget | string, options: PlayerOptions): Promise<RtmpPlayer> {
    return new RtmpPlayer(await RtmpClient.open(target, { ...options, role: 'play' }));
  }

  /** Settles when the connection is closed; never rejects. */
  get closed(): Promise<CloseReason> {
    return this.client.closed;
  }

  get bytesReceived(): number {
    return this.client.bytesReceived;
  }

  /** Asks the server to send nothing for a while, or to go on. */
  pause(isPaused: boolean): void {
    this.client.pause(isPaused);
  }

  close(): Promise<CloseReason> {
    return this.client.close();
  }

  /** Closes at once and without a word: for a server that does not answer any more. */
  abandon(): void {
    this.client.abandon();
  }
}
