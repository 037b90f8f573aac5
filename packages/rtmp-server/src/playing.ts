/** One play of one connection: a player in the fan-out of its stream. */

import type { PublisherInfo } from '@srs/control';
import type { Log } from '@srs/kernel';
import type { ServerSession } from '@srs/rtmp';
import type { EncodedBytes, FanOutPlayer, PlayerStatistics } from '@srs/stream';
import type { AdmittedStream } from './admission.ts';
import type { PlayHandle, PlayHub, PlayListener } from './play-hub.ts';
import type { SocketOutput } from './socket-output.ts';

export interface PlayingOptions {
  readonly hub: PlayHub;
  readonly target: AdmittedStream;
  /** Of stream time, after which the player is done; 0 or less for no end. */
  readonly durationMs: number;
  readonly session: ServerSession;
  readonly output: SocketOutput;
  readonly log: Log;
  /** That time has passed. */
  readonly onFinished: () => void;
}

const NOBODY = -1;

export class Playing implements FanOutPlayer, PlayListener {
  readonly onFinished: () => void;
  readonly #session: ServerSession;
  readonly #output: SocketOutput;
  readonly #log: Log;
  readonly #handle: PlayHandle;
  /** Trackable id of the publisher whose media it gets. */
  #sourceCid: number;

  /** Media may be written, and `onFinished` called, before this returns. */
  constructor({ hub, target, durationMs, session, output, log, onFinished }: PlayingOptions) {
    const { streamId, vhost } = target;
    this.onFinished = onFinished;
    this.#session = session;
    this.#output = output;
    this.#log = log;
    this.#handle = hub.join({ streamId, vhost, player: this, listener: this, ...(durationMs > 0 ? { durationMs } : {}) });
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
    this.#output.countDirect(this.#handle.directBytes);
  }

  // FanOutPlayer

  get descriptor(): number {
    return this.#output.descriptor;
  }

  get pendingBytes(): number {
    return this.#output.pendingBytes;
  }

  /** Hot path: one system call. */
  write(encoded: EncodedBytes, offset: number): boolean {
    return this.#output.writeMedia(encoded, offset);
  }

  // PlayListener

  onSourceChanged(): void {
    const cid = this.source?.cid ?? NOBODY;
    if (cid === this.#sourceCid || cid === NOBODY) return;
    this.#sourceCid = cid;
    this.#log.trace(`update source_id=${cid}[${cid}]`);
  }

  onChunkSize(chunkSize: number): void {
    this.#session.changeOutChunkSize(chunkSize);
    this.#output.flushAnswers();
  }
}
