/** The origins of a vhost: which one a stream is to be got from next, by turns and by how they have fared. */
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
/** A stream goes on with its turns for so long after the last one. */
const TURN_MEMORY_MS = 30_000;
/** Streams whose turns are remembered; the oldest is forgotten for the next one. */
const MAX_TURNS = 10_000;

interface Health {
  readonly backOff: BackOff;
  restsUntilMs: number;
}

/** The last origin that was of no use to a stream. */
interface Turn {
  readonly originKey: string;
  readonly untilMs: number;
}

/** Of one vhost; all its streams tell it what they have met. */
export class OriginPool {
  readonly #options: OriginPoolOptions;
  readonly #health = new Map<string, Health>();
  /**
   * By stream, the oldest first. They outlive a pull: the servers that wait for a stream give up one after the other when it falls
   * silent, and a pull that began with the first origin each time would never come to the next one.
   */
  readonly #turns = new Map<string, Turn>();

  constructor(options: OriginPoolOptions) {
    this.#options = options;
  }

  /**
   * The one after that which was passed over last, if it does not rest; when all do, the one whose rest ends first.
   *
   * @param origins in the order of the configuration, one at least
   */
  next(stream: string, origins: readonly ServerAddress[]): ServerAddress {
    const nowMs = this.#options.clock.nowMs();
    const turn = this.#turns.get(stream);
    const passed = turn !== undefined && turn.untilMs > nowMs ? turn.originKey : '';
    const previous = origins.findIndex((origin) => keyOf(origin) === passed);
    const inTurn = [...origins.slice(previous + 1), ...origins.slice(0, previous + 1)];
    return inTurn.reduce((best, origin) => (this.#restMs(origin, nowMs) < this.#restMs(best, nowMs) ? origin : best));
  }

  /** The stream did not come from there: it is another one's turn. */
  passOver(stream: string, origin: ServerAddress): void {
    const nowMs = this.#options.clock.nowMs();
    this.#turns.delete(stream);
    this.#turns.set(stream, { originKey: keyOf(origin), untilMs: nowMs + TURN_MEMORY_MS });
    for (const [oldest, { untilMs }] of this.#turns) {
      if (untilMs > nowMs && this.#turns.size <= MAX_TURNS) break;
      this.#turns.delete(oldest);
    }
  }

  /** As they are configured, but those that rest come last. */
  inOrder(origins: readonly ServerAddress[]): readonly ServerAddress[] {
    const nowMs = this.#options.clock.nowMs();
    const rests = (origin: ServerAddress): boolean => this.#restMs(origin, nowMs) > 0;
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

  /** How long it is still left alone. */
  #restMs(origin: ServerAddress, nowMs: number): number {
    return Math.max(0, (this.#health.get(keyOf(origin))?.restsUntilMs ?? 0) - nowMs);
  }
}

const keyOf = ({ host, port }: ServerAddress): string => `${host} ${port}`;
