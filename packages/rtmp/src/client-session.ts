/** The client's side of one RTMP connection: plays or publishes one stream. */
import { AmfObject, type AmfValue, encodeAmf0 } from '@srs/amf';
import { type FrameType, SrsError } from '@srs/kernel';
import { splitAggregate, withoutFormatByte } from './aggregate.ts';
import { encodeMessage } from './chunk-writer.ts';
import type { ClientSessionHandler, ClientSessionOptions, ClientSessionPhase, ReceivedStatus } from './client-session-handler.ts';
import { encodeConnect, readPeerIdentity } from './command-connect.ts';
import { type Command, decodeCommand, encodeCommand, typeOf } from './command-message.ts';
import { readRedirect, statusCodes } from './command-stream.ts';
import { encodeUint32Payload } from './control-message.ts';
import { ClientHandshake } from './handshake.ts';
import { checkOutChunkSize, MessageChannel } from './message-channel.ts';
import { connectionCommand, controlMessage, type OutMessage, userControlMessage } from './message-out.ts';
import {
  CONNECTION_STREAM_ID,
  chunkStreamIds,
  DEFAULT_OUT_CHUNK_SIZE,
  messageTypes,
  userControlEvents,
} from './message-types.ts';

const CONNECT_TRANSACTION_ID = 1;
const DEFAULT_BUFFER_LENGTH_MS = 1000;
const LIVE_OR_RECORDED = -2;
const NO_END = -1;

/** Data messages that concern the playing, not the stream. */
const protocolDataNames = ['|RtmpSampleAccess', 'onStatus', 'onPlayStatus'].map((name) => encodeAmf0(name));

/**
 * One connection to a server. It owns no socket and no timer: call `start` when the socket is connected, feed it with `receive`,
 * write what `onSend` gives, and give up yourself when nothing happens for too long.
 */
export class ClientSession {
  readonly #handler: ClientSessionHandler;
  readonly #options: ClientSessionOptions;
  readonly #chunkSize: number;
  readonly #channel: MessageChannel;
  #handshake: ClientHandshake | undefined;
  #phase: ClientSessionPhase = 'idle';
  #nextTransactionId = CONNECT_TRANSACTION_ID + 1;
  #createTransactionId = 0;
  #streamId = 0;

  constructor(handler: ClientSessionHandler, options: ClientSessionOptions) {
    this.#handler = handler;
    this.#options = options;
    this.#chunkSize = checkOutChunkSize(options.chunkSize ?? DEFAULT_OUT_CHUNK_SIZE);
    this.#handshake = new ClientHandshake({
      crypto: options.crypto,
      unixSeconds: options.unixSeconds,
      send: (bytes) => handler.onSend(bytes),
      kind: options.handshake ?? 'complex',
    });
    this.#channel = new MessageChannel({
      limits: options.limits,
      windowAckSize: options.windowAckSize,
      onSend: (bytes) => handler.onSend(bytes),
      onMessage: (type, timestampMs, _messageStreamId, payload) => this.#onMessage(type, timestampMs, payload),
      onUserControl: (event, value) => handler.onUserControl?.(event, value),
      onWarning: (text) => handler.onWarning?.(text),
    });
  }

  get phase(): ClientSessionPhase {
    return this.#phase;
  }

  /** All bytes of the server so far, its handshake included once that is complete. */
  get bytesReceived(): number {
    return this.#handshake === undefined ? this.#channel.bytesReceived : 0;
  }

  /** Sends the first bytes. */
  start(): void {
    if (this.#phase !== 'idle') throw new Error('a client session starts once');
    this.#phase = 'handshake';
    this.#handshake?.start();
  }

  /**
   * Takes bytes of the server; they are not kept beyond the call.
   * @throws SrsError for broken protocol. The session is closed then.
   */
  receive(bytes: Buffer): void {
    if (this.#phase === 'closed') return;
    try {
      const rest = this.#handshake === undefined ? bytes : this.#shakeHands(this.#handshake, bytes);
      if (rest !== undefined && rest.length > 0) this.#channel.receive(rest);
    } catch (thrown) {
      this.#end();
      throw thrown;
    }
  }

  /**
   * One audio, video or data message in chunks, on the chunk stream of its kind.
   * @param timestampMs 0..2^31-1
   * @throws Error before the server has started the publish
   */
  encodeFrame(type: FrameType, timestampMs: number, payload: Uint8Array): Buffer {
    if (this.#phase !== 'ready' || this.#options.role !== 'publish') {
      throw new Error(`no frame may be sent in phase ${this.#phase} of role ${this.#options.role}`);
    }
    return encodeMessage(chunkStreamOf(type), type, timestampMs, this.#streamId, payload, this.#channel.outChunkSize);
  }

  /** Sends what `encodeFrame` gives. */
  sendFrame(type: FrameType, timestampMs: number, payload: Uint8Array): void {
    this.#handler.onSend(this.encodeFrame(type, timestampMs, payload));
  }

  /** Asks the server to pause or go on playing. @param timestampMs the last time played */
  pause(isPaused: boolean, timestampMs = 0): void {
    if (this.#phase === 'ready') this.#channel.send(this.#streamCommand('pause', isPaused, timestampMs));
  }

  /** Sends a command of the connection that wants no answer, such as those of the bandwidth test. */
  sendCommand(name: string, ...args: readonly AmfValue[]): void {
    if (this.#phase === 'idle' || this.#phase === 'handshake') return;
    this.#channel.send({
      chunkStreamId: chunkStreamIds.status,
      type: messageTypes.amf0Command,
      messageStreamId: CONNECTION_STREAM_ID,
      payload: encodeCommand(name, 0, null, ...args),
    });
  }

  /** Says goodbye as far as the session has come; nothing is delivered or sent any more. Close the connection then. */
  close(): void {
    if (this.#streamId !== 0) {
      this.#channel.send(
        ...(this.#isFmle ? [connectionCommand('FCUnpublish', this.#nextTransactionId++, null, this.#streamName)] : []),
        connectionCommand('deleteStream', 0, null, this.#streamId),
      );
    }
    this.#end();
  }

  get #isFmle(): boolean {
    return this.#options.role === 'publish' && this.#options.publishStyle !== 'flash';
  }

  get #streamName(): string {
    return this.#options.streamName ?? '';
  }

  #end(): void {
    this.#phase = 'closed';
    this.#channel.close();
  }

  #shakeHands(handshake: ClientHandshake, bytes: Buffer): Buffer | undefined {
    const rest = handshake.receive(bytes);
    if (rest === undefined) return undefined;
    this.#handshake = undefined;
    this.#phase = 'connect';
    this.#channel.send(
      {
        chunkStreamId: chunkStreamIds.command,
        type: messageTypes.amf0Command,
        messageStreamId: CONNECTION_STREAM_ID,
        payload: encodeConnect(CONNECT_TRANSACTION_ID, this.#options),
      },
      controlMessage(messageTypes.windowAckSize, encodeUint32Payload(this.#channel.windowAckSize)),
    );
    return rest;
  }

  /** Hot path: media goes through here and one call further. */
  #onMessage(type: number, timestampMs: number, payload: Buffer): void {
    switch (type) {
      case messageTypes.audio:
      case messageTypes.video:
        this.#onMedia(type, timestampMs, payload);
        break;
      case messageTypes.amf0Data:
        this.#onData(timestampMs, payload);
        break;
      case messageTypes.amf3Data:
        this.#onData(timestampMs, withoutFormatByte(payload));
        break;
      case messageTypes.aggregate:
        splitAggregate(payload, timestampMs, (partType, partTimestampMs, part) => {
          if (partType === messageTypes.amf0Data) this.#onData(partTimestampMs, part);
          else this.#onMedia(partType, partTimestampMs, part);
        });
        break;
      case messageTypes.amf0Command:
      case messageTypes.amf3Command:
        if (this.#phase !== 'closed') this.#onCommand(decodeCommand(type, payload));
        break;
      default:
        break;
    }
  }

  #onData(timestampMs: number, payload: Buffer): void {
    if (payload.length === 0 || protocolDataNames.some((name) => startsWith(payload, name))) return;
    this.#onMedia(messageTypes.amf0Data, timestampMs, payload);
  }

  #onMedia(type: FrameType, timestampMs: number, payload: Buffer): void {
    if (this.#options.role !== 'play') return;
    // Some servers send media without a word before it.
    if (this.#phase === 'start') this.#becomeReady();
    if (this.#phase === 'ready') this.#handler.onMedia?.(type, timestampMs, payload);
  }

  #onCommand(command: Command): void {
    switch (command.name) {
      case '_result':
        this.#onResult(command);
        break;
      case '_error':
        this.#onError(command);
        break;
      case 'onStatus':
        this.#onStatus(readStatus(command));
        break;
      default:
        this.#handler.onCommand?.(command);
        break;
    }
  }

  /** Results are told apart by what is waited for; nginx-rtmp answers with transaction 0. */
  #onResult(command: Command): void {
    const { transactionId } = command;
    const value = command.args[0];
    if (this.#phase === 'connect' && (transactionId === CONNECT_TRANSACTION_ID || transactionId === 0)) {
      this.#onConnectResult(command);
    } else if (
      this.#phase === 'create-stream' &&
      (transactionId === this.#createTransactionId || (transactionId === 0 && typeof value === 'number'))
    ) {
      this.#onStreamCreated(value);
    }
  }

  #onConnectResult(command: Command): void {
    const status = readStatus(command);
    if (status.level === 'error') {
      this.#reject(status);
      return;
    }
    const data = status.info?.getObject('data');
    const isGoingOn = this.#options.role !== 'connect';
    this.#phase = isGoingOn ? 'create-stream' : 'connected';
    this.#handler.onConnected?.({
      peer: data === undefined ? undefined : readPeerIdentity(data),
      properties: command.object instanceof AmfObject ? command.object : undefined,
      info: status.info,
    });
    // The handler may have closed the session.
    if (this.#phase === 'create-stream') this.#channel.send(...this.#createStreamMessages());
  }

  #createStreamMessages(): OutMessage[] {
    const messages: OutMessage[] = [];
    if (this.#isFmle) {
      messages.push(connectionCommand('releaseStream', this.#nextTransactionId++, null, this.#streamName));
      messages.push(connectionCommand('FCPublish', this.#nextTransactionId++, null, this.#streamName));
    }
    this.#createTransactionId = this.#nextTransactionId++;
    messages.push(connectionCommand('createStream', this.#createTransactionId, null));
    return messages;
  }

  #onStreamCreated(streamId: AmfValue): void {
    if (typeof streamId !== 'number' || !Number.isInteger(streamId) || streamId <= 0 || streamId > 0xffffffff) {
      const value = typeof streamId === 'number' ? streamId : typeOf(streamId);
      throw new SrsError('RtmpResponse', `message stream id ${value} of createStream must be 1..4294967295`);
    }
    this.#streamId = streamId;
    this.#phase = 'start';
    const chunkSize = this.#channel.chunkSizeMessages(this.#chunkSize);
    if (this.#options.role === 'publish') {
      this.#channel.send(...chunkSize, this.#streamCommand('publish', this.#streamName, this.#options.publishType ?? 'live'));
      return;
    }
    const { playStart = LIVE_OR_RECORDED, playDurationMs = NO_END, bufferLengthMs = DEFAULT_BUFFER_LENGTH_MS } = this.#options;
    this.#channel.send(
      this.#streamCommand('play', this.#streamName, playStart, playDurationMs, true),
      userControlMessage(userControlEvents.setBufferLength, streamId, bufferLengthMs),
      ...chunkSize,
    );
  }

  /** Errors of releaseStream, FCPublish and the like are no refusal: many servers know none of them. */
  #onError(command: Command): void {
    const { transactionId } = command;
    const isOfConnect = this.#phase === 'connect' && (transactionId === CONNECT_TRANSACTION_ID || transactionId === 0);
    const isOfCreate = this.#phase === 'create-stream' && transactionId === this.#createTransactionId;
    const isOfStart = this.#phase === 'start' && transactionId === 0;
    if (isOfConnect || isOfCreate || isOfStart) this.#reject(readStatus(command));
  }

  #onStatus(status: ReceivedStatus): void {
    const isStarted = this.#phase === 'ready' || this.#phase === 'connected';
    // A server that is about to stop sends those who are there to another one.
    if (status.level === 'error' && (!isStarted || readRedirect(status.info) !== undefined)) {
      this.#reject(status);
      return;
    }
    const startCode = this.#options.role === 'publish' ? statusCodes.publishStart : statusCodes.playStart;
    if (this.#phase === 'start' && status.code === startCode) this.#becomeReady();
    if (this.#phase !== 'closed') this.#handler.onStatus?.(status);
  }

  #becomeReady(): void {
    this.#phase = 'ready';
    this.#handler.onReady?.();
  }

  #reject(status: ReceivedStatus): void {
    const redirect = readRedirect(status.info);
    // SRS wants to hear that it was understood: any call with a text will do.
    if (redirect !== undefined) this.#channel.send(connectionCommand('redirected', 0, null, redirect.tcUrl));
    this.#end();
    this.#handler.onRejected({ ...status, level: 'error', redirect });
  }

  #streamCommand(name: string, ...args: readonly AmfValue[]): OutMessage {
    return {
      chunkStreamId: chunkStreamIds.status,
      type: messageTypes.amf0Command,
      messageStreamId: this.#streamId,
      payload: encodeCommand(name, 0, null, ...args),
    };
  }
}

function chunkStreamOf(type: FrameType): number {
  if (type === messageTypes.video) return chunkStreamIds.video;
  return type === messageTypes.audio ? chunkStreamIds.audio : chunkStreamIds.data;
}

/** Reads what a peer may have left out, or put in another place. */
function readStatus(command: Command): ReceivedStatus {
  const info = command.args.find((value) => value instanceof AmfObject);
  return {
    level: info?.getString('level') === 'error' ? 'error' : 'status',
    code: info?.getString('code') ?? '',
    description: info?.getString('description') ?? '',
    info,
  };
}

function startsWith(payload: Buffer, prefix: Buffer): boolean {
  return payload.length >= prefix.length && payload.compare(prefix, 0, prefix.length, 0, prefix.length) === 0;
}
