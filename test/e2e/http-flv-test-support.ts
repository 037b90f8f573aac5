/** Viewers of HTTP-FLV and WebSocket-FLV that check every frame they get. */
import { EventEmitter } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type FlvHeader, FlvReader } from '@srs/flv';
import type { FrameType } from '@srs/kernel';
import { within } from '../support/deadline.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { SequenceChecker } from './stamped-media-test-support.ts';

const WAIT_LIMIT_MS = 15_000;
const HEAD_END = '\r\n\r\n';

export interface FlvViewerOptions {
  readonly isWebSocket?: boolean;
  /** Over TLS, on that port. */
  readonly tlsPort?: number;
  /** Lines for the request, each with its end. */
  readonly headers?: string;
  /** Of the URL, from `?` on. */
  readonly query?: string;
  readonly localAddress?: string;
}

export class FlvViewer {
  readonly checker: SequenceChecker;
  readonly socket: Socket;
  readonly #path: string;
  readonly #events = new EventEmitter<{ change: [] }>();
  readonly #flv: FlvReader;
  readonly #isWebSocket: boolean;
  #bytes: Buffer = Buffer.alloc(0);
  /** Status line and headers, when all of them are here. */
  head = '';
  /** What follows the head of an answer that is no stream. */
  body = '';
  header: FlvHeader | undefined;
  /** Of WebSocket messages that are no media: opcode and payload. */
  readonly controls: { readonly opcode: number; readonly payload: Buffer }[] = [];
  isOpen = true;
  fault: Error | undefined;

  constructor(server: ServerProcess, path: string, options: FlvViewerOptions = {}) {
    this.#path = path;
    this.checker = new SequenceChecker(path);
    this.#isWebSocket = options.isWebSocket === true;
    this.#flv = new FlvReader({
      onHeader: (header) => {
        this.header = header;
      },
      onTag: (type, timestampMs, payload) => this.checker.accept(type as FrameType, timestampMs, payload),
    });
    const { host, httpServerPort } = server.place;
    const target = { host, port: options.tlsPort ?? httpServerPort };
    this.socket =
      options.tlsPort === undefined
        ? connect({ ...target, ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }) })
        : connectTls({ ...target, rejectUnauthorized: false });
    const upgrade = this.#isWebSocket
      ? 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
      : '';
    this.socket.write(
      `GET /${path}.flv${options.query ?? ''} HTTP/1.1\r\nHost: ${host}\r\n${upgrade}${options.headers ?? ''}\r\n`,
    );
    this.socket.on('error', () => {});
    this.socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    this.socket.on('close', () => {
      this.isOpen = false;
      this.#events.emit('change');
    });
  }

  /** Resolves when the server has answered. */
  static async open(server: ServerProcess, path: string, options: FlvViewerOptions = {}): Promise<FlvViewer> {
    const viewer = new FlvViewer(server, path, options);
    await viewer.waitFor('answer', () => viewer.head !== '' || !viewer.isOpen);
    return viewer;
  }

  get status(): number {
    return Number(this.head.split(' ')[1]);
  }

  async waitFor(what: string, probe: () => boolean, limitMs = WAIT_LIMIT_MS): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      if (probe()) resolve();
    };
    this.#events.on('change', look);
    look();
    try {
      await within(
        promise,
        limitMs,
        () => `${this.#path}: no ${what}; ${this.checker.frames} frames, ${this.fault?.message ?? ''}`,
      );
    } finally {
      this.#events.off('change', look);
    }
  }

  /** Waits for so many more frames from now. */
  waitForFrames(count: number, limitMs?: number): Promise<void> {
    const wanted = this.checker.frames + count;
    return this.waitFor(`frame number ${wanted}`, () => this.checker.frames >= wanted, limitMs);
  }

  waitForClose(limitMs?: number): Promise<void> {
    return this.waitFor('end of the connection', () => !this.isOpen, limitMs);
  }

  close(): void {
    this.socket.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #receive(bytes: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    try {
      if (this.head === '') this.#readHead();
      if (this.head !== '') this.#readBody();
    } catch (thrown) {
      this.fault ??= thrown instanceof Error ? thrown : new Error(String(thrown));
      this.close();
    }
    this.#events.emit('change');
  }

  #readHead(): void {
    const end = this.#bytes.indexOf(HEAD_END);
    if (end < 0) return;
    this.head = this.#bytes.toString('latin1', 0, end);
    this.#bytes = this.#bytes.subarray(end + HEAD_END.length);
  }

  #readBody(): void {
    const isStream = this.status === (this.#isWebSocket ? 101 : 200);
    if (!isStream) this.body += this.#bytes.toString();
    else if (this.#isWebSocket) this.#readMessages();
    else this.#flv.receive(this.#bytes);
    if (!isStream || !this.#isWebSocket) this.#bytes = Buffer.alloc(0);
  }

  #readMessages(): void {
    for (;;) {
      const bytes = this.#bytes;
      if (bytes.length < 2) return;
      const code = bytes[1]!;
      const headBytes = code < 126 ? 2 : code === 126 ? 4 : 10;
      if (bytes.length < headBytes) return;
      const length = code < 126 ? code : code === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
      if (bytes.length < headBytes + length) return;
      const payload = bytes.subarray(headBytes, headBytes + length);
      const opcode = bytes[0]! & 0x0f;
      if (bytes[0] === 0x82) this.#flv.receive(payload);
      else this.controls.push({ opcode, payload });
      this.#bytes = bytes.subarray(headBytes + length);
    }
  }
}
