/** One ring as the readers of a worker share it: opened many times, released once, linked to the ring that follows it. */
import type { PublisherInfo, RingRef } from '@srs/control';
import type { Arena } from '@srs/kernel';
import { RingReader } from '@srs/ring';

export interface RingSourceOptions {
  readonly ring: RingRef;
  readonly arena: Arena;
  readonly publisher: PublisherInfo | null;
  /** See `RingSource.wasAwaited`. */
  readonly wasAwaited: boolean;
  /** The last reader of this worker has left. */
  onReleased(): void;
}

/**
 * Counted: whoever keeps it calls `retain` and later `release`. A source in use keeps its successor in use, so that a slow
 * player finds its way through every ring up to the newest.
 */
export class RingSource {
  readonly ring: RingRef;
  readonly publisher: PublisherInfo | null;
  /** This worker followed the stream before the ring came: whoever was there gets all of it. Otherwise it was running already. */
  readonly wasAwaited: boolean;
  readonly #options: RingSourceOptions;
  #users = 0;
  #next: RingSource | undefined;

  constructor(options: RingSourceOptions) {
    this.#options = options;
    this.ring = options.ring;
    this.publisher = options.publisher;
    this.wasAwaited = options.wasAwaited;
  }

  /** The ring that came after this one: a bigger one of the same publish, or the next publish. */
  get next(): RingSource | undefined {
    return this.#next;
  }

  /**
   * Somebody else publishes the stream now. The ring has been ended then, unless its writer hangs and the back-source that knew of
   * it is dead: nobody may wait for more.
   */
  get isSuperseded(): boolean {
    return this.#next !== undefined && this.#next.publisher?.cid !== this.publisher?.cid;
  }

  get isInUse(): boolean {
    return this.#users > 0;
  }

  isSame(ring: RingRef): boolean {
    return ring.arena === this.ring.arena && ring.index === this.ring.index && ring.generation === this.ring.generation;
  }

  /** Undefined when the memory is no longer that ring. */
  newestTimestampMs(): number | undefined {
    try {
      return this.openReader().newestTimestampMs;
    } catch {
      return undefined;
    }
  }

  setNext(next: RingSource): void {
    this.#next = next;
    if (this.#users > 0) next.retain();
  }

  retain(): this {
    this.#users += 1;
    if (this.#users === 1) this.#next?.retain();
    return this;
  }

  release(): void {
    this.#users -= 1;
    if (this.#users > 0) return;
    this.#options.onReleased();
    this.#next?.release();
  }

  /** A reader at the live edge. @throws SrsError RingCorrupt when the memory is no longer that ring */
  openReader(): RingReader {
    return new RingReader(this.#options.arena, this.ring, this.ring.generation);
  }
}
