/** The registry that servers share in a Redis or Valkey server: a key with a time to live for each stream. */
import { formatAddress } from '@srs/config';
import { SrsError } from '@srs/kernel';
import { announceScript, withdrawScript } from './lease-scripts.ts';
import { formatPlace, parsePlace } from './place-record.ts';
import { RedisConnection, type RedisConnectionOptions } from './redis-connection.ts';
import type { LeaseAnswer, LeaseTerms, RegistryReport, StreamPlace, StreamRegistry } from './stream-registry.ts';

export interface RedisRegistryOptions extends Omit<RedisConnectionOptions, 'onUp'> {
  /** What all keys begin with; a colon follows. */
  readonly prefix: string;
}

export class RedisRegistry implements StreamRegistry {
  readonly lookUpsPerSecond = Number.POSITIVE_INFINITY;
  readonly #prefix: string;
  readonly #connection: RedisConnection;
  readonly #onUp: (() => void)[] = [];

  constructor({ prefix, ...options }: RedisRegistryOptions) {
    this.#prefix = prefix;
    this.#connection = new RedisConnection({
      ...options,
      onUp: () => {
        for (const callback of this.#onUp) callback();
      },
    });
  }

  get report(): RegistryReport {
    return this.#connection.report;
  }

  async announce(streamId: string, place: StreamPlace, { leaseMs, takesOver }: LeaseTerms): Promise<LeaseAnswer> {
    const key = this.#keyOf(streamId);
    const { instanceId, address } = place;
    const args = [formatPlace(place), String(leaseMs), instanceId, formatAddress(address), takesOver ? '1' : '0'];
    const holder = await this.#connection.send(['EVAL', announceScript, '1', key, ...args]);
    return holder === null ? { kind: 'held' } : { kind: 'taken', by: placeOf(key, holder) };
  }

  async withdraw(streamId: string, { instanceId }: StreamPlace): Promise<void> {
    await this.#connection.send(['EVAL', withdrawScript, '1', this.#keyOf(streamId), instanceId]);
  }

  async lookUp(streamIds: readonly string[]): Promise<readonly (StreamPlace | undefined)[]> {
    if (streamIds.length === 0) return [];
    const keys = streamIds.map((streamId) => this.#keyOf(streamId));
    const values = await this.#connection.send(['MGET', ...keys]);
    if (!Array.isArray(values) || values.length !== keys.length) {
      throw new SrsError('Registry', `the answer to MGET must be a list of ${keys.length}`);
    }
    // A key that somebody else has written is none of ours.
    return values.map((value: unknown) => (typeof value === 'string' ? parsePlace(value) : undefined));
  }

  onUp(callback: () => void): void {
    this.#onUp.push(callback);
    if (this.report.isUp) callback();
  }

  close(): void {
    this.#connection.close();
  }

  #keyOf(streamId: string): string {
    return `${this.#prefix}:stream:${streamId}`;
  }
}

function placeOf(key: string, value: unknown): StreamPlace {
  const place = typeof value === 'string' ? parsePlace(value) : undefined;
  if (place === undefined) throw new SrsError('Registry', `key ${key} of the registry holds something else than a place`);
  return place;
}
