/** An RTMP client whose every byte is the test's choice: for bad input, odd orders and slow peers. */
import { EventEmitter, once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { AmfObject, type AmfValue, amfToJson } from '@srs/amf';
import {
  ChunkReader,
  ClientHandshake,
  type Command,
  chunkStreamIds,
  DEFAULT_CHUNK_SIZE,
  decodeCommand,
  encodeCommand,
  encodeMessage,
  MEDIA_STREAM_ID,
  messageTypes,
  nodeRtmpCrypto,
} from '@srs/rtmp';
import { within } from './deadline.ts';

const WAIT_LIMIT_MS = 5_000;

export interface RawMessage {
  readonly type: number;
  readonly timestampMs: number;
  readonly messageStreamId: number;
  readonly chunkStreamId: number;
  /** A copy; the test may keep it. */
  readonly payload: Buffer;
}

export interface SendOptions {
  readonly timestampMs?: number;
  readonly messageStreamId?: number;
  readonly chunkStreamId?: number;
}

interface RawEvents {
  progress: [];
}

export class RawRtmp {
  /** Of what this side sends. Set it after a Set Chunk Size of the test's own. */
  outChunkSize: number = DEFAULT_CHUNK_SIZE;
  readonly socket: Socket;
  readonly #received: Buffer[] = [];
  readonly #messages: RawMessage[] = [];
  readonly #events = new EventEmitter<RawEvents>();
  #handshake: ClientHandshake | undefined;
  #reader: ChunkReader | undefined;
  #transactionId = 0;
  #isEndReceived = false;
  #fault: Error | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes) => {
      this.#receive(bytes);
      this.#events.emit('progress');
    });
    socket.on('end', () => {
      this.#isEndReceived = true;
      this.#events.emit('progress');
    });
    // A reset is one of the ends that tests wait for; `close` follows.
    socket.on('error', () => {});
    socket.on('close', () => this.#events.emit('progress'));
  }

  /** Connects, and sends nothing. @param localAddress the own address, such as 127.0.0.2 */
  static async connect(port: number, host = '127.0.0.1', localAddress?: string): Promise<RawRtmp> {
    const socket = connect({ port, host, allowHalfOpen: true, ...(localAddress === undefined ? {} : { localAddress }) });
    const client = new RawRtmp(socket);
    await once(socket, 'connect');
    return client;
  }

  /** All bytes the server has sent. */
  get received(): Buffer {
    return Buffer.concat(this.#received);
  }

  /** All messages the server has sent since the handshake, in order. */
  get messages(): readonly RawMessage[] {
    return this.#messages;
  }

  /** Those of them that are commands. */
  get commands(): Command[] {
    return this.#messages.flatMap((message) => commandOf(message) ?? []);
  }

  /** The server has neither ended nor reset the connection. */
  get isOpen(): boolean {
    return !this.#isEndReceived && !this.socket.destroyed;
  }

  /** Sends bytes as they are; what a closed connection no longer takes is dropped. */
  send(bytes: Uint8Array): void {
    if (!this.socket.destroyed && this.socket.writable) this.socket.write(bytes);
  }

  /** Sends bytes in pieces, with a pause after each; stops when the server closes. */
  async sendSlowly(bytes: Uint8Array, pieceBytes: number, pauseMs: number): Promise<void> {
    for (let at = 0; at < bytes.length && this.isOpen; at += pieceBytes) {
      this.send(bytes.subarray(at, at + pieceBytes));
      await delay(pauseMs);
    }
  }

  /** Shakes hands as a proper client. */
  async handshake(kind: 'simple' | 'complex' = 'simple'): Promise<void> {
    this.#handshake = new ClientHandshake({
      kind,
      crypto: nodeRtmpCrypto,
      unixSeconds: () => Math.floor(Date.now() / 1000),
      send: (bytes) => this.send(bytes),
    });
    this.#handshake.start();
    await this.#until(() => (this.#handshake === undefined ? true : undefined), 'handshake');
  }

  /** Sends one message, on the chunk stream 3 and message stream 0 unless told. */
  sendMessage(type: number, payload: Uint8Array, options: SendOptions = {}): void {
    const { timestampMs = 0, messageStreamId = 0, chunkStreamId = chunkStreamIds.command } = options;
    this.send(encodeMessage(chunkStreamId, type, timestampMs, messageStreamId, payload, this.outChunkSize));
  }

  /** Sends a command with the next transaction id, and returns that id. */
  sendCommand(name: string, object: AmfValue = null, args: readonly AmfValue[] = [], options: SendOptions = {}): number {
    const transactionId = ++this.#transactionId;
    this.sendMessage(messageTypes.amf0Command, encodeCommand(name, transactionId, object, ...args), options);
    return transactionId;
  }

  /** Announces another chunk size and uses it from now on. */
  setChunkSize(chunkSize: number): void {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(chunkSize);
    this.sendMessage(messageTypes.setChunkSize, payload, { chunkStreamId: chunkStreamIds.control });
    this.outChunkSize = chunkSize;
  }

  /** Handshake and connect; resolves with the server's `_result` or `_error`. */
  async connectApp(app: string, properties: Readonly<Record<string, AmfValue>> = {}): Promise<Command> {
    await this.handshake();
    const tcUrl = `rtmp://${this.socket.remoteAddress}:${this.socket.remotePort}/${app}`;
    const id = this.sendCommand('connect', AmfObject.object({ app, tcUrl, flashVer: 'raw', ...properties }));
    return await this.waitForAnswer(id);
  }

  /** createStream and publish, after `connectApp`; resolves with the first onStatus. */
  async publish(streamName: AmfValue, args: readonly AmfValue[] = ['live']): Promise<Command> {
    return await this.#startStream('publish', [streamName, ...args]);
  }

  /** createStream and play, after `connectApp`; resolves with the first onStatus. */
  async play(streamName: AmfValue, args: readonly AmfValue[] = []): Promise<Command> {
    return await this.#startStream('play', [streamName, ...args]);
  }

  /** Sends an FLV tag body on the stream that is being published. */
  sendFrame(type: number, timestampMs: number, payload: Uint8Array): void {
    const chunkStreamId = type === messageTypes.audio ? chunkStreamIds.audio : chunkStreamIds.video;
    this.sendMessage(type, payload, { timestampMs, chunkStreamId, messageStreamId: MEDIA_STREAM_ID });
  }

  /** The first message that fits, among those already received (from number `from` on) or still to come. */
  async waitForMessage(
    fits: (message: RawMessage) => boolean,
    options: { readonly from?: number; readonly limitMs?: number } = {},
  ): Promise<RawMessage> {
    return await this.#until(() => this.#messages.slice(options.from ?? 0).find(fits), 'message', options.limitMs);
  }

  async waitForCommand(name: string, options: { readonly from?: number; readonly limitMs?: number } = {}): Promise<Command> {
    const find = () => this.commands.slice(options.from ?? 0).find((command) => command.name === name);
    return await this.#until(find, `command ${name}`, options.limitMs);
  }

  /** The `_result` or `_error` of a transaction. */
  async waitForAnswer(transactionId: number, limitMs?: number): Promise<Command> {
    const isAnswer = (command: Command) => /^_(result|error)$/.test(command.name) && command.transactionId === transactionId;
    return await this.#until(() => this.commands.find(isAnswer), `answer to transaction ${transactionId}`, limitMs);
  }

  /** Resolves once the server has ended or reset the connection. */
  async waitForClose(limitMs: number = WAIT_LIMIT_MS): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => {
      if (!this.isOpen) resolve();
    };
    this.#events.on('progress', look);
    look();
    try {
      await within(promise, limitMs, () => `the server did not close the connection; it sent ${this.#describeReceived()}`);
    } finally {
      this.#events.off('progress', look);
    }
  }

  /** Goes away without a word. */
  close(): void {
    this.socket.destroy();
  }

  /** Goes away with a reset. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #startStream(name: 'publish' | 'play', args: readonly AmfValue[]): Promise<Command> {
    await this.waitForAnswer(this.sendCommand('createStream'));
    const known = this.commands.filter((command) => command.name === 'onStatus').length;
    this.sendCommand(name, null, args, { messageStreamId: MEDIA_STREAM_ID });
    const next = () => this.commands.filter((command) => command.name === 'onStatus')[known];
    return await this.#until(next, `onStatus after ${name}`);
  }

  #receive(bytes: Buffer): void {
    this.#received.push(bytes);
    try {
      let rest: Buffer | undefined = bytes;
      if (this.#handshake !== undefined) {
        rest = this.#handshake.receive(bytes);
        if (rest === undefined) return;
        this.#handshake = undefined;
        this.#reader = new ChunkReader({
          onMessage: (type, timestampMs, messageStreamId, chunkStreamId, payload) => {
            this.#messages.push({ type, timestampMs, messageStreamId, chunkStreamId, payload: Buffer.from(payload) });
          },
        });
      }
      this.#reader?.receive(rest);
    } catch (thrown) {
      // Whoever waits is told; nothing the server sends may break the test's own process.
      this.#fault ??= thrown instanceof Error ? thrown : new Error(String(thrown));
      this.#reader = undefined;
    }
  }

  /** Asks again whenever the server has sent something, until it closes or the time is up. */
  async #until<T>(probe: () => T | undefined, what: string, limitMs: number = WAIT_LIMIT_MS): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const look = () => {
      const value = probe();
      if (value !== undefined) resolve(value);
      else if (this.#fault !== undefined)
        reject(new Error(`the server sent what is not RTMP: ${this.#fault.message}`, { cause: this.#fault }));
      else if (!this.isOpen) reject(new Error(`the server closed without ${what}; it sent ${this.#describeReceived()}`));
    };
    this.#events.on('progress', look);
    look();
    try {
      return await within(promise, limitMs, () => `no ${what} from the server; it sent ${this.#describeReceived()}`);
    } finally {
      this.#events.off('progress', look);
    }
  }

  #describeReceived(): string {
    if (this.#messages.length === 0) return `${this.#received.reduce((sum, bytes) => sum + bytes.length, 0)} bytes`;
    const texts = this.#messages.map((message) => {
      const command = commandOf(message);
      return command === undefined
        ? `type ${message.type}`
        : `${command.name}(${command.args.map((arg) => JSON.stringify(amfToJson(arg))).join(', ')})`;
    });
    return texts.join('; ');
  }
}

function commandOf(message: RawMessage): Command | undefined {
  if (message.type !== messageTypes.amf0Command && message.type !== messageTypes.amf3Command) return undefined;
  return decodeCommand(message.type, message.payload);
}
