/** Takes a body of `Transfer-Encoding: chunked` out of its chunks (RFC 9112, 7.1). */
import { SrsError } from '@srs/kernel';

/*
 *   size in hexadecimal digits [;extension] CR LF   data   CR LF   ...   0 CR LF   [trailer CR LF ...]   CR LF
 */

/** Of a size with its extension, or of a line of the trailer. */
const MAX_LINE_BYTES = 4096;
const MAX_CHUNK_BYTES = 2 ** 31 - 1;
const LINE_FEED = 0x0a;

type State = 'size' | 'data' | 'data end' | 'trailer' | 'complete';

export class ChunkedBody {
  readonly #onBody: (bytes: Buffer, start: number, end: number) => void;
  #state: State = 'size';
  /** Of the present line, without its line feed. */
  #line = '';
  #dataBytesLeft = 0;

  /** @param onBody a part of the body, valid during the call only */
  constructor(onBody: (bytes: Buffer, start: number, end: number) => void) {
    this.#onBody = onBody;
  }

  get isComplete(): boolean {
    return this.#state === 'complete';
  }

  /**
   * Takes the bytes `bytes[start .. end - 1]`, up to the end of the body.
   *
   * @returns where those stand that follow the body; `end` before that
   * @throws SrsError HttpAnswer when these are no chunks
   */
  receive(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && this.#state !== 'complete') {
      at = this.#state === 'data' ? this.#readData(bytes, at, end) : this.#readLine(bytes, at, end);
    }
    return at;
  }

  /** Hot path. */
  #readData(bytes: Buffer, at: number, end: number): number {
    const next = Math.min(end, at + this.#dataBytesLeft);
    this.#dataBytesLeft -= next - at;
    if (this.#dataBytesLeft === 0) this.#state = 'data end';
    this.#onBody(bytes, at, next);
    return next;
  }

  #readLine(bytes: Buffer, at: number, end: number): number {
    const found = bytes.indexOf(LINE_FEED, at);
    const isWhole = found >= 0 && found < end;
    const next = isWhole ? found : end;
    if (this.#line.length + next - at > MAX_LINE_BYTES) {
      throw new SrsError('HttpAnswer', `line of a chunked answer must have at most ${MAX_LINE_BYTES} bytes`);
    }
    this.#line += bytes.toString('latin1', at, next);
    if (!isWhole) return end;
    const line = this.#line.endsWith('\r') ? this.#line.slice(0, -1) : this.#line;
    this.#line = '';
    this.#onLine(line);
    return found + 1;
  }

  #onLine(line: string): void {
    switch (this.#state) {
      case 'size':
        this.#onSize(line);
        return;
      case 'data end':
        if (line !== '') throw new SrsError('HttpAnswer', 'chunk of an answer is longer than its size says');
        this.#state = 'size';
        return;
      case 'trailer':
        if (line === '') this.#state = 'complete';
        return;
      case 'data':
      case 'complete':
    }
  }

  #onSize(line: string): void {
    const [, digits] = /^([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?$/.exec(line) ?? [];
    const size = Number.parseInt(digits ?? '', 16);
    if (digits === undefined || size > MAX_CHUNK_BYTES) {
      throw new SrsError('HttpAnswer', `chunk size ${JSON.stringify(line)} of an answer must be in 0..7fffffff`);
    }
    this.#dataBytesLeft = size;
    this.#state = size === 0 ? 'trailer' : 'data';
  }
}
