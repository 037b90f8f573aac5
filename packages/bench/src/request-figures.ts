/** What has become of the requests of a group of viewers. */
import { ConnectionCounter } from './connection-counts.ts';
import { type HistogramPart, LatencyHistogram } from './latency-histogram.ts';

export type RequestKind = 'playlist' | 'segment';

/** As it travels between processes. */
export interface RequestFigures {
  /** From the request to the last byte, of those that were answered as they should. */
  readonly playlists: HistogramPart;
  readonly segments: HistogramPart;
  readonly failed: number;
  /** Reasons, with how often each was met. */
  readonly failures: Readonly<Record<string, number>>;
  readonly stalls: StallFigures;
}

export interface StallFigures {
  /** Viewers that met one. */
  readonly players: number;
  /** Segments of a playlist that were not there (404). */
  readonly missingSegments: number;
  /** How often a playlist was not continued in time. */
  readonly frozenPlaylists: number;
}

export class RequestCounter {
  readonly #latencies = { playlist: new LatencyHistogram(), segment: new LatencyHistogram() };
  readonly #reasons = new ConnectionCounter(0);
  readonly #stalled: Uint8Array;
  #missingSegments = 0;
  #frozenPlaylists = 0;
  readonly #secondLatency = new LatencyHistogram();
  #isMeasuring = false;

  constructor(players: number) {
    this.#stalled = new Uint8Array(players);
  }

  /** Hot path. */
  onAnswered(kind: RequestKind, latencyMs: number): void {
    this.#secondLatency.record(latencyMs);
    if (this.#isMeasuring) this.#latencies[kind].record(latencyMs);
  }

  onFailed(reason: string): void {
    if (this.#isMeasuring) this.#reasons.onFailed(reason);
  }

  onMissing(player: number): void {
    if (!this.#isMeasuring) return;
    this.#missingSegments += 1;
    this.#stalled[player] = 1;
  }

  onFrozen(player: number): void {
    if (!this.#isMeasuring) return;
    this.#frozenPlaylists += 1;
    this.#stalled[player] = 1;
  }

  /** From here on counts. */
  begin(): void {
    this.#isMeasuring = true;
    this.#secondLatency.clear();
  }

  /** What has been answered since the last call, and how soon. */
  second(): { readonly answered: number; readonly latency: HistogramPart } {
    const second = { answered: this.#secondLatency.count, latency: this.#secondLatency.part() };
    this.#secondLatency.clear();
    return second;
  }

  /** The end of what counts. */
  finish(): { readonly requests: RequestFigures; readonly latency: HistogramPart } {
    this.#isMeasuring = false;
    const { failed, failures } = this.#reasons.counts();
    const playlists = this.#latencies.playlist.part();
    const segments = this.#latencies.segment.part();
    const all = new LatencyHistogram();
    all.add(playlists);
    all.add(segments);
    const requests = {
      playlists,
      segments,
      failed,
      failures,
      stalls: {
        players: this.#stalled.reduce((sum, isStalled) => sum + isStalled, 0),
        missingSegments: this.#missingSegments,
        frozenPlaylists: this.#frozenPlaylists,
      },
    };
    return { requests, latency: all.part() };
  }
}
