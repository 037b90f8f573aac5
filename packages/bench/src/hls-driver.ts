/** The viewers of HLS of one process; or, at the highest rate, connections that ask for the same files again and again. */
import type { ConnectionCounts } from './connection-counts.ts';
import { FileLoop } from './file-loop.ts';
import { HlsConnection } from './hls-connection.ts';
import type { HttpClientPlace } from './http-client-place.ts';
import type { LoadDriver } from './load-driver.ts';
import type { LoadResult, LoadSecond } from './load-figures.ts';
import { type HlsPlan, indexesOf, type LoadShare, urlOfStream } from './load-plan.ts';
import { PlayerFigures } from './player-figures.ts';
import { ramp } from './ramp.ts';
import { RequestCounter } from './request-figures.ts';

export class HlsDriver implements LoadDriver {
  readonly #plan: HlsPlan;
  readonly #share: LoadShare;
  readonly #indexes: readonly number[];
  readonly #figures: PlayerFigures;
  readonly #requests: RequestCounter;
  readonly #clients: { close(): void }[] = [];
  readonly #stop = new AbortController();
  readonly #settled = Promise.withResolvers<void>();
  #unsettled: number;

  constructor(plan: HlsPlan, share: LoadShare) {
    this.#plan = plan;
    this.#share = share;
    this.#indexes = indexesOf(share);
    this.#unsettled = this.#indexes.length;
    this.#figures = new PlayerFigures(this.#indexes.length);
    this.#requests = new RequestCounter(this.#indexes.length);
  }

  async start(): Promise<void> {
    await ramp(this.#indexes.length, this.#plan.rampPerSecond / this.#share.step, this.#stop.signal, (at) => {
      this.#clients.push(this.#open(at, this.#indexes[at]!));
    });
    await this.#settled.promise;
  }

  counts(): ConnectionCounts {
    return this.#figures.counter.counts();
  }

  begin(nowMs: number): void {
    this.#figures.begin(nowMs);
    this.#requests.begin();
  }

  second(nowMs: number): LoadSecond['groups'] {
    return { ordinary: { ...this.#figures.second(nowMs), ...this.#requests.second() } };
  }

  finish(nowMs: number): LoadResult['groups'] {
    return { ordinary: { ...this.#figures.finish(nowMs), ...this.#requests.finish() } };
  }

  close(): Promise<void> {
    this.#stop.abort();
    this.#settled.resolve();
    for (const client of this.#clients) client.close();
    return Promise.resolve();
  }

  #open(player: number, index: number): { close(): void } {
    const place: HttpClientPlace = {
      player,
      figures: this.#figures,
      requests: this.#requests,
      onSettled: () => {
        this.#unsettled -= 1;
        if (this.#unsettled === 0) this.#settled.resolve();
      },
    };
    const { files, url, streams } = this.#plan;
    return files.length > 0 ? new FileLoop(files, index, place) : new HlsConnection(urlOfStream(url, index % streams), place);
  }
}
