/** No registry: servers that know each other's HTTP APIs are asked, as SRS 3 does. What is published here they ask for themselves. */
import { formatAddress, type ServerAddress } from '@srs/config';
import { SrsError } from '@srs/kernel';
import { Coworker, type CoworkerOptions } from './coworker.ts';
import type { LeaseAnswer, RegistryReport, StreamPlace, StreamRegistry } from './stream-registry.ts';

export interface CoworkerRegistryOptions extends Omit<CoworkerOptions, 'address'> {
  readonly coworkers: readonly ServerAddress[];
}

/** Two servers may publish the same name: nobody decides between them, and viewers elsewhere get the one that answers first. */
export class CoworkerRegistry implements StreamRegistry {
  /** Each is a request to every coworker. */
  readonly lookUpsPerSecond = 1_000;
  readonly #coworkers: readonly Coworker[];

  constructor({ coworkers, ...options }: CoworkerRegistryOptions) {
    this.#coworkers = coworkers.map((address) => new Coworker({ ...options, address }));
  }

  get report(): RegistryReport {
    const reports = this.#coworkers.map(({ report }) => report);
    const sum = (pick: (report: (typeof reports)[number]) => number): number =>
      reports.reduce((total, report) => total + pick(report), 0);
    const faults = reports.map(({ lastError }) => lastError).filter((error) => error !== '');
    return {
      name: `coworkers ${reports.map(({ address }) => formatAddress(address)).join(' ')}`,
      isUp: faults.length === 0,
      commands: sum(({ commands }) => commands),
      failures: sum(({ failures }) => failures),
      latencyMs: Math.max(...reports.map(({ latencyMs }) => latencyMs)),
      lastError: faults.join(', '),
    };
  }

  announce(): Promise<LeaseAnswer> {
    return Promise.resolve({ kind: 'held' });
  }

  withdraw(): Promise<void> {
    return Promise.resolve();
  }

  async lookUp(streamIds: readonly string[]): Promise<readonly (StreamPlace | undefined)[]> {
    const answers = await Promise.allSettled(streamIds.map((streamId) => this.#find(streamId)));
    const [first] = answers;
    if (first?.status === 'rejected' && answers.every(({ status }) => status === 'rejected')) throw first.reason;
    return answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : undefined));
  }

  onUp(): void {}

  close(): void {
    for (const coworker of this.#coworkers) coworker.close();
  }

  /** The first that has it: who does not answer holds up nobody but those whose stream is nowhere. */
  async #find(streamId: string): Promise<StreamPlace | undefined> {
    let answers = 0;
    const asked = this.#coworkers.map(async (coworker) => {
      const place = await coworker.ask(streamId);
      answers += 1;
      if (place === undefined) throw new Error(`nobody publishes ${streamId} there`);
      return place;
    });
    try {
      return await Promise.any(asked);
    } catch {
      if (answers > 0) return undefined;
      throw new SrsError('Registry', `no coworker answers: ${this.report.lastError}`);
    }
  }
}
