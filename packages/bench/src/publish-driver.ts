/** The publishers of one process. */
import {
  describeCloseReason,
  describeTarget,
  openFollowing,
  parseRtmpUrl,
  RtmpPublisher,
  type RtmpTarget,
  readClip,
} from '@srs/client';
import { describeError } from '@srs/kernel';
import type { ConnectionCounts } from './connection-counts.ts';
import type { LoadDriver } from './load-driver.ts';
import type { LoadResult, LoadSecond } from './load-figures.ts';
import { indexesOf, type LoadShare, type PublishPlan, urlOfStream } from './load-plan.ts';
import { PublisherFigures } from './publisher-figures.ts';
import { ramp } from './ramp.ts';
import { StampedClip } from './stamped-clip.ts';
import { StampedPlayout } from './stamped-playout.ts';

export class PublishDriver implements LoadDriver {
  readonly #plan: PublishPlan;
  readonly #share: LoadShare;
  readonly #indexes: readonly number[];
  readonly #clip: StampedClip;
  readonly #figures: PublisherFigures;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>[] = [];

  /** @throws SrsError when the clip cannot be used */
  constructor(plan: PublishPlan, share: LoadShare) {
    this.#plan = plan;
    this.#share = share;
    this.#indexes = indexesOf(share);
    this.#clip = new StampedClip(readClip(plan.file), plan);
    this.#figures = new PublisherFigures(this.#indexes.length);
  }

  async start(): Promise<void> {
    const opened: Promise<void>[] = [];
    await ramp(this.#indexes.length, this.#plan.rampPerSecond / this.#share.step, this.#stop.signal, (at) => {
      opened.push(this.#open(at, this.#indexes[at]!));
    });
    await Promise.all(opened);
  }

  counts(): ConnectionCounts {
    return this.#figures.counter.counts();
  }

  begin(nowMs: number): void {
    this.#figures.begin(nowMs);
  }

  second(nowMs: number): LoadSecond['groups'] {
    return { publishers: this.#figures.second(nowMs) };
  }

  finish(nowMs: number): LoadResult['groups'] {
    return { publishers: this.#figures.finish(nowMs) };
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#ended);
  }

  /** Settles when the publish runs, or is known to have failed. */
  async #open(publisher: number, stream: number): Promise<void> {
    const target = parseRtmpUrl(urlOfStream(this.#plan.url, stream));
    try {
      const connection = await openFollowing(target, (next) => RtmpPublisher.open(next, { signal: this.#stop.signal }));
      this.#ended.push(this.#publish(connection, target, publisher, stream));
    } catch (error) {
      this.#figures.counter.onFailed(reasonText(describeError(error), target));
    }
  }

  async #publish(connection: RtmpPublisher, target: RtmpTarget, publisher: number, stream: number): Promise<void> {
    const figures = this.#figures;
    const { client } = connection;
    figures.onPublishing(publisher, {
      get bytesTaken() {
        return client.bytesSent - client.bytesUnsent;
      },
    });
    const playout = new StampedPlayout({
      clip: this.#clip,
      sink: connection,
      stream,
      speed: this.#plan.speed,
      onSent: (_bytes, isVideo, lateMs) => figures.onSent(isVideo, lateMs),
    });
    const close = (): void => void connection.close();
    const { signal } = this.#stop;
    signal.addEventListener('abort', close);
    if (signal.aborted) close();
    const reason = await connection.closed;
    signal.removeEventListener('abort', close);
    playout.stop();
    if (!signal.aborted) figures.onLost(publisher, reasonText(describeCloseReason(reason), target));
  }
}

/** The same reason on many streams is one reason. */
function reasonText(reason: string, target: RtmpTarget): string {
  return reason.replaceAll(describeTarget(target), 'the server');
}
