/** Asks an HTTP server for one thing after the other, over one connection as long as the server keeps it. */
import { connect, type Socket } from 'node:net';
import { describeError } from '@srs/kernel';
import { MAX_PLAYLIST_BYTES } from './hls-playlist.ts';
import { HttpAnswerReader } from './http-answer-reader.ts';
import { type HttpTarget, requestText } from './http-target.ts';

/** From the request to the last byte of the answer. */
const ANSWER_LIMIT_MS = 30_000;
/** All connections of a process read into this: what is wanted of it has been taken before the next read begins. */
const readBuffer = Buffer.allocUnsafeSlow(256 * 1024);

export interface HttpAnswer {
  /** 0 when there was no answer. */
  readonly status: number;
  readonly statusText: string;
  readonly bodyBytes: number;
  /** Undefined unless it was asked for. */
  readonly body: string | undefined;
  /** Why there is no answer, or only a part of one. */
  readonly fault: string | undefined;
}

export interface HttpConnectionOptions {
  readonly target: HttpTarget;
  /** Hot path. So many bytes have come, heads included. */
  onBytes(length: number): void;
  /** The request has been answered, or will not be. The next one may be made from within. */
  onAnswer(answer: HttpAnswer): void;
}

interface Pending {
  readonly request: string;
  readonly isKept: boolean;
  /** Nothing of the answer has come. */
  isUntouched: boolean;
}

export class HttpConnection {
  readonly #options: HttpConnectionOptions;
  readonly #timer: NodeJS.Timeout;
  #socket: Socket | undefined;
  #reader: HttpAnswerReader;
  #pending: Pending | undefined;
  /** The connection has been used before: the server may have ended it at the moment of this request. */
  #isUsed = false;
  #status = 0;
  #statusText = '';
  #isLast = false;
  #bodyBytes = 0;
  #kept: Buffer[] = [];
  #isClosed = false;

  constructor(options: HttpConnectionOptions) {
    this.#options = options;
    this.#reader = this.#createReader();
    this.#timer = setTimeout(() => this.#onLate(), ANSWER_LIMIT_MS);
  }

  /**
   * Asks; one request at a time.
   * @param isKept the body is wanted, up to the size of a playlist
   */
  get(path: string, isKept: boolean): void {
    if (this.#pending !== undefined) throw new Error('a request is pending');
    this.#pending = { request: requestText(this.#options.target, path), isKept, isUntouched: true };
    this.#timer.refresh();
    this.#send();
  }

  close(): void {
    this.#isClosed = true;
    this.#pending = undefined;
    clearTimeout(this.#timer);
    this.#drop();
  }

  #send(): void {
    this.#status = 0;
    this.#statusText = '';
    this.#bodyBytes = 0;
    this.#kept = [];
    this.#socket ??= this.#connect();
    this.#socket.write(this.#pending!.request, 'latin1');
  }

  #connect(): Socket {
    const { host, port } = this.#options.target;
    this.#reader = this.#createReader();
    this.#isUsed = false;
    const socket: Socket = connect({
      host,
      port,
      noDelay: true,
      onread: { buffer: readBuffer, callback: (length) => this.#onBytes(socket, length) },
    });
    socket.on('error', (error) => this.#onGone(socket, describeError(error)));
    socket.on('end', () => this.#onEnd(socket));
    socket.on('close', () => this.#onGone(socket, 'the server closed the connection'));
    return socket;
  }

  #createReader(): HttpAnswerReader {
    return new HttpAnswerReader({
      onHead: (head) => {
        this.#status = head.status;
        this.#statusText = head.statusText;
        this.#isLast = head.header('connection')?.toLowerCase() === 'close';
      },
      onBody: (bytes, start, end) => {
        this.#bodyBytes += end - start;
        if (this.#pending?.isKept === true && this.#bodyBytes <= MAX_PLAYLIST_BYTES) {
          this.#kept.push(Buffer.from(bytes.subarray(start, end)));
        }
      },
      onEnd: () => this.#onAnswered(),
    });
  }

  /** Hot path. @returns true: reading goes on */
  #onBytes(socket: Socket, length: number): boolean {
    if (socket !== this.#socket) return false;
    this.#options.onBytes(length);
    if (this.#pending === undefined) {
      this.#drop();
      return false;
    }
    this.#pending.isUntouched = false;
    try {
      this.#reader.receive(readBuffer, 0, length);
    } catch (thrown) {
      this.#fail(describeError(thrown));
    }
    return true;
  }

  /** An answer may end with its connection. */
  #onEnd(socket: Socket): void {
    if (socket !== this.#socket) return;
    try {
      this.#reader.end();
    } catch (thrown) {
      this.#fail(describeError(thrown));
    }
  }

  #onGone(socket: Socket, reason: string): void {
    if (socket !== this.#socket) return;
    this.#drop();
    if (this.#pending === undefined) return;
    if (this.#isUsed && this.#pending.isUntouched) this.#send();
    else this.#fail(reason);
  }

  #onAnswered(): void {
    const isWhole = this.#pending?.isKept === true && this.#bodyBytes <= MAX_PLAYLIST_BYTES;
    const body = isWhole ? Buffer.concat(this.#kept).toString('utf8') : undefined;
    const fault = this.#pending?.isKept === true && !isWhole ? `answer has more than ${MAX_PLAYLIST_BYTES} bytes` : undefined;
    this.#isUsed = true;
    if (this.#isLast) this.#drop();
    this.#tell(body, fault);
  }

  #fail(fault: string): void {
    this.#drop();
    this.#tell(undefined, fault);
  }

  #tell(body: string | undefined, fault: string | undefined): void {
    if (this.#pending === undefined || this.#isClosed) return;
    this.#pending = undefined;
    this.#options.onAnswer({ status: this.#status, statusText: this.#statusText, bodyBytes: this.#bodyBytes, body, fault });
  }

  #onLate(): void {
    if (this.#pending !== undefined) this.#fail(`no answer within ${ANSWER_LIMIT_MS} ms`);
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
  }
}
