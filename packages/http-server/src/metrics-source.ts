/** Asks all processes for what the metrics and the readiness are made of. */

import { describeError } from '@srs/kernel';
import { type ReadinessDocument, readinessDocument, unreadyDocument } from './health.ts';
import { renderMetrics } from './metrics.ts';
import { busiestStreams, type CounterBoard } from './metrics-figures.ts';
import type { ServerView } from './server-view.ts';
import type { SystemStatistics } from './system-statistics.ts';

export interface MetricsSourceOptions {
  readonly view: Pick<ServerView, 'directory' | 'summaries' | 'streams'>;
  readonly board: CounterBoard;
  /** Of the master process. */
  readonly system: Pick<SystemStatistics, 'selfProcStats'>;
  /** `exporter { }` in force. */
  settings(): ExporterSettings;
}

interface ExporterSettings {
  readonly enabled: boolean;
  readonly label: string;
  readonly tag: string;
  readonly streamLabels: number;
}

/** Of memory, on the machines this runs on. */
const PAGE_BYTES = 4096;

/** Who asks while an answer is being made gets the same one: many scrapers cost the workers no more than one. */
export class MetricsSource {
  readonly #options: MetricsSourceOptions;
  #metrics: Promise<string> | undefined;
  #readiness: Promise<ReadinessDocument> | undefined;

  constructor(options: MetricsSourceOptions) {
    this.#options = options;
  }

  get isEnabled(): boolean {
    return this.#options.settings().enabled;
  }

  /** The text of `/metrics`. @throws when the master does not answer */
  metrics(): Promise<string> {
    this.#metrics ??= this.#render().finally(() => {
      this.#metrics = undefined;
    });
    return this.#metrics;
  }

  /** Never rejects: a server whose master does not answer is not ready. */
  readiness(): Promise<ReadinessDocument> {
    const { view } = this.#options;
    this.#readiness ??= Promise.all([view.summaries(), view.directory()])
      .then(
        ([summaries, { server }]) => readinessDocument(summaries, server.drain),
        (error: unknown) => unreadyDocument(describeError(error)),
      )
      .finally(() => {
        this.#readiness = undefined;
      });
    return this.#readiness;
  }

  async #render(): Promise<string> {
    const { view, board, system } = this.#options;
    const { label, tag, streamLabels } = this.#options.settings();
    const [{ server }, summaries, streams] = await Promise.all([
      view.directory(),
      view.summaries(),
      streamLabels === 0 ? [] : view.streams().then((all) => all.streams),
    ]);
    const { percent, rss } = system.selfProcStats();
    return await renderMetrics({
      server,
      summaries,
      // After the workers were asked: each has counted up to then.
      counters: board.counters(),
      connectionsOf: (slot) => board.connectionsOf(slot),
      master: { cpuPercent: percent * 100, residentBytes: rss * PAGE_BYTES },
      labels: { label, tag },
      streams: busiestStreams(streams, streamLabels),
      unlabelledStreams: streamLabels === 0 ? null : Math.max(0, streams.length - streamLabels),
    });
  }
}
