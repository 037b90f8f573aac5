/** A publisher that posts FLV, inside the test's own process. */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { encodeFlvHeader, encodeFlvTag } from '@srs/flv';
import { within } from '../support/deadline.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { type SourceOptions, type StampedFrame, StampedSource } from './stamped-media-test-support.ts';

const ANSWER_LIMIT_MS = 10_000;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface PostOptions extends SourceOptions {
  /** With its question mark. */
  readonly query?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export class FlvPoster {
  readonly source: StampedSource;
  readonly #request: ClientRequest;
  readonly #answer: Promise<Answer>;
  #isContinueHeard = false;

  /** @param path `live/one`; asks with the ending `.flv` */
  constructor(server: ServerProcess, path: string, options: PostOptions = {}) {
    const { query = '', method = 'POST', headers = {} } = options;
    this.source = new StampedSource(path, options);
    const { host, sparePort } = server.place;
    this.#request = httpRequest({ host, port: sparePort, path: `/${path}.flv${query}`, method, headers, agent: false });
    this.#request.on('continue', () => {
      this.#isContinueHeard = true;
    });
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#answer = promise;
    // Who leaves by itself does not wait for an answer.
    promise.catch(() => {});
    this.#request.on('error', reject);
    this.#request.on('response', (response) => {
      const { statusCode = 0, headers: answered } = response;
      text(response).then((body) => resolve({ status: statusCode, headers: answered, body }), reject);
    });
    this.#request.flushHeaders();
  }

  /** The server has said that it wants the body. */
  get isContinueHeard(): boolean {
    return this.#isContinueHeard;
  }

  /** Sends the head of the file, the headers of the media, and so many pictures. */
  sendPictures(count: number): void {
    if (this.source.sequence === 0) {
      this.#request.write(encodeFlvHeader({ hasAudio: true, hasVideo: true }));
      this.#send(this.source.headers());
    }
    for (let i = 0; i < count; i++) this.#send(this.source.nextPicture());
  }

  sendBytes(bytes: Buffer): void {
    this.#request.write(bytes);
  }

  /** The body ends here. */
  end(): Promise<Answer> {
    this.#request.end();
    return this.answer();
  }

  answer(): Promise<Answer> {
    return within(this.#answer, ANSWER_LIMIT_MS, () => 'no answer to the POST');
  }

  /** Goes away without a word. */
  close(): void {
    this.#request.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #send(frames: readonly StampedFrame[]): void {
    for (const { type, timestampMs, payload } of frames) this.#request.write(encodeFlvTag(type, timestampMs, payload));
  }
}
