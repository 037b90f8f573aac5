/**
 * Answers requests of a connection that are asked for thousands of times a second, playlists and segments, from bytes that are ready,
 * past the machinery of an HTTP server; everything else is left to that.
 *
 * The HTTP server reads a connection by a listener for its bytes. This one stands in its place and passes on what it does not
 * answer itself, one whole request at a time: so the parser behind it is always between two requests when it is left out. The
 * first request of a connection always goes there, since the server counts the time that a peer takes for it. Whatever is not
 * exactly one request without a body (several at once, a part of one, another protocol) gives the connection back for good.
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { KEEP_ALIVE_SECONDS, type QuickAnswer } from './quick-answer.ts';
import { QuickHeadReader, type QuickRequest } from './quick-head.ts';

export interface QuickService {
  /**
   * @param socket of the client
   * @returns undefined when the request is to be served as any other, also after a while
   */
  answer(request: QuickRequest, socket: Socket): QuickAnswer | Promise<QuickAnswer | undefined> | undefined;
}

/** A client that takes nothing of an answer for so long is let go. */
const STALL_MS = 60_000;
/** As the HTTP server has it: a moment more than what the client is told. */
const IDLE_MS = KEEP_ALIVE_SECONDS * 1000 + 1000;

type OnData = (bytes: Buffer) => void;

/** The connections of one listener. */
export class QuickConnections {
  readonly service: QuickService;
  readonly stallMs: number;
  #isClosing = false;
  readonly #connections = new Map<Socket, QuickConnection>();
  #onSettled: (() => void) | undefined;

  constructor(service: QuickService, stallMs = STALL_MS) {
    this.service = service;
    this.stallMs = stallMs;
  }

  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** @param socket which an HTTP server has just begun to read */
  take(socket: Socket): void {
    const [listener, ...others] = socket.listeners('data');
    // A server that reads in another way keeps what it has.
    if (this.#isClosing || listener === undefined || others.length > 0) return;
    this.#connections.set(socket, new QuickConnection(socket, listener as OnData, this));
    socket.once('close', () => this.#forget(socket));
  }

  /** The HTTP server has begun to serve a request of the connection. */
  onRequest(socket: Socket, response: ServerResponse): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return;
    connection.begin();
    response.once('close', () => connection.end());
  }

  /** From here on requests are left to the HTTP server. Resolves when those that were not are answered; their connections end then. */
  async close(): Promise<void> {
    this.#isClosing = true;
    if (!this.#isBusy) return;
    await new Promise<void>((resolve) => {
      this.#onSettled = resolve;
    });
  }

  /** One of them has answered, or left. */
  onIdle(): void {
    if (this.#onSettled !== undefined && !this.#isBusy) this.#onSettled();
  }

  get #isBusy(): boolean {
    for (const { isBusy } of this.#connections.values()) if (isBusy) return true;
    return false;
  }

  #forget(socket: Socket): void {
    this.#connections.delete(socket);
    this.onIdle();
  }
}

class QuickConnection {
  readonly #socket: Socket;
  readonly #pass: OnData;
  readonly #all: QuickConnections;
  readonly #reader = new QuickHeadReader();
  readonly #onData: OnData;
  readonly #onWritten: () => void;
  /** The HTTP server has served the first request. */
  #isOpen = false;
  /** Requests that the HTTP server has not answered yet. */
  #underWay = 0;
  /** An answer is being looked for, or has not left yet. */
  #isBusy = false;
  #isSlow = false;
  #isGivenBack = false;
  /** What came in the meantime. */
  #held: Buffer | undefined;

  constructor(socket: Socket, pass: OnData, all: QuickConnections) {
    this.#socket = socket;
    this.#pass = pass;
    this.#all = all;
    this.#onData = (bytes) => this.#receive(bytes);
    this.#onWritten = () => this.#settle();
    socket.on('data', this.#onData);
    socket.removeListener('data', pass);
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  begin(): void {
    this.#underWay += 1;
  }

  end(): void {
    this.#underWay -= 1;
    this.#isOpen = true;
  }

  #receive(bytes: Buffer): void {
    if (this.#isBusy) {
      this.#held = this.#held === undefined ? bytes : Buffer.concat([this.#held, bytes]);
      this.#socket.pause();
      return;
    }
    const request = this.#underWay > 0 ? undefined : this.#reader.read(bytes);
    if (request === undefined) {
      this.#giveBack(bytes);
      return;
    }
    const answer = this.#isOpen && !this.#all.isClosing ? this.#ask(request) : undefined;
    if (answer === undefined) this.#passOn(bytes);
    else if (answer instanceof Promise) {
      this.#isBusy = true;
      const onAnswer = (found: QuickAnswer | undefined): void => this.#onAnswer(found, bytes);
      answer.then(onAnswer, () => onAnswer(undefined));
    } else this.#send(answer);
  }

  /** What goes wrong goes wrong once more where it is served as any other request, and is told there. */
  #ask(request: QuickRequest): ReturnType<QuickService['answer']> {
    try {
      return this.#all.service.answer(request, this.#socket);
    } catch {
      return undefined;
    }
  }

  #onAnswer(answer: QuickAnswer | undefined, bytes: Buffer): void {
    if (this.#socket.destroyed) return;
    if (answer !== undefined) {
      this.#send(answer);
      return;
    }
    this.#isBusy = false;
    this.#passOn(bytes);
    this.#goOn();
    this.#all.onIdle();
  }

  /** Hot path: one system call for an answer that is ready. */
  #send({ bytes, more }: QuickAnswer): void {
    const socket = this.#socket;
    // It has said that it ends, and the HTTP server ends it too.
    if (!socket.writable) return;
    this.#isBusy = true;
    if (more === undefined) socket.write(bytes, this.#onWritten);
    else {
      socket.cork();
      socket.write(bytes);
      socket.write(more, this.#onWritten);
      socket.uncork();
    }
    if (socket.writableLength === 0) return;
    this.#isSlow = true;
    socket.setTimeout(this.#all.stallMs);
  }

  /** The answer has left. */
  #settle(): void {
    if (this.#socket.destroyed) return;
    if (this.#isSlow) this.#socket.setTimeout(IDLE_MS);
    this.#isSlow = false;
    this.#isBusy = false;
    if (this.#all.isClosing) {
      this.#socket.end();
      this.#all.onIdle();
    } else this.#goOn();
  }

  #goOn(): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    this.#socket.resume();
    if (this.#isGivenBack) this.#pass.call(this.#socket, held);
    else this.#receive(held);
  }

  /** One whole request, for the HTTP server. */
  #passOn(bytes: Buffer): void {
    this.#pass.call(this.#socket, bytes);
    // It was no request to the server.
    if (this.#underWay === 0) this.#giveBack();
  }

  #giveBack(bytes?: Buffer): void {
    this.#isGivenBack = true;
    this.#socket.on('data', this.#pass);
    this.#socket.removeListener('data', this.#onData);
    if (bytes !== undefined) this.#pass.call(this.#socket, bytes);
  }
}
