/** One play of one connection: a player in the fan-out of its stream. */

import type { AdmittedStream, PlayHandle, PlayHub, PlayListener, SocketOutput } from '@srs/clients';
import type { VhostConfig } from '@srs/config';
import type { PublisherInfo } from '@srs/control';
import type { Log } from '@srs/kernel';
import type { ServerSession } from '@srs/rtmp';
import type { EncodedBytes, FanOutPlayer, PlayerStatistics } from '@srs/stream';

export interface PlayingOptions {
  readonly hub: PlayHub;
  readonly target: AdmittedStream;
  /** Of stream time, after which the player is done; 0 or less for no end. */
  readonly durationMs: number;
  readonly session: ServerSession;
  readonly connection: PlayerConnection;
}

/** What a player needs of its connection. */
export interface PlayerConnection {
  readonly log: Log;
  readonly output: SocketOutput;
  end(reason: string): void;
}

const NOBODY = -1;

export class Playing implements FanOutPlayer, PlayListener {
  readonly #session: ServerSession;
  readonly #connection: PlayerConnection;
  readonly #handle: PlayHandle;
  /** Trackable id of the publisher whose media it gets. */
  #sourceCid: number;

  /** Media may be written, and `onFinished` called, before this returns. */
  constructor({ hub, target, durationMs, session, connection }: PlayingOptions) {
    const { streamId, vhost, param } = target;
    this.#session = session;
    this.#connection = connection;
    this.#handle = hub.join({ streamId, vhost, param, player: this, listener: this, ...(durationMs > 0 ? { durationMs } : {}) });
    this.#sourceCid = this.source?.cid ?? NOBODY;
  }

  /** Who feeds the stream. */
  get source(): PublisherInfo | null {
    return this.#handle.stream.publisher;
  }

  get statistics(): PlayerStatistics {
    return this.#handle.statistics;
  }

  get batchFrames(): number {
    return this.#handle.batchFrames;
  }

  get directBytes(): number {
    return this.#handle.directBytes;
  }

  setPaused(isPaused: boolean): void {
    this.#handle.setPaused(isPaused);
  }

  onDrain(): void {
    this.#handle.onDrain();
  }

  holdBack(): void {
    this.#handle.holdBack();
  }

  leave(): void {
    this.#handle.leave();
    this.#connection.output.countDirect(this.#handle.directBytes);
  }

  // FanOutPlayer

  get descriptor(): number {
    return this.#connection.output.descriptor;
  }

  get pendingBytes(): number {
    return this.#connection.output.pendingBytes;
  }

  /** Hot path: one system call. */
  write(encoded: EncodedBytes, offset: number): boolean {
    return this.#connection.output.writeMedia(encoded, offset);
  }

  onFinished(): void {
    this.#connection.log.trace('play duration exceeded, client finished.');
    this.#connection.end('play duration exceeded');
  }

  // PlayListener

  onSourceChanged(): void {
    const cid = this.source?.cid ?? NOBODY;
    if (cid === this.#sourceCid || cid === NOBODY) return;
    this.#sourceCid = cid;
    this.#connection.log.trace(`update source_id=${cid}[${cid}]`);
  }

  onFormat({ chunkSize }: VhostConfig): void {
    this.#session.changeOutChunkSize(chunkSize);
  }
}
