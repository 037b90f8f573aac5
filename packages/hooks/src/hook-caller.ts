/** Calls hooks: asks and waits for the answer, or tells, again if need be; one after another for each client. */
import { setTimeout as delay } from 'node:timers/promises';
import { describeRedirectTarget, type RedirectTarget } from '@srs/config';
import { describeError, type Log, redact, SrsError } from '@srs/kernel';
import { checkAnswer, checkStatus, type HookAnswer, readNamedUrls, readVerdict } from './hook-answer.ts';
import type { AskedEvent, FetchedEvent, OutputEvent, ToldEvent } from './hook-event.ts';
import { HookFailure } from './hook-failure.ts';
import { HookPoster } from './hook-post.ts';
import { type Turn, TurnQueue } from './turn-queue.ts';

export interface HookCall {
  /** Called one after another, in this order. */
  readonly urls: readonly string[];
  readonly body: string;
  /** For each URL, from being asked to the end of its answer. */
  readonly timeoutMs: number;
  /** The client's trackable id: what is called for one client keeps its order. */
  readonly clientId: number;
  /** The client's address: addresses take turns where a server is asked more than it may be asked at once. */
  readonly ip: string;
  readonly log: Log;
}

export interface HookQuestion extends HookCall {
  readonly event: AskedEvent;
}

export interface HookNotice extends HookCall {
  readonly event: ToldEvent | OutputEvent | FetchedEvent;
  /** The URL is fetched by GET: status 200 will do, and so many bytes of what comes are enough. */
  readonly enoughBytes?: number;
  /** How often a URL is tried again that could not be reached, or could not answer. */
  readonly retries: number;
  /**
   * Every URL has been told, or is given up. Called before that is logged: once somebody can know of it, a process that dies must not
   * leave it to others to tell again.
   */
  onSettled?(): void;
}

/** Calls at once to one server. Notices have places of their own: nobody who waits for an answer waits for them. */
const QUESTIONS_AT_ONCE = 100;
const NOTICES_AT_ONCE = 50;
/** Notices that have not been delivered yet; at 500 bytes each this is what a hook server that is away may cost. */
const MAX_NOTICES = 20_000;
const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 30_000;
/** Notices lost to a full queue are told of this often. */
const COMPLAINT_INTERVAL_MS = 10_000;

export interface HookCallerOptions {
  readonly userAgent: string;
  /** 0..1, as Math.random. */
  readonly random: () => number;
  readonly log: Log;
}

export class HookCaller {
  readonly #options: HookCallerOptions;
  readonly #poster: HookPoster;
  /** By kind and server. */
  readonly #queues = new Map<string, TurnQueue>();
  /** The last notice of each client that has any; resolves when it is done with. */
  readonly #lines = new Map<number, Promise<unknown>>();
  readonly #open = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();
  #noticeCount = 0;
  #lostNotices = 0;
  #lastComplaintMs = Number.NEGATIVE_INFINITY;

  constructor(options: HookCallerOptions) {
    this.#options = options;
    this.#poster = new HookPoster(options.userAgent);
  }

  /**
   * Asks every URL; the first that does not say yes ends it. What the client's earlier notices tell of has been told before.
   * @returns where the client is to go instead; undefined when it may do what it wants to here
   * @throws SrsError HttpAnswer: its message may be shown to the client, its cause names URL and reason
   */
  ask(question: HookQuestion): Promise<RedirectTarget | undefined> {
    return this.#track(this.#ask(question));
  }

  /**
   * Asks every URL, what a published stream is to be pushed to. No client waits for it, so each failure is the caller's to tell.
   * @returns the addresses as they were sent
   * @throws HookFailure
   */
  askForUrls(call: HookCall): Promise<readonly string[]> {
    return this.#track(this.#askForUrls(call));
  }

  /**
   * Tells every URL, each again with growing pauses when it could not be reached, and logs what failed. Never rejects.
   * @returns false when it was cut short by `close`: not everybody has been told, and nobody has given up
   */
  tell(notice: HookNotice): Promise<boolean> {
    const { clientId } = notice;
    if (this.#noticeCount >= MAX_NOTICES) {
      notice.onSettled?.();
      this.#complainOfLoss(notice);
      return Promise.resolve(true);
    }
    this.#noticeCount += 1;
    const before = this.#lines.get(clientId);
    const told = (before ?? Promise.resolve())
      .then(() => this.#tell(notice))
      .finally(() => {
        this.#noticeCount -= 1;
        if (this.#lines.get(clientId) === told) this.#lines.delete(clientId);
      });
    this.#lines.set(clientId, told);
    return this.#track(told);
  }

  /** Waits until all that is under way is done, `graceMs` at most, and gives up the rest. */
  async close(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#closing.abort(), graceMs);
    // What is answered now may be followed by a notice.
    while (this.#open.size > 0) await Promise.allSettled(this.#open);
    clearTimeout(timer);
    this.#closing.abort();
    this.#poster.close();
  }

  async #ask(question: HookQuestion): Promise<RedirectTarget | undefined> {
    const { event, urls, log, clientId, timeoutMs } = question;
    try {
      const before = this.#lines.get(clientId);
      if (before !== undefined) {
        const what = 'what the client did before has not been told yet';
        await this.#wait(before, { url: urls[0] ?? '', limitMs: timeoutMs, what });
      }
      for (const url of urls) {
        const target = readVerdict(url, await this.#call('question', url, question));
        const verdict = target === undefined ? 'ok' : `redirects to ${describeRedirectTarget(target)}`;
        log.trace(`http hook ${event} ${verdict}. client_id=${clientId}, url=${redact(url)}`);
        if (target !== undefined) return target;
      }
      return undefined;
    } catch (error) {
      const isNo = error instanceof HookFailure && error.kind === 'refused';
      throw new SrsError('HttpAnswer', isNo ? `refused by the ${event} hook` : `the ${event} hook gave no valid answer`, {
        cause: error,
      });
    }
  }

  async #askForUrls(call: HookCall): Promise<readonly string[]> {
    const named: string[] = [];
    for (const url of call.urls) named.push(...readNamedUrls(url, await this.#call('question', url, call)));
    return named;
  }

  async #tell(notice: HookNotice): Promise<boolean> {
    const reports: (() => void)[] = [];
    for (const url of notice.urls) {
      const report = await this.#deliver(notice, url);
      if (report === undefined) return false;
      reports.push(report);
    }
    notice.onSettled?.();
    for (const report of reports) report();
    return true;
  }

  /** @returns what tells the log how it ended; undefined when the server stops before it has */
  async #deliver(notice: HookNotice, url: string): Promise<(() => void) | undefined> {
    const { event, clientId, log, retries } = notice;
    for (let tries = 0; ; tries += 1) {
      if (this.#closing.signal.aborted) return undefined;
      try {
        const answer = await this.#call('notice', url, notice, notice.enoughBytes);
        if (notice.enoughBytes === undefined) checkAnswer(url, answer);
        else checkStatus(url, answer);
        return () => log.trace(`http hook ${event} ok. client_id=${clientId}, url=${redact(url)}`);
      } catch (error) {
        if (this.#closing.signal.aborted) return undefined;
        if (tries >= retries || !(error instanceof HookFailure && error.kind === 'unavailable')) {
          return () =>
            log.error(`http hook ${event} failed after ${tries + 1} tries. client_id=${clientId}: ${describeError(error)}`);
        }
        const pauseMs = this.#pauseMs(tries);
        log.warn(`http hook ${event} failed, again in ${pauseMs} ms. client_id=${clientId}: ${describeError(error)}`);
        await delay(pauseMs, undefined, { signal: this.#closing.signal }).catch(() => {});
      }
    }
  }

  /** Doubles from try to try; up to a quarter is taken off at random, so that what failed together does not come back together. */
  #pauseMs(tries: number): number {
    const pauseMs = Math.min(RETRY_FIRST_MS * 2 ** tries, RETRY_MAX_MS);
    return Math.round(pauseMs * (1 - this.#options.random() / 4));
  }

  /** @throws HookFailure */
  async #call(kind: 'question' | 'notice', url: string, call: HookCall, enoughBytes?: number): Promise<HookAnswer> {
    const { timeoutMs } = call;
    const startedMs = performance.now();
    const turn = this.#enter(kind, url, call.ip);
    try {
      const limitMs = kind === 'question' ? timeoutMs : undefined;
      await this.#wait(turn.begun, { url, limitMs, what: 'too many calls wait for its answers' });
      // A notice has nobody who waits: its time begins with its turn.
      const leftMs = kind === 'question' ? Math.max(1, timeoutMs - (performance.now() - startedMs)) : timeoutMs;
      return await this.#poster.post(url, {
        body: Buffer.from(call.body),
        ...(enoughBytes === undefined ? {} : { enoughBytes }),
        timeoutMs,
        leftMs,
        signal: this.#closing.signal,
      });
    } finally {
      turn.end();
    }
  }

  #enter(kind: 'question' | 'notice', url: string, ip: string): Turn {
    const key = `${kind} ${new URL(url).origin}`;
    const queue = this.#queues.get(key) ?? new TurnQueue(kind === 'question' ? QUESTIONS_AT_ONCE : NOTICES_AT_ONCE);
    this.#queues.set(key, queue);
    const turn = queue.enter(ip);
    return {
      begun: turn.begun,
      end: () => {
        turn.end();
        if (queue.isIdle) this.#queues.delete(key);
      },
    };
  }

  /** @throws HookFailure when the call cannot be made within the limit, if there is one */
  async #wait(
    event: Promise<unknown>,
    { url, limitMs, what }: { readonly url: string; readonly limitMs: number | undefined; readonly what: string },
  ): Promise<void> {
    const { promise, reject } = Promise.withResolvers<never>();
    const giveUp = (reason: string) => reject(new HookFailure('unavailable', url, reason));
    const onAbort = () => giveUp('was not asked: the server stops');
    const { signal } = this.#closing;
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort);
    const timer =
      limitMs === undefined
        ? undefined
        : setTimeout(() => giveUp(`was not asked within ${limitMs / 1000} s (http_hooks timeout): ${what}`), limitMs);
    try {
      await Promise.race([event, promise]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#open.add(work);
    work.finally(() => this.#open.delete(work)).catch(() => {});
    return work;
  }

  #complainOfLoss({ event, clientId }: HookNotice): void {
    this.#lostNotices += 1;
    const nowMs = performance.now();
    if (nowMs - this.#lastComplaintMs < COMPLAINT_INTERVAL_MS) return;
    this.#lastComplaintMs = nowMs;
    this.#options.log.error(
      `http hooks: ${MAX_NOTICES} notices wait for their servers, ${this.#lostNotices} are lost by now (${event} of client_id=${clientId})`,
    );
  }
}
