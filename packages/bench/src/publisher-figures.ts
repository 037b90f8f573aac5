/** The figures of a group of publishers. */
import { ConnectionCounter } from './connection-counts.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import type { GroupFigures, GroupSecond } from './load-figures.ts';

/** What the figures need of a connection. */
export interface SendingConnection {
  /** That the server has taken. */
  readonly bytesTaken: number;
}

export class PublisherFigures {
  readonly counter: ConnectionCounter;
  /** Undefined where a publisher has ended. */
  readonly #connections: (SendingConnection | undefined)[];
  readonly #startBytes: Float64Array;
  readonly #secondBytes: Float64Array;
  readonly #lateness = new LatencyHistogram();
  readonly #secondLateness = new LatencyHistogram();
  #frames = 0;
  #secondFrames = 0;
  #startMs = 0;
  #secondStartMs = 0;

  constructor(publishers: number) {
    this.counter = new ConnectionCounter(publishers);
    this.#connections = Array.from({ length: publishers }, () => undefined);
    this.#startBytes = new Float64Array(publishers);
    this.#secondBytes = new Float64Array(publishers);
  }

  onPublishing(publisher: number, connection: SendingConnection): void {
    this.#connections[publisher] = connection;
    this.counter.onConnected();
  }

  onLost(publisher: number, reason: string): void {
    this.#connections[publisher] = undefined;
    this.counter.onLost(reason);
  }

  /** Hot path. */
  onSent(isVideo: boolean, lateMs: number): void {
    this.#lateness.record(lateMs);
    this.#secondLateness.record(lateMs);
    if (!isVideo) return;
    this.#frames += 1;
    this.#secondFrames += 1;
  }

  begin(nowMs: number): void {
    this.#startMs = nowMs;
    this.#frames = 0;
    this.#lateness.clear();
    this.#mark(this.#startBytes);
    this.#startSecond(nowMs);
  }

  second(nowMs: number): GroupSecond {
    const part: GroupSecond = {
      counts: this.counter.counts(),
      bytes: this.#bytesSince(this.#secondBytes),
      frames: this.#secondFrames,
      gapFrames: 0,
      kbps: this.#rates(this.#secondBytes, nowMs - this.#secondStartMs),
      silenceMs: 0,
      latency: this.#secondLateness.part(),
    };
    this.#startSecond(nowMs);
    return part;
  }

  finish(nowMs: number): GroupFigures {
    return {
      counts: this.counter.counts(),
      bytes: this.#bytesSince(this.#startBytes),
      frames: this.#frames,
      gapPlayers: 0,
      gapFrames: 0,
      wrongPlayers: 0,
      wrongMessages: 0,
      kbps: this.#rates(this.#startBytes, nowMs - this.#startMs),
      silenceMs: new Float64Array(),
      firstFrameMs: new Float64Array(),
      latency: this.#lateness.part(),
    };
  }

  #startSecond(nowMs: number): void {
    this.#secondStartMs = nowMs;
    this.#secondFrames = 0;
    this.#secondLateness.clear();
    this.#mark(this.#secondBytes);
  }

  #mark(bytes: Float64Array): void {
    this.#connections.forEach((connection, publisher) => {
      bytes[publisher] = connection?.bytesTaken ?? 0;
    });
  }

  #bytesSince(marked: Float64Array): number {
    return this.#connections.reduce(
      (sum, connection, publisher) => sum + (connection?.bytesTaken ?? marked[publisher]!) - marked[publisher]!,
      0,
    );
  }

  #rates(since: Float64Array, elapsedMs: number): Float64Array {
    const kbps: number[] = [];
    this.#connections.forEach((connection, publisher) => {
      if (connection !== undefined) kbps.push(((connection.bytesTaken - since[publisher]!) * 8) / Math.max(elapsedMs, 1));
    });
    return Float64Array.from(kbps);
  }
}
