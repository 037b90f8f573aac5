/** The origins of a vhost: which one is to be tried next, by turns and by how they have fared. */
import { BackOff } from '@srs/client';
import type { ServerAddress } from '@srs/config';
import type { Clock } from '@srs/kernel';

export interface OriginPoolOptions {
  readonly clock: Clock;
  /** 0..1, as Math.random. */
  readonly random: () => number;
}

/** One that could not be reached is left alone for this long, twice as long after each failure, while there is another one. */
const FIRST_REST_MS = 1_000;
const MAX_REST_MS = 30_000;

interface Health {
  readonly backOff: BackOff;
  restsUntilMs: number;
}

/** Of one vhost; all its streams tell it what they have met. */
export class OriginPool {
  readonly #options: OriginPoolOptions;
  readonly #health = new Map<string, Health>();

  constructor(options: OriginPoolOptions) {
    this.#options = options;
  }

  /**
   * The one after `previous` that does not rest; when all do, the one whose rest ends first.
   *
   * @param origins in the order of the configuration, one at least
   * @param previous the position of the last one, -1 for none
   */
  next(origins: readonly ServerAddress[], previous: number): number {
    const nowMs = this.#options.clock.nowMs();
    let best = -1;
    let bestMs = Number.POSITIVE_INFINITY;
    for (let step = 1; step <= origins.length; step += 1) {
      const index = (previous + step) % origins.length;
      const untilMs = this.#health.get(keyOf(origins[index]!))?.restsUntilMs ?? 0;
      if (untilMs <= nowMs) return index;
      if (untilMs < bestMs) [best, bestMs] = [index, untilMs];
    }
    return best;
  }

  /** As they are configured, but those that rest come last. */
  inOrder(origins: readonly ServerAddress[]): readonly ServerAddress[] {
    const nowMs = this.#options.clock.nowMs();
    const rests = (origin: ServerAddress): boolean => (this.#health.get(keyOf(origin))?.restsUntilMs ?? 0) > nowMs;
    return [...origins.filter((origin) => !rests(origin)), ...origins.filter(rests)];
  }

  /** It could not be reached, or broke off. */
  failed(origin: ServerAddress): void {
    const { clock, random } = this.#options;
    const key = keyOf(origin);
    const health = this.#health.get(key) ?? {
      backOff: new BackOff({ firstMs: FIRST_REST_MS, maxMs: MAX_REST_MS, random }),
      restsUntilMs: 0,
    };
    health.restsUntilMs = clock.nowMs() + health.backOff.next();
    this.#health.set(key, health);
  }

  /** It has answered. */
  worked(origin: ServerAddress): void {
    this.#health.delete(keyOf(origin));
  }
}

const keyOf = ({ host, port }: ServerAddress): string => `${host} ${port}`;
