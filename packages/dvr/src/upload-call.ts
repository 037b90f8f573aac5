/** One HTTP request whose body is streamed, from its first byte to the last of its answer. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { systemErrorCode } from '@srs/kernel';
import type { StoreAnswer } from './upload-answer.ts';

/** What matters of an answer is in its first lines. */
const MAX_ANSWER_BYTES = 64 * 1024;

export class StoreCall {
  readonly #open: () => ClientRequest;
  readonly #idleMs: number;

  /** @param idleMs nothing is sent and nothing comes for so long at most, the way to the connection included */
  constructor(open: () => ClientRequest, idleMs: number) {
    this.#open = open;
    this.#idleMs = idleMs;
  }

  /**
   * @param pieces the body, whose length the headers tell; each piece has gone before the next is asked for
   * @throws the system's error, that of `pieces`, or one that says what was wrong with the answer
   */
  async answer(pieces: (() => AsyncIterable<Buffer>) | undefined): Promise<StoreAnswer> {
    const request = this.#open();
    try {
      return await this.#send(request, pieces);
    } catch (error) {
      // A connection that was kept has ended in the moment in which it was used: that says nothing about the request.
      const code = systemErrorCode(error);
      if (request.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE')) return await this.#send(this.#open(), pieces);
      throw error;
    }
  }

  async #send(request: ClientRequest, pieces: (() => AsyncIterable<Buffer>) | undefined): Promise<StoreAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    request.once('response', resolve);
    request.on('error', (error: AggregateError) => reject(error.errors?.[0] ?? error));
    request.setTimeout(this.#idleMs, () => request.destroy(new Error(`nothing has moved for ${this.#idleMs / 1000} s`)));
    sendAll(request, pieces).catch(reject);
    try {
      return await read(await promise);
    } finally {
      // A store that refuses early need not get the rest.
      if (!request.writableFinished) request.destroy();
    }
  }
}

async function sendAll(request: ClientRequest, pieces: (() => AsyncIterable<Buffer>) | undefined): Promise<void> {
  for await (const piece of pieces?.() ?? []) {
    await new Promise<void>((resolve, reject) => {
      request.write(piece, (error) => (error ? reject(error) : resolve()));
    });
  }
  request.end();
}

async function read(response: IncomingMessage): Promise<StoreAnswer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_ANSWER_BYTES) throw new Error(`its answer has more than ${MAX_ANSWER_BYTES} bytes`);
    parts.push(part);
  }
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts).toString() };
}
