/** What back-sources keep in memory, kept here too: a thousand viewers of a segment are one question. */
import type { OutputAnswer, OutputRequest } from '@srs/stream';

type Ask = (request: OutputRequest) => Promise<OutputAnswer>;

export interface OutputCacheOptions {
  readonly ask: Ask;
  readonly nowMs: () => number;
  /** Of all answers that are kept. */
  readonly maxBytes: number;
}

interface Kept {
  readonly answer: OutputAnswer & { readonly status: 200 };
  readonly untilMs: number;
}

/** One question that is under way, and how many wait for its answer. */
interface Asked {
  readonly answer: Promise<OutputAnswer>;
  readonly control: AbortController;
  waiting: number;
}

export class OutputCache {
  readonly #options: OutputCacheOptions;
  /** Those that were used last stand last. */
  readonly #kept = new Map<string, Kept>();
  readonly #asked = new Map<string, Asked>();
  #keptBytes = 0;

  constructor(options: OutputCacheOptions) {
    this.#options = options;
  }

  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** Rejects when the viewer has gone, or as `ask` does. */
  async get(request: OutputRequest): Promise<OutputAnswer> {
    const key = OutputCache.keyOf(request);
    return this.find(key) ?? (await this.#wait(key, request));
  }

  static keyOf({ vhost, path, query }: Omit<OutputRequest, 'signal'>): string {
    return `${vhost}\n${path}\n${query}`;
  }

  /** What is kept. */
  find(key: string): Kept['answer'] | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    this.#kept.delete(key);
    if (kept.untilMs <= this.#options.nowMs()) {
      this.#keptBytes -= kept.answer.body.length;
      return undefined;
    }
    this.#kept.set(key, kept);
    return kept.answer;
  }

  /** The question is given up when nobody waits for it any more. */
  async #wait(key: string, { signal, ...request }: OutputRequest): Promise<OutputAnswer> {
    const asked = this.#asked.get(key) ?? this.#ask(key, request);
    asked.waiting += 1;
    const gone = Promise.withResolvers<never>();
    const onGone = (): void => gone.reject(new Error('the viewer has gone'));
    signal.addEventListener('abort', onGone);
    if (signal.aborted) onGone();
    try {
      return await Promise.race([asked.answer, gone.promise]);
    } finally {
      signal.removeEventListener('abort', onGone);
      asked.waiting -= 1;
      if (asked.waiting === 0 && this.#asked.get(key) === asked) {
        this.#asked.delete(key);
        asked.control.abort();
      }
    }
  }

  #ask(key: string, request: Omit<OutputRequest, 'signal'>): Asked {
    const control = new AbortController();
    const answer = this.#options.ask({ ...request, signal: control.signal }).then((given) => {
      if (given.status === 200) this.#keep(key, given);
      return given;
    });
    const asked: Asked = { answer, control, waiting: 0 };
    this.#asked.set(key, asked);
    const forget = (): void => {
      if (this.#asked.get(key) === asked) this.#asked.delete(key);
    };
    answer.then(forget, forget);
    return asked;
  }

  #keep(key: string, answer: OutputAnswer & { readonly status: 200 }): void {
    const { maxBytes, nowMs } = this.#options;
    const { length } = answer.body;
    if (answer.maxAgeSeconds <= 0 || length > maxBytes) return;
    const before = this.#kept.get(key);
    if (before !== undefined) this.#keptBytes -= before.answer.body.length;
    this.#kept.delete(key);
    this.#kept.set(key, { answer, untilMs: nowMs() + answer.maxAgeSeconds * 1000 });
    this.#keptBytes += length;
    for (const [oldest, kept] of this.#kept) {
      if (this.#keptBytes <= maxBytes) return;
      this.#kept.delete(oldest);
      this.#keptBytes -= kept.answer.body.length;
    }
  }
}
