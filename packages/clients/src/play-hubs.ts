/** All that a process feeds players with, one hub for each format, as one. */
import type { DistributionFigures } from '@srs/kernel';
import type { FanOutStatistics, FlushLoad } from '@srs/stream';
import { addCounts, type FeedingCounts, type PlayHub } from './play-hub.ts';

export class PlayHubs {
  readonly #hubs: readonly [PlayHub, ...PlayHub[]];

  /** @param hubs with one budget */
  constructor(hubs: readonly [PlayHub, ...PlayHub[]]) {
    this.#hubs = hubs;
  }

  get load(): FlushLoad {
    return this.#hubs[0].load;
  }

  get distributions(): { readonly flushIntervalMs: DistributionFigures; readonly frameAgeMs: DistributionFigures } {
    return this.#hubs[0].distributions;
  }

  counts(): FeedingCounts {
    return this.#hubs.map((hub) => hub.counts()).reduce(addCounts);
  }

  /** By stream id; of a stream that is played in several formats the sum, or the greatest. */
  statistics(): ReadonlyMap<string, FanOutStatistics> {
    const sums = new Map<string, FanOutStatistics>();
    for (const hub of this.#hubs) {
      for (const [streamId, statistics] of hub.statistics()) {
        const sum = sums.get(streamId);
        sums.set(streamId, sum === undefined ? statistics : add(sum, statistics));
      }
    }
    return sums;
  }
}

function add(one: FanOutStatistics, other: FanOutStatistics): FanOutStatistics {
  return {
    ...addCounts(one, other),
    players: one.players + other.players,
    playersInStep: one.playersInStep + other.playersInStep,
    flushIntervalMs: Math.max(one.flushIntervalMs, other.flushIntervalMs),
    batchBytes: Math.max(one.batchBytes, other.batchBytes),
    lagBytes: Math.max(one.lagBytes, other.lagBytes),
  };
}
