/** The one table of what is made of published streams. */
import { randomBytes } from 'node:crypto';
import { type Config, destinationsOf, forwardBackendOf, type VhostConfig } from '@srs/config';
import type { DvrControl, RecordedFile } from '@srs/dvr';
import type { Forwards } from '@srs/forward';
import type { SegmentEvent } from '@srs/hls';
import { systemClock } from '@srs/kernel';
import { deviceAddress } from '@srs/native';
import { identityArguments } from '@srs/rtmp';
import type { Feature, OutputAnswer, OutputRequest } from '@srs/stream';
import type { WorkerEnvironment } from './environment.ts';
import { identity } from './identity.ts';
import { isOwnAddress } from './own-address.ts';

/** Who is told of what has been made. */
export interface OutputEvents {
  readonly onSegment: (segment: SegmentEvent) => void;
  readonly onRecorded: (file: RecordedFile) => void;
  /** Other features are wanted of the stream from now on. @returns false when nobody publishes it */
  readonly reselect: (streamId: string) => boolean;
  /** What the backend at the URL wants the stream pushed to. Rejects when there is no valid answer in time. */
  readonly askForward: (url: string, streamId: string) => Promise<readonly string[]>;
}

interface Row {
  isWanted(vhost: VhostConfig): boolean;
  load(environment: WorkerEnvironment, events: OutputEvents): Promise<Feature>;
}

const clock = systemClock;

const dvrRow = {
  isWanted: ({ dvr }: VhostConfig) => dvr.enabled,
  load: async (environment: WorkerEnvironment, { onRecorded }: OutputEvents) => {
    const { dvrFeature } = await import('@srs/dvr');
    const isUtc = (): boolean => environment.config.log.isUtc;
    return dvrFeature({ clock, log: environment.log, isUtc, onRecorded });
  },
};

const table: readonly Row[] = [
  {
    isWanted: ({ hls }) => hls.enabled,
    load: async ({ log }, { onSegment }) => {
      const { hlsFeature } = await import('@srs/hls');
      return hlsFeature({ clock, log, randomBytes, onSegment });
    },
  },
  dvrRow,
];

const isForwarding = (vhost: VhostConfig): boolean =>
  vhost.mode === 'remote' || destinationsOf(vhost).length > 0 || forwardBackendOf(vhost) !== '';

/** A feature is loaded when the first vhost wants it: half of the time of a start is loading. */
export class OutputFeatures {
  readonly #environment: WorkerEnvironment;
  readonly #events: OutputEvents;
  readonly #loading = new Map<Row, Promise<void>>();
  /** In the order of their loading. */
  readonly #loaded = new Set<Feature>();
  #recorder: DvrControl | undefined;
  #forwards: Forwards | undefined;

  constructor(environment: WorkerEnvironment, events: OutputEvents) {
    this.#environment = environment;
    this.#events = events;
  }

  /** Undefined as long as nobody wants anything recorded. */
  get recorder(): DvrControl | undefined {
    return this.#recorder;
  }

  /** Loads what the configuration wants and is not there yet. */
  async load(config: Config): Promise<void> {
    const vhosts = Array.from(config.vhosts.values());
    for (const row of table) if (vhosts.some((vhost) => row.isWanted(vhost))) await this.#load(row);
    if (this.#forwards === undefined && vhosts.some(isForwarding)) await this.openForwards();
  }

  /** Loads what records, whatever the configuration wants. */
  async openRecorder(): Promise<DvrControl> {
    await this.#load(dvrRow);
    return this.#recorder!;
  }

  /** All that may want a stream of the vhost. */
  of(vhost: VhostConfig, streamId: string): readonly Feature[] {
    return [...this.#loaded, ...(this.#forwards?.of(vhost, streamId) ?? [])];
  }

  /** Undefined as long as nobody wants anything pushed on. */
  get forwards(): Forwards | undefined {
    return this.#forwards;
  }

  async close(): Promise<void> {
    this.#forwards?.close();
    await Promise.all(Array.from(this.#loaded, (feature) => feature.close()));
  }

  /** What one of them keeps in memory. */
  async answer(request: OutputRequest): Promise<OutputAnswer> {
    for (const feature of this.#loaded) {
      const answer = await feature.answer?.(request);
      if (answer !== undefined && answer.status !== 404) return answer;
    }
    return { status: 404, reason: 'nothing is kept in memory by that name' };
  }

  /** Loads what pushes on, whatever the configuration wants. */
  async openForwards(): Promise<Forwards> {
    const { Forwards } = await import('@srs/forward');
    const environment = this.#environment;
    this.#forwards ??= new Forwards({
      clock,
      random: Math.random,
      instanceId: environment.instanceId,
      identity: (cid) =>
        identityArguments({
          ...identity,
          role: 'origin/edge server',
          serverIp: deviceAddress(environment.config.stats.network),
          pid: process.pid,
          id: cid,
        }),
      isOwn: (address) => isOwnAddress(environment.config, address),
      log: environment.log,
      reselect: this.#events.reselect,
      askBackend: this.#events.askForward,
    });
    return this.#forwards;
  }

  /** Once. */
  #load(row: Row): Promise<void> {
    const loading = this.#loading.get(row) ?? this.#add(row);
    this.#loading.set(row, loading);
    return loading;
  }

  async #add(row: Row): Promise<void> {
    if (row === dvrRow) {
      const feature = await dvrRow.load(this.#environment, this.#events);
      this.#recorder = feature;
      this.#loaded.add(feature);
    } else this.#loaded.add(await row.load(this.#environment, this.#events));
  }
}
