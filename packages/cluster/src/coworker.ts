/** Another server of the cluster, asked by its HTTP API for one stream at a time. */
import { Agent, type IncomingMessage, request } from 'node:http';
import { isIP } from 'node:net';
import { BackOff, FailureNotes, hostNames } from '@srs/client';
import { formatAddress, type ServerAddress, splitStreamId } from '@srs/config';
import { type Clock, describeError, type Log, systemErrorCode } from '@srs/kernel';
import { readCoworkerAnswer } from './coworker-answer.ts';
import type { StreamPlace } from './stream-registry.ts';

export interface CoworkerOptions {
  readonly address: ServerAddress;
  /** The header of that name; empty for none. */
  readonly authorization: () => string;
  readonly clock: Clock;
  /** 0..1, as Math.random. */
  readonly random: () => number;
  readonly log: Log;
}

/** From the question to the end of its answer. Viewers wait a second for where their stream is. */
const ANSWER_LIMIT_MS = 800;
/** One that does not answer is left alone for so long, twice as long each time. */
const FIRST_REST_MS = 500;
const MAX_REST_MS = 4_000;
/** Questions that may wait for their answers, and connections that they share. */
const MAX_WAITING = 1_000;
const MAX_CONNECTIONS = 16;
const IDLE_CONNECTION_MS = 5_000;
/** A good answer has some hundred bytes. */
const MAX_ANSWER_BYTES = 16 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;
/** How much the newest question counts in the average. */
const NEWEST_SHARE = 1 / 16;

export class Coworker {
  readonly #options: CoworkerOptions;
  readonly #name: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: MAX_CONNECTIONS, timeout: IDLE_CONNECTION_MS });
  readonly #notes: FailureNotes;
  readonly #rests: BackOff;
  #restsUntilMs = 0;
  #answeredMs = Number.NEGATIVE_INFINITY;
  #waiting = 0;
  #commands = 0;
  #failures = 0;
  #latencyMs = 0;
  #lastError = '';
  #isClosed = false;

  constructor(options: CoworkerOptions) {
    this.#options = options;
    this.#name = formatAddress(options.address);
    this.#notes = new FailureNotes(options.clock);
    this.#rests = new BackOff({ firstMs: FIRST_REST_MS, maxMs: MAX_REST_MS, random: options.random });
  }

  /** `lastError` is empty when its last answer was a good one, or it has not been asked. */
  get report() {
    const { address } = this.#options;
    return {
      address,
      commands: this.#commands,
      failures: this.#failures,
      latencyMs: this.#latencyMs,
      lastError: this.#lastError === '' ? '' : `${this.#name}: ${this.#lastError}`,
    };
  }

  /** Undefined for a stream that nobody publishes there. @throws Error when it does not say, or is left alone for a while */
  async ask(streamId: string): Promise<StreamPlace | undefined> {
    const { clock, address } = this.#options;
    const beginMs = clock.nowMs();
    if (beginMs < this.#restsUntilMs) throw new Error(this.#lastError);
    this.#commands += 1;
    this.#waiting += 1;
    try {
      if (this.#waiting > MAX_WAITING) throw new Error(`${this.#waiting} questions wait for it, must be at most ${MAX_WAITING}`);
      const place = readCoworkerAnswer(await this.#get(streamId), address);
      this.#onAnswered(beginMs);
      return place;
    } catch (error) {
      this.#onFailed(error, beginMs);
      throw error;
    } finally {
      this.#waiting -= 1;
    }
  }

  /** Whoever waits for an answer is told that there is none. */
  close(): void {
    this.#isClosed = true;
    this.#agent.destroy();
  }

  #onAnswered(beginMs: number): void {
    const { clock, log } = this.#options;
    this.#answeredMs = clock.nowMs();
    this.#latencyMs += (this.#answeredMs - beginMs - this.#latencyMs) * NEWEST_SHARE;
    if (this.#lastError !== '') log.trace(`coworker ${this.#name}: answers again`);
    this.#lastError = '';
    this.#restsUntilMs = 0;
    this.#rests.reset();
    this.#notes.clear();
  }

  #onFailed(error: unknown, beginMs: number): void {
    this.#failures += 1;
    // It has answered others meanwhile: that there are so many questions is not its fault.
    if (this.#isClosed || this.#answeredMs >= beginMs) return;
    const { clock, log } = this.#options;
    this.#lastError = describeError(error);
    const nowMs = clock.nowMs();
    if (nowMs >= this.#restsUntilMs) this.#restsUntilMs = nowMs + this.#rests.next();
    if (this.#notes.isNews(this.#lastError)) log.warn(`coworker ${this.#name}: ${this.#lastError}`);
  }

  async #get(streamId: string): Promise<string> {
    const limit = AbortSignal.timeout(ANSWER_LIMIT_MS);
    const noAnswer = new Promise<never>((_, reject) => {
      limit.addEventListener('abort', () => reject(new Error(`no answer within ${ANSWER_LIMIT_MS} ms`)));
    });
    return await Promise.race([this.#request(this.#pathOf(streamId), limit), noAnswer]);
  }

  /** The server that is asked repeats its own name, as this one knows it, where it has nothing better to tell. */
  #pathOf(streamId: string): string {
    const { vhost, app, stream } = splitStreamId(streamId);
    return `/api/v1/clusters?${new URLSearchParams({ vhost, ip: '', app, stream, coworker: this.#name }).toString()}`;
  }

  async #request(path: string, signal: AbortSignal): Promise<string> {
    const { address, authorization } = this.#options;
    // An API without `auth` answers nobody who calls it by a name, lest web pages make a name of their own point to it.
    const host = isIP(address.host) === 0 ? (await hostNames.find(address.host))[0]!.address : address.host;
    const credentials = authorization();
    const sent = request({
      host,
      port: address.port,
      path,
      agent: this.#agent,
      signal,
      maxHeaderSize: MAX_HEADER_BYTES,
      headers: {
        host: formatAddress({ ...address, host }),
        accept: 'application/json',
        ...(credentials === '' ? {} : { authorization: credentials }),
      },
    });
    const answered = Promise.withResolvers<IncomingMessage>();
    sent.on('response', answered.resolve);
    sent.on('error', answered.reject);
    sent.end();
    try {
      return await readBody(await answered.promise);
    } catch (error) {
      // A connection that was kept has been closed in the moment in which it was used: that says nothing about the server.
      if (!this.#isClosed && sent.reusedSocket && systemErrorCode(error) === 'ECONNRESET')
        return await this.#request(path, signal);
      sent.destroy();
      throw error;
    }
  }
}

async function readBody(response: IncomingMessage): Promise<string> {
  const { statusCode, statusMessage } = response;
  if (statusCode !== 200) throw new Error(`answered ${statusCode} ${statusMessage}, must be 200`);
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_ANSWER_BYTES) throw new Error(`answered more than ${MAX_ANSWER_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
