/** The fan-outs of one process for one format: one for each stream that is played in it. */
import { type Config, isSameConfig, type VhostConfig } from '@srs/config';
import { type Clock, type DistributionFigures, describeError, type Log } from '@srs/kernel';
import {
  type Batch,
  FanOut,
  type FanOutPlayer,
  type FanOutSettings,
  type FlushBudget,
  type FlushLoad,
  type FrameEncoder,
  type LiveStream,
  type LiveStreams,
  type PlayerState,
  type PlayerStatistics,
  type StreamConsumer,
} from '@srs/stream';
import type { ClientProtocol } from './client-description.ts';
import { DroppedFrames } from './dropped-frames.ts';

/** How frames look for the players of a vhost. */
export interface PlayFormat {
  /** `rtmp`, `http-flv`, ...: what its clients are said to speak. */
  readonly protocol: ClientProtocol;
  /**
   * A new one for each stream.
   * @param onDropped a frame had to be left out
   */
  encoder(vhost: VhostConfig, onDropped: (error: unknown) => void): FrameEncoder;
  /** Whether players of both get the same bytes. */
  isSame(one: VhostConfig, other: VhostConfig): boolean;
  /** How far back joiners start, of a format without pictures. */
  startBackMs?(vhost: VhostConfig): number;
}

export interface PlayHubOptions {
  readonly format: PlayFormat;
  readonly liveStreams: LiveStreams;
  readonly clock: Clock;
  readonly log: Log;
  readonly slot: number;
  /** Memory that all fan-outs of the process encode into. */
  readonly batch: Batch;
  /** What sending may cost all of them. */
  readonly flushBudget: FlushBudget;
}

/** A player that has been added to a stream. */
export class PlayHandle {
  readonly #hall: Hall;
  readonly #state: PlayerState;
  readonly #listener: PlayListener;

  constructor(hall: Hall, state: PlayerState, listener: PlayListener) {
    this.#hall = hall;
    this.#state = state;
    this.#listener = listener;
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
    this.#hall.listeners.delete(this.#listener);
    this.#hall.fanOut.remove(this.#state);
    this.#hall.onLeft();
  }
}

export interface PlayOptions {
  readonly streamId: string;
  /** Of the player, from the `?` on; an origin may want them. */
  readonly param: string;
  readonly vhost: VhostConfig;
  readonly player: FanOutPlayer;
  /** Milliseconds of stream time after which the player is done. */
  readonly durationMs?: number;
  readonly listener: PlayListener;
}

/** What a player hears about its stream. */
export interface PlayListener {
  /** The stream has (another) publisher. */
  onSourceChanged(): void;
  /** The frames that follow look as this vhost says: the client must have been told when this returns. */
  onFormat(vhost: VhostConfig): void;
}

/** What the players of one stream share. */
interface Hall {
  readonly stream: LiveStream;
  readonly fanOut: FanOut;
  readonly listeners: Set<PlayListener>;
  readonly dropped: DroppedFrames;
  vhost: VhostConfig;
  /** One of them has gone. */
  onLeft(): void;
  close(): void;
}

/** What feeding players has taken since the start. */
export type FeedingCounts = Readonly<Record<'flushes' | 'writes' | 'flushedBytes' | 'laps' | 'cuts' | 'droppedFrames', number>>;

export class PlayHub {
  readonly #options: PlayHubOptions;
  readonly #halls = new Map<string, Hall>();
  /** Of streams that nobody plays any more. */
  #goneCounts: FeedingCounts = { flushes: 0, writes: 0, flushedBytes: 0, laps: 0, cuts: 0, droppedFrames: 0 };

  constructor(options: PlayHubOptions) {
    this.#options = options;
  }

  join(options: PlayOptions): PlayHandle {
    const { streamId, vhost, player, durationMs, listener } = options;
    const hall = this.#halls.get(streamId) ?? this.#open(options);
    hall.listeners.add(listener);
    // What the client was told last, in case it was asked for under a configuration before this one.
    if (!this.#options.format.isSame(vhost, hall.vhost)) listener.onFormat(hall.vhost);
    const state = hall.fanOut.add(player, durationMs === undefined ? {} : { durationMs });
    return new PlayHandle(hall, state, listener);
  }

  /** A reload: whoever plays goes on under the new settings of the vhost. Those of a vhost that is gone are dismissed by the server. */
  configure(config: Config): void {
    for (const hall of this.#halls.values()) {
      const vhost = config.vhosts.get(hall.vhost.name);
      if (vhost === undefined || vhost === hall.vhost) continue;
      const previous = hall.vhost;
      hall.vhost = vhost;
      const { format } = this.#options;
      const settings = settingsOf(vhost, format);
      if (!isSameConfig(settings, settingsOf(previous, format))) hall.fanOut.configure(settings);
      if (format.isSame(vhost, previous)) continue;
      hall.fanOut.changeEncoder(format.encoder(vhost, hall.dropped.note), () => {
        for (const listener of hall.listeners) listener.onFormat(vhost);
      });
    }
  }

  /** What feeding all players of this process takes. */
  get load(): FlushLoad {
    return this.#options.flushBudget.load;
  }

  /** Of every batch of every stream, see `FlushBudget`. */
  get distributions(): { readonly flushIntervalMs: DistributionFigures; readonly frameAgeMs: DistributionFigures } {
    const { intervalsMs, agesMs } = this.#options.flushBudget;
    return { flushIntervalMs: intervalsMs.figures, frameAgeMs: agesMs.figures };
  }

  /** Of all streams, those that are not played any more included. */
  counts(): FeedingCounts {
    let sum = this.#goneCounts;
    for (const { fanOut } of this.#halls.values()) sum = addCounts(sum, fanOut.statistics);
    return sum;
  }

  /** By stream id, for the private API. */
  statistics(): ReadonlyMap<string, FanOut['statistics']> {
    return new Map(Array.from(this.#halls, ([streamId, hall]) => [streamId, hall.fanOut.statistics]));
  }

  #open({ streamId, vhost, param }: PlayOptions): Hall {
    const { format, liveStreams, clock, log, slot, batch, flushBudget } = this.#options;
    const stream = liveStreams.follow(streamId, param);
    const dropped = new DroppedFrames(`${format.protocol} of ${streamId}`, clock, log);
    const fanOut = new FanOut({
      stream,
      encoder: format.encoder(vhost, dropped.note),
      batch,
      budget: flushBudget,
      clock,
      slot,
      ...settingsOf(vhost, format),
      onCorrupt: (error) => log.error(`stream ${streamId}: ${describeError(error)}`),
    });
    const listeners = new Set<PlayListener>();
    const watcher: StreamConsumer = {
      onSource: () => {
        for (const listener of listeners) listener.onSourceChanged();
      },
      onWake: () => {},
    };
    stream.attach(watcher);
    const hall: Hall = {
      stream,
      fanOut,
      listeners,
      dropped,
      vhost,
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
    this.#goneCounts = addCounts(this.#goneCounts, hall.fanOut.statistics);
    hall.close();
  }
}

/** Adds up what counts; other fields are left out. */
export function addCounts(a: FeedingCounts, b: FeedingCounts): FeedingCounts {
  return {
    flushes: a.flushes + b.flushes,
    writes: a.writes + b.writes,
    flushedBytes: a.flushedBytes + b.flushedBytes,
    laps: a.laps + b.laps,
    cuts: a.cuts + b.cuts,
    droppedFrames: a.droppedFrames + b.droppedFrames,
  };
}

function settingsOf(vhost: VhostConfig, format: PlayFormat): FanOutSettings {
  return {
    gopCache: vhost.gopCache,
    ...(format.startBackMs === undefined ? {} : { startBackMs: format.startBackMs(vhost) }),
    queueLengthMs: vhost.queueLengthMs,
    maxFlushIntervalMs: vhost.minLatency ? 0 : vhost.play.mwLatencyMs,
    minFrameIntervalMs: vhost.play.sendMinIntervalMs,
  };
}
