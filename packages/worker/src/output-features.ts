/** The one table of what is made of published streams. */
import { randomBytes } from 'node:crypto';
import type { Config, VhostConfig } from '@srs/config';
import { systemClock } from '@srs/kernel';
import type { Feature, OutputAnswer, OutputRequest } from '@srs/stream';
import type { WorkerEnvironment } from './environment.ts';
import type { OutputHooks } from './output-hooks.ts';

interface Row {
  isWanted(vhost: VhostConfig): boolean;
  load(environment: WorkerEnvironment, hooks: OutputHooks): Promise<Feature>;
}

const clock = systemClock;

const table: readonly Row[] = [
  {
    isWanted: ({ hls }) => hls.enabled,
    load: async ({ log }, hooks) => {
      const { hlsFeature } = await import('@srs/hls');
      return hlsFeature({ clock, log, randomBytes, onSegment: (segment) => hooks.onSegment(segment) });
    },
  },
  {
    isWanted: ({ dvr }) => dvr.enabled,
    load: async (environment, hooks) => {
      const { dvrFeature } = await import('@srs/dvr');
      const isUtc = (): boolean => environment.config.log.isUtc;
      return dvrFeature({ clock, log: environment.log, isUtc, onRecorded: (file) => hooks.onRecorded(file) });
    },
  },
];

/** A feature is loaded when the first vhost wants it: half of the time of a start is loading. */
export class OutputFeatures {
  readonly #environment: WorkerEnvironment;
  readonly #hooks: OutputHooks;
  readonly #loaded = new Map<Row, Feature>();

  constructor(environment: WorkerEnvironment, hooks: OutputHooks) {
    this.#environment = environment;
    this.#hooks = hooks;
  }

  /** Loads what the configuration wants and is not there yet. */
  async load(config: Config): Promise<void> {
    const vhosts = Array.from(config.vhosts.values());
    for (const row of table) {
      if (this.#loaded.has(row) || !vhosts.some((vhost) => row.isWanted(vhost))) continue;
      this.#loaded.set(row, await row.load(this.#environment, this.#hooks));
    }
  }

  all(): readonly Feature[] {
    return Array.from(this.#loaded.values());
  }

  /** What one of them keeps in memory. */
  async answer(request: OutputRequest): Promise<OutputAnswer> {
    for (const feature of this.#loaded.values()) {
      const answer = await feature.answer?.(request);
      if (answer !== undefined && answer.status !== 404) return answer;
    }
    return { status: 404, reason: 'nothing is kept in memory by that name' };
  }
}
