/** Publishes one stream to a server. */
import type { FrameType } from '@srs/kernel';
import type { CloseReason, ConnectionOptions } from './client-options.ts';
import { RtmpClient } from './rtmp-client.ts';
import type { RtmpTarget } from './rtmp-target.ts';

export class RtmpPublisher {
  /** The connection: what the server said of itself, and counters. */
  readonly client: RtmpClient;

  private constructor(client: RtmpClient) {
    this.client = client;
  }

  /** Connects and waits until the server has started the publish. Errors as for `RtmpClient.open`. */
  static async open(target: RtmpTarget | string, options: ConnectionOptions = {}): Promise<RtmpPublisher> {
    return new RtmpPublisher(await RtmpClient.open(target, { ...options, role: 'publish' }));
  }

  /** Settles when the connection is closed; never rejects. */
  get closed(): Promise<CloseReason> {
    return this.client.closed;
  }

  /**
   * Hot path. Sends one frame (the body of an FLV tag); after the end nothing.
   *
   * @param timestampMs 0..2^31-1
   * @param payload read before this returns
   * @returns false when the server does not keep up: wait for `drained` before sending more. Who goes on all the same is cut off
   *   at `maxUnsentBytes`.
   * @throws SrsError RtmpMessageEncode for a payload above 16,777,215 bytes
   */
  write(type: FrameType, timestampMs: number, payload: Uint8Array): boolean {
    return this.client.sendFrame(type, timestampMs, payload);
  }

  /** Settles when no byte waits for the server, or the connection has ended; never rejects. */
  drained(): Promise<void> {
    return this.client.drained();
  }

  /** Sends what waits, ends the publish, and closes. */
  close(): Promise<CloseReason> {
    return this.client.close();
  }
}
