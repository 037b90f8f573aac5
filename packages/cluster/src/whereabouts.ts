/** Where the streams live that somebody wants here: asked for in batches, and asked again for as long as they are followed. */
import { FailureNotes } from '@srs/client';
import { type Clock, describeError, type Log } from '@srs/kernel';
import type { StreamPlace, StreamRegistry } from './stream-registry.ts';

export interface WhereaboutsOptions {
  readonly registry: StreamRegistry;
  /** This server: what it holds itself is not elsewhere. */
  readonly instanceId: string;
  readonly clock: Clock;
  /** 0..1, as Math.random. */
  readonly random: () => number;
  readonly log: Log;
}

/** A stream that is looked for until it is found, and watched then. */
export interface FollowedStream {
  /** Where it is as far as is known. */
  readonly place: StreamPlace | undefined;
  /** The next answer of the registry that names a place. Rejects when the signal aborts, or the stream is not followed any more. */
  found(signal: AbortSignal): Promise<StreamPlace>;
  close(): void;
}

/** Up to a quarter less at random. */
const POLL_MS = 1_000;
/** Streams in one question. */
const BATCH = 256;

export class Whereabouts {
  readonly #options: WhereaboutsOptions;
  readonly #notes: FailureNotes;
  /** What each looks for. */
  readonly #followed = new Map<Followed, string>();
  /** Questions of this turn of the event loop, to be asked together. */
  #asked = new Map<string, PromiseWithResolvers<StreamPlace | undefined>>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: WhereaboutsOptions) {
    this.#options = options;
    this.#notes = new FailureNotes(options.clock);
  }

  /** Another server that has the stream now; undefined when there is none. @throws SrsError Registry */
  ask(streamId: string): Promise<StreamPlace | undefined> {
    const known = this.#asked.get(streamId);
    if (known !== undefined) return known.promise;
    const question = Promise.withResolvers<StreamPlace | undefined>();
    if (this.#asked.size === 0) setImmediate(() => void this.#askAll());
    this.#asked.set(streamId, question);
    return question.promise;
  }

  follow(streamId: string): FollowedStream {
    const followed: Followed = new Followed(() => this.#followed.delete(followed));
    this.#followed.set(followed, streamId);
    this.#look(streamId, followed);
    this.#schedule();
    return followed;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #look(streamId: string, followed: Followed): void {
    this.ask(streamId).then(
      (place) => followed.onAnswer(place),
      (error: unknown) => this.#note(error),
    );
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#isClosed || this.#followed.size === 0) return;
    const delayMs = POLL_MS * (1 - this.#options.random() / 4);
    this.#timer = setTimeout(() => {
      void this.#lookAtAll().then(() => {
        this.#timer = undefined;
        this.#schedule();
      });
    }, delayMs);
  }

  /** The next round begins when this one is over, however long the registry takes. */
  async #lookAtAll(): Promise<void> {
    const { registry, clock } = this.#options;
    const streams = Array.from(this.#followed);
    try {
      for (let first = 0; first < streams.length; first += BATCH) {
        const beginMs = clock.nowMs();
        const batch = streams.slice(first, first + BATCH);
        const places = await this.#lookUp(batch.map(([, streamId]) => streamId));
        for (const [index, [followed]] of batch.entries()) followed.onAnswer(places[index]);
        await this.#pause(beginMs + (batch.length / registry.lookUpsPerSecond) * 1000 - clock.nowMs());
      }
    } catch (error) {
      this.#note(error);
    }
  }

  /** Who closes leaves it unsettled. */
  async #pause(ms: number): Promise<void> {
    if (ms <= 0 || this.#isClosed) return;
    await new Promise<void>((resolve) => {
      this.#timer = setTimeout(resolve, ms);
    });
  }

  async #askAll(): Promise<void> {
    const asked = Array.from(this.#asked);
    this.#asked = new Map();
    for (let first = 0; first < asked.length; first += BATCH) {
      const batch = asked.slice(first, first + BATCH);
      try {
        const places = await this.#lookUp(batch.map(([streamId]) => streamId));
        for (const [index, [, question]] of batch.entries()) question.resolve(places[index]);
      } catch (error) {
        for (const [, question] of batch) question.reject(error);
      }
    }
  }

  async #lookUp(streamIds: readonly string[]): Promise<readonly (StreamPlace | undefined)[]> {
    const places = await this.#options.registry.lookUp(streamIds);
    return places.map((place) => (place?.instanceId === this.#options.instanceId ? undefined : place));
  }

  #note(error: unknown): void {
    if (this.#notes.isNews('registry'))
      this.#options.log.warn(`streams of other servers cannot be found: ${describeError(error)}`);
  }
}

class Followed implements FollowedStream {
  readonly #onClose: () => void;
  readonly #waiting = new Set<Waiting>();
  #place: StreamPlace | undefined;

  constructor(onClose: () => void) {
    this.#onClose = onClose;
  }

  get place(): StreamPlace | undefined {
    return this.#place;
  }

  onAnswer(place: StreamPlace | undefined): void {
    this.#place = place;
    if (place === undefined) return;
    for (const { tell } of Array.from(this.#waiting)) tell(place);
  }

  found(signal: AbortSignal): Promise<StreamPlace> {
    if (this.#place !== undefined) return Promise.resolve(this.#place);
    return new Promise((resolve, reject) => {
      const done = (): void => {
        this.#waiting.delete(waiting);
        signal.removeEventListener('abort', waiting.giveUp);
      };
      const waiting: Waiting = {
        tell: (place) => {
          done();
          resolve(place);
        },
        giveUp: () => {
          done();
          reject(new Error('it is not waited for any more'));
        },
      };
      this.#waiting.add(waiting);
      signal.addEventListener('abort', waiting.giveUp);
    });
  }

  close(): void {
    for (const { giveUp } of Array.from(this.#waiting)) giveUp();
    this.#onClose();
  }
}

interface Waiting {
  readonly tell: (place: StreamPlace) => void;
  readonly giveUp: () => void;
}
