/** The fan-outs of one process: one for each stream that is played over RTMP. */
import type { VhostConfig } from '@srs/config';
import { describeError } from '@srs/kernel';
import {
  FanOut,
  type FanOutPlayer,
  type FlushLoad,
  type LiveStream,
  type PlayerState,
  type PlayerStatistics,
  type StreamConsumer,
} from '@srs/stream';
import { rtmpFrameEncoder } from './rtmp-frame-encoder.ts';
import type { RtmpServices } from './services.ts';

/** A player that has been added to a stream. */
export class PlayHandle {
  readonly #hall: Hall;
  readonly #state: PlayerState;
  readonly #onSourceChanged: () => void;

  constructor(hall: Hall, state: PlayerState, onSourceChanged: () => void) {
    this.#hall = hall;
    this.#state = state;
    this.#onSourceChanged = onSourceChanged;
  }

  get stream(): LiveStream {
    return this.#hall.stream;
  }

  get statistics(): PlayerStatistics {
    return this.#state.statistics;
  }

  /** Frames that its stream's players in step got at once the last time. */
  get batchFrames(): number {
    return this.#hall.fanOut.batchFrames;
  }

  /** Bytes sent on the player's descriptor. */
  get directBytes(): number {
    return this.#hall.fanOut.directBytes(this.#state);
  }

  setPaused(isPaused: boolean): void {
    this.#hall.fanOut.setPaused(this.#state, isPaused);
  }

  onDrain(): void {
    this.#hall.fanOut.onDrain(this.#state);
  }

  /** Nothing may be sent on the player's descriptor until its connection has drained. */
  holdBack(): void {
    this.#hall.fanOut.holdBack(this.#state);
  }

  leave(): void {
    this.#hall.listeners.delete(this.#onSourceChanged);
    this.#hall.fanOut.remove(this.#state);
    this.#hall.onLeft();
  }
}

export interface PlayOptions {
  readonly streamId: string;
  readonly vhost: VhostConfig;
  readonly player: FanOutPlayer;
  /** Milliseconds of stream time after which the player is done. */
  readonly durationMs?: number;
  /** The stream has (another) publisher. */
  readonly onSourceChanged: () => void;
}

/** What the players of one stream share. */
interface Hall {
  readonly stream: LiveStream;
  readonly fanOut: FanOut;
  readonly listeners: Set<() => void>;
  /** One of them has gone. */
  onLeft(): void;
  close(): void;
}

export class PlayHub {
  readonly #services: RtmpServices;
  readonly #halls = new Map<string, Hall>();

  constructor(services: RtmpServices) {
    this.#services = services;
  }

  join(options: PlayOptions): PlayHandle {
    const { streamId, vhost, player, durationMs, onSourceChanged } = options;
    const hall = this.#halls.get(streamId) ?? this.#open(streamId, vhost);
    hall.listeners.add(onSourceChanged);
    const state = hall.fanOut.add(player, durationMs === undefined ? {} : { durationMs });
    return new PlayHandle(hall, state, onSourceChanged);
  }

  /** What feeding all players of this process takes. */
  get load(): FlushLoad {
    return this.#services.flushBudget.load;
  }

  /** By stream id, for the private API. */
  statistics(): ReadonlyMap<string, FanOut['statistics']> {
    return new Map(Array.from(this.#halls, ([streamId, hall]) => [streamId, hall.fanOut.statistics]));
  }

  #open(streamId: string, vhost: VhostConfig): Hall {
    const { liveStreams, clock, log, slot, batch, flushBudget } = this.#services;
    const stream = liveStreams.follow(streamId);
    const fanOut = new FanOut({
      stream,
      encoder: rtmpFrameEncoder(vhost.chunkSize),
      batch,
      budget: flushBudget,
      clock,
      slot,
      gopCache: vhost.gopCache,
      queueLengthMs: vhost.queueLengthMs,
      maxFlushIntervalMs: vhost.minLatency ? 0 : vhost.play.mwLatencyMs,
      minFrameIntervalMs: vhost.play.sendMinIntervalMs,
      onCorrupt: (error) => log.error(`stream ${streamId}: ${describeError(error)}`),
    });
    const listeners = new Set<() => void>();
    const watcher: StreamConsumer = {
      onSource: () => {
        for (const listener of listeners) listener();
      },
      onWake: () => {},
    };
    stream.attach(watcher);
    const hall: Hall = {
      stream,
      fanOut,
      listeners,
      onLeft: () => this.#closeIfEmpty(streamId, hall),
      close: () => {
        fanOut.close();
        stream.detach(watcher);
      },
    };
    this.#halls.set(streamId, hall);
    return hall;
  }

  #closeIfEmpty(streamId: string, hall: Hall): void {
    if (hall.fanOut.playerCount > 0 || this.#halls.get(streamId) !== hall) return;
    this.#halls.delete(streamId);
    hall.close();
  }
}
