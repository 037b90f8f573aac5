/** Requests that wait for what they ask for. */
import type { Clock } from '@srs/kernel';
import type { OutputAnswer } from '@srs/stream';

/** All of a process. Each costs less than a kilobyte here. */
const MAX_HELD_REQUESTS = 10_000;

/** How many are held, of all streams. */
export class HeldCount {
  readonly max: number;
  value = 0;

  constructor(max = MAX_HELD_REQUESTS) {
    this.max = max;
  }
}

interface HeldRequest {
  readonly untilMs: number;
  /** Undefined as long as there is nothing to answer. */
  readonly answer: () => OutputAnswer | undefined;
  readonly finish: (answer: OutputAnswer) => void;
}

const timedOut: OutputAnswer = { status: 503, reason: 'it has not come in three target durations' };
const tooMany: OutputAnswer = { status: 503, reason: 'too many requests wait' };
const viewerGone: OutputAnswer = { status: 503, reason: 'the viewer has gone' };

export class HeldRequests {
  readonly #clock: Clock;
  readonly #count: HeldCount;
  readonly #held = new Set<HeldRequest>();
  #timer: NodeJS.Timeout | undefined;

  constructor(clock: Clock, count: HeldCount) {
    this.#clock = clock;
    this.#count = count;
  }

  /** Answers as soon as there is an answer, and after `timeoutMs` in any case. */
  async hold(answer: () => OutputAnswer | undefined, timeoutMs: number, signal: AbortSignal): Promise<OutputAnswer> {
    const known = answer();
    if (known !== undefined) return known;
    if (signal.aborted) return viewerGone;
    if (this.#count.value >= this.#count.max) return tooMany;
    const { promise, resolve } = Promise.withResolvers<OutputAnswer>();
    const onAbort = (): void => this.#finish(request, viewerGone);
    const finish = (given: OutputAnswer): void => {
      signal.removeEventListener('abort', onAbort);
      resolve(given);
    };
    const request: HeldRequest = { untilMs: this.#clock.nowMs() + timeoutMs, answer, finish };
    signal.addEventListener('abort', onAbort);
    this.#held.add(request);
    this.#count.value += 1;
    this.#timer ??= setTimeout(() => this.#sweep(), timeoutMs).unref();
    return await promise;
  }

  /** Something has been made. */
  check(): void {
    for (const request of this.#held) {
      const answer = request.answer();
      if (answer !== undefined) this.#finish(request, answer);
    }
  }

  releaseAll(answer: OutputAnswer): void {
    for (const request of this.#held) this.#finish(request, answer);
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #finish(request: HeldRequest, answer: OutputAnswer): void {
    if (!this.#held.delete(request)) return;
    this.#count.value -= 1;
    request.finish(answer);
  }

  /** One timer for all: it is set again for the one that has to be answered first. */
  #sweep(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.nowMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const request of this.#held) {
      if (request.untilMs <= nowMs) this.#finish(request, timedOut);
      else nextMs = Math.min(nextMs, request.untilMs);
    }
    if (nextMs < Number.POSITIVE_INFINITY) this.#timer = setTimeout(() => this.#sweep(), nextMs - nowMs).unref();
  }
}
