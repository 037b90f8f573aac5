/** Reads the answers of an HTTP server on one connection (RFC 9112), as light as a load tester needs it. */
import { SrsError } from '@srs/kernel';
import { ChunkedBody } from './chunked-body.ts';

/** Of status line and headers together. */
const MAX_HEAD_BYTES = 16 * 1024;
const HEAD_END = Buffer.from('\r\n\r\n');
const NO_BYTES: Buffer = Buffer.alloc(0);
const SWITCHING_PROTOCOLS = 101;
const NO_CONTENT = 204;
const NOT_MODIFIED = 304;

/** Status line and headers of an answer. */
export class AnswerHead {
  readonly status: number;
  /** The status with what the server calls it: `404 Not Found`. */
  readonly statusText: string;
  readonly #text: string;
  #lowerCase: string | undefined;

  /** @throws SrsError HttpAnswer when this is no answer of HTTP/1.x */
  constructor(text: string) {
    const [, statusText = '', status = ''] = /^HTTP\/1\.\d ((\d{3})[^\r\n]*)/.exec(text) ?? [];
    if (status === '') throw new SrsError('HttpAnswer', `answer ${JSON.stringify(text.slice(0, 40))} must begin with HTTP/1.x`);
    this.status = Number(status);
    this.statusText = statusText.trim();
    this.#text = text;
  }

  /** @param name in lower case @returns its first value; undefined when it is not there */
  header(name: string): string | undefined {
    this.#lowerCase ??= this.#text.toLowerCase();
    const at = this.#lowerCase.indexOf(`\r\n${name}:`);
    if (at < 0) return undefined;
    const start = at + name.length + 3;
    const end = this.#text.indexOf('\r\n', start);
    return this.#text.slice(start, end < 0 ? undefined : end).trim();
  }
}

export interface AnswerHandler {
  onHead(head: AnswerHead): void;
  /** Hot path. A part of the body stands in `bytes[start .. end - 1]`; valid during the call only. */
  onBody(bytes: Buffer, start: number, end: number): void;
  /** The answer is complete. */
  onEnd(): void;
}

type State = 'head' | 'counted' | 'chunked' | 'endless';

export class HttpAnswerReader {
  readonly #handler: AnswerHandler;
  #state: State = 'head';
  #carried = NO_BYTES;
  #bodyBytesLeft = 0;
  #bodyBytes = 0;
  #chunked: ChunkedBody | undefined;

  constructor(handler: AnswerHandler) {
    this.#handler = handler;
  }

  /** Whether the next byte begins an answer. */
  get isBetweenAnswers(): boolean {
    return this.#state === 'head' && this.#carried.length === 0;
  }

  /**
   * Takes the bytes `bytes[start .. end - 1]`; they are not kept.
   *
   * @throws SrsError HttpAnswer for what is no answer, and whatever the handler throws; the reader must not be used again then
   */
  receive(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end) at = this.#read(bytes, at, end);
  }

  /**
   * Nothing more will come.
   * @throws SrsError HttpAnswer when an answer is cut
   */
  end(): void {
    if (this.#state === 'endless') {
      this.#state = 'head';
      this.#handler.onEnd();
    } else if (!this.isBetweenAnswers) {
      const missing = this.#state === 'counted' ? ` of ${this.#bodyBytes + this.#bodyBytesLeft}` : '';
      throw new SrsError('HttpAnswer', `answer was cut after ${this.#bodyBytes}${missing} bytes of its body`);
    }
  }

  /** Hot path. */
  #read(bytes: Buffer, at: number, end: number): number {
    switch (this.#state) {
      case 'head':
        return this.#readHead(bytes, at, end);
      case 'counted':
        return this.#readCounted(bytes, at, end);
      case 'chunked':
        return this.#readChunked(bytes, at, end);
      case 'endless':
        this.#deliver(bytes, at, end);
        return end;
    }
  }

  #readHead(bytes: Buffer, at: number, end: number): number {
    const carriedBytes = this.#carried.length;
    const piece = bytes.subarray(at, end);
    const joined = carriedBytes === 0 ? piece : Buffer.concat([this.#carried, piece]);
    const found = joined.indexOf(HEAD_END);
    const headBytes = found < 0 ? joined.length : found + HEAD_END.length;
    if (headBytes > MAX_HEAD_BYTES) {
      throw new SrsError('HttpAnswer', `head of an answer must have at most ${MAX_HEAD_BYTES} bytes`);
    }
    if (found < 0) {
      this.#carried = carriedBytes === 0 ? Buffer.from(piece) : joined;
      return end;
    }
    this.#carried = NO_BYTES;
    this.#onHead(new AnswerHead(joined.toString('latin1', 0, found)));
    return at + headBytes - carriedBytes;
  }

  /** How long the body is: RFC 9112, 6.3. */
  #onHead(head: AnswerHead): void {
    const { status } = head;
    // Such as 103 Early Hints: the answer itself is still to come.
    if (status < 200 && status !== SWITCHING_PROTOCOLS) return;
    this.#bodyBytes = 0;
    const length = head.header('content-length');
    if (status === NO_CONTENT || status === NOT_MODIFIED) {
      this.#expect(0);
    } else if (status === SWITCHING_PROTOCOLS) {
      this.#state = 'endless';
    } else if (head.header('transfer-encoding')?.toLowerCase() === 'chunked') {
      this.#chunked = new ChunkedBody((bytes, start, end) => this.#deliver(bytes, start, end));
      this.#state = 'chunked';
    } else if (length === undefined) {
      this.#state = 'endless';
    } else {
      this.#expect(lengthOf(length));
    }
    this.#handler.onHead(head);
    if (this.#state === 'head') this.#handler.onEnd();
  }

  #expect(bodyBytes: number): void {
    this.#bodyBytesLeft = bodyBytes;
    this.#state = bodyBytes === 0 ? 'head' : 'counted';
  }

  /** Hot path. */
  #readCounted(bytes: Buffer, at: number, end: number): number {
    const next = Math.min(end, at + this.#bodyBytesLeft);
    this.#bodyBytesLeft -= next - at;
    if (this.#bodyBytesLeft === 0) this.#state = 'head';
    this.#deliver(bytes, at, next);
    if (this.#bodyBytesLeft === 0) this.#handler.onEnd();
    return next;
  }

  #readChunked(bytes: Buffer, at: number, end: number): number {
    const chunked = this.#chunked!;
    const next = chunked.receive(bytes, at, end);
    if (chunked.isComplete) {
      this.#state = 'head';
      this.#chunked = undefined;
      this.#handler.onEnd();
    }
    return next;
  }

  /** Hot path. */
  #deliver(bytes: Buffer, start: number, end: number): void {
    this.#bodyBytes += end - start;
    this.#handler.onBody(bytes, start, end);
  }
}

function lengthOf(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new SrsError('HttpAnswer', `Content-Length ${JSON.stringify(text)} of an answer must be a number`);
}
