/** What a backend wants one stream pushed to: it is asked until it has answered. */
import { BackOff } from '@srs/client';
import { type ForwardDestination, parseForwardDestination } from '@srs/config';

export interface BackendOptions {
  readonly url: string;
  /** What counts until the answer has come. */
  readonly destinations: readonly ForwardDestination[];
  /** Texts of destinations. Rejects when there is no answer in time. */
  readonly ask: () => Promise<readonly string[]>;
  /** 0..1, as Math.random. */
  readonly random: () => number;
  /** @param faults texts that are no destinations */
  readonly onAnswer: (faults: readonly string[]) => void;
  readonly onFailure: (reason: unknown, retryMs: number) => void;
}

const RETRY = { firstMs: 1_000, maxMs: 30_000 };

export class BackendDestinations {
  readonly url: string;
  readonly #options: BackendOptions;
  readonly #backOff: BackOff;
  #destinations: readonly ForwardDestination[];
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: BackendOptions) {
    this.url = options.url;
    this.#options = options;
    this.#backOff = new BackOff({ ...RETRY, random: options.random });
    this.#destinations = options.destinations;
    void this.#ask();
  }

  get destinations(): readonly ForwardDestination[] {
    return this.#destinations;
  }

  /** Nothing is told any more. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #ask(): Promise<void> {
    const { ask, onAnswer, onFailure } = this.#options;
    let texts: readonly string[];
    try {
      texts = await ask();
    } catch (error) {
      if (this.#isClosed) return;
      const retryMs = this.#backOff.next();
      this.#timer = setTimeout(() => void this.#ask(), retryMs);
      onFailure(error, retryMs);
      return;
    }
    if (this.#isClosed) return;
    const read = texts.map((text) => ({ text, destination: parseForwardDestination(text) }));
    this.#destinations = read.flatMap(({ destination }) => destination ?? []);
    onAnswer(read.filter(({ destination }) => destination === undefined).map(({ text }) => text));
  }
}
