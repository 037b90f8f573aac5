/** The registry of a server that is alone: it knows what is published here, and nothing leaves the process. */
import type { LeaseAnswer, RegistryReport, StreamPlace, StreamRegistry } from './stream-registry.ts';

export class LocalRegistry implements StreamRegistry {
  readonly report: RegistryReport = { name: 'none', isUp: true, commands: 0, failures: 0, latencyMs: 0, lastError: '' };
  readonly lookUpsPerSecond: number = Number.POSITIVE_INFINITY;
  readonly #places = new Map<string, StreamPlace>();

  announce(streamId: string, place: StreamPlace): Promise<LeaseAnswer> {
    this.#places.set(streamId, place);
    return Promise.resolve({ kind: 'held' });
  }

  withdraw(streamId: string): Promise<void> {
    this.#places.delete(streamId);
    return Promise.resolve();
  }

  lookUp(streamIds: readonly string[]): Promise<readonly (StreamPlace | undefined)[]> {
    return Promise.resolve(streamIds.map((streamId) => this.#places.get(streamId)));
  }

  onUp(): void {}

  close(): void {}
}
