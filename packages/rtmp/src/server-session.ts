/** The server's side of one RTMP connection: bytes in, requests and media out. */
import type { AmfValue } from '@srs/amf';
import { describeError } from '@srs/kernel';
import { splitAggregate, withoutFormatByte } from './aggregate.ts';
import { type ChunkReaderLimits, defaultChunkReaderLimits } from './chunk-reader.ts';
import { PublishAnnouncement } from './command-announcement.ts';
import { type ConnectRequest, parseConnect, type ServerInfo } from './command-connect.ts';
import { type Command, decodeCommand } from './command-message.ts';
import { isRedirectAcceptance, parsePlay, parsePublish, type Redirect, type Status, statusCodes } from './command-stream.ts';
import { ServerHandshake } from './handshake.ts';
import { checkOutChunkSize, MessageChannel } from './message-channel.ts';
import { DEFAULT_OUT_CHUNK_SIZE, messageTypes, userControlEvents } from './message-types.ts';
import type { ServerSessionHandler, ServerSessionOptions, ServerSessionPhase } from './server-session-handler.ts';
import { ServerReplies } from './server-session-replies.ts';

/** Before a publish is accepted nobody has to say much: commands only, one message of them at a time. */
const STRANGER_MESSAGE_BYTES = 1024 * 1024;
const STRANGER_PENDING_BYTES = 2 * 1024 * 1024;

/**
 * One connection of a publisher or player. It owns no socket and no timer: feed it with `receive`, write what `onSend` gives.
 *
 * It does not care in which order an encoder sends releaseStream, FCPublish, createStream and publish, or which of them it
 * leaves out. Media to players is not its business: write it with `writeChunks` on MEDIA_STREAM_ID, in chunks of `outChunkSize`.
 */
export class ServerSession {
  readonly #handler: ServerSessionHandler;
  readonly #channel: MessageChannel;
  readonly #replies: ServerReplies;
  readonly #publisherLimits: ChunkReaderLimits;
  #handshake: ServerHandshake | undefined;
  #phase: ServerSessionPhase = 'handshake';
  #nextOutChunkSize: number;
  #connectRequest: ConnectRequest | undefined;
  /** Begins anew when a publish ends. */
  #announcement = new PublishAnnouncement();
  /** Name of the stream being published, '' when there is none. */
  #publishName = '';

  constructor(handler: ServerSessionHandler, options: ServerSessionOptions) {
    const limits = { ...defaultChunkReaderLimits, ...options.limits };
    this.#publisherLimits = limits;
    this.#handler = handler;
    this.#nextOutChunkSize = checkOutChunkSize(options.outChunkSize ?? DEFAULT_OUT_CHUNK_SIZE);
    this.#handshake = new ServerHandshake({
      crypto: options.crypto,
      unixSeconds: options.unixSeconds,
      send: (bytes) => handler.onSend(bytes),
    });
    this.#channel = new MessageChannel({
      limits: {
        ...limits,
        maxMessageBytes: Math.min(limits.maxMessageBytes, STRANGER_MESSAGE_BYTES),
        maxPendingBytes: Math.min(limits.maxPendingBytes, STRANGER_PENDING_BYTES),
      },
      windowAckSize: options.windowAckSize,
      onSend: (bytes) => handler.onSend(bytes),
      onMessage: (type, timestampMs, messageStreamId, payload) => this.#onMessage(type, timestampMs, messageStreamId, payload),
      onUserControl: (event, value) => this.#onUserControl(event, value),
      onWarning: (text) => handler.onWarning?.(text),
    });
    this.#replies = new ServerReplies(this.#channel);
  }

  get phase(): ServerSessionPhase {
    return this.#phase;
  }

  /** Whether input is held until the owner has answered a request: a good time to stop reading the socket. */
  get isWaiting(): boolean {
    return this.#channel.isPaused && this.#phase !== 'closed';
  }

  /** All bytes of the peer so far, its handshake included once that is complete. */
  get bytesReceived(): number {
    return this.#handshake === undefined ? this.#channel.bytesReceived : 0;
  }

  /** Payload bytes per chunk on the way to the peer. */
  get outChunkSize(): number {
    return this.#channel.outChunkSize;
  }

  /**
   * The chunk size to announce with the next accepted connect, publish or play. Set it before `acceptConnect` to have it
   * announced before connect's result: a quickly restarted OBS can stumble over a later one.
   * @throws SrsError RtmpChunkSize outside 128..65536
   */
  setOutChunkSize(chunkSize: number): void {
    this.#nextOutChunkSize = checkOutChunkSize(chunkSize);
  }

  /**
   * Announces another chunk size in the middle of a session, if it is another one: everything that is sent from now on has it.
   * @throws SrsError RtmpChunkSize outside 128..65536
   */
  changeOutChunkSize(chunkSize: number): void {
    this.setOutChunkSize(chunkSize);
    const isAnnounced = this.#phase === 'identify' || this.#phase === 'publish' || this.#phase === 'play';
    if (isAnnounced) this.#channel.send(...this.#channel.chunkSizeMessages(chunkSize));
  }

  /**
   * The windows of one vhost, before `acceptConnect`: what is announced for the server's output, and after how many bytes the
   * server acknowledges the client's input until the client announces a window of its own. 0 leaves the built-in size.
   */
  setWindows(windows: { readonly outAckSize: number; readonly inAckSize: number }): void {
    this.#channel.setWindows(windows.outAckSize || undefined, windows.inAckSize || undefined);
  }

  /**
   * Takes bytes of the peer; they are not kept beyond the call unless the session waits for an answer.
   * @throws SrsError for broken protocol, after what is owed to the peer has been sent. The session is closed then.
   */
  receive(bytes: Buffer): void {
    if (this.#phase === 'closed') return;
    try {
      const rest = this.#handshake === undefined ? bytes : this.#shakeHands(this.#handshake, bytes);
      if (rest !== undefined && rest.length > 0) this.#channel.receive(rest);
    } catch (thrown) {
      this.close();
      throw thrown;
    }
  }

  /** Stops: nothing is delivered or sent any more. Answers that come later are ignored. */
  close(): void {
    this.#phase = 'closed';
    this.#channel.close();
  }

  /**
   * Lets the client in. As with all answers, what the client has sent in the meantime is handled before this returns: be ready
   * for the next call of the handler first.
   * @param options `hasBandwidthDone: false` leaves out onBWDone, as the bandwidth test wants it
   * @throws SrsError as `receive`
   */
  acceptConnect(info: ServerInfo, options: { readonly hasBandwidthDone?: boolean } = {}): void {
    const request = this.#connectRequest;
    if (request === undefined || !this.#isPending('connect-pending')) return;
    this.#connectRequest = undefined;
    this.#replies.acceptConnect(request, info, this.#nextOutChunkSize, options.hasBandwidthDone !== false);
    this.#proceed('identify');
  }

  /** @throws SrsError as `receive` */
  acceptPublish(): void {
    if (!this.#isPending('publish-pending')) return;
    this.#channel.setMessageLimits(this.#publisherLimits);
    this.#replies.startPublish(this.#announcement, this.#nextOutChunkSize);
    this.#proceed('publish');
  }

  /**
   * When it returns, media may be written, if `phase` is still `play`: the client may have left already.
   * @throws SrsError as `receive`
   */
  acceptPlay(): void {
    if (!this.#isPending('play-pending')) return;
    this.#replies.startPlay(this.#nextOutChunkSize);
    this.#proceed('play');
  }

  /**
   * Refuses what was asked for, in the form that the client understands: `_error` for connect, onStatus for publish and play.
   * The session is closed then; write what was sent, and close the connection.
   */
  reject(code: string, description: string): void {
    const status: Status = { level: 'error', code, description };
    switch (this.#phase) {
      case 'closed':
        return;
      case 'connect-pending':
        this.#replies.rejectConnect(this.#connectRequest?.transactionId ?? 0, status);
        break;
      case 'publish-pending':
      case 'play-pending':
        this.#replies.status(status);
        break;
      default:
        throw new Error(`nothing to reject in phase ${this.#phase}`);
    }
    this.close();
  }

  /**
   * Sends the client to another server (RTMP 302), instead of an answer or in the middle of a publish or play, which is over then
   * without `onUnpublish` or `onStop`. The client may say that it goes, with any call that has a text: `onRedirectAccepted`.
   * Whether it does or not, close the connection a moment later.
   */
  redirect(redirect: Redirect): void {
    switch (this.#phase) {
      case 'closed':
      case 'redirected':
        return;
      case 'handshake':
      case 'connect':
        throw new Error(`nobody to redirect in phase ${this.#phase}`);
      case 'connect-pending':
        this.#replies.redirectConnect(this.#connectRequest?.transactionId ?? 0, redirect);
        break;
      default:
        this.#replies.redirect(redirect);
        break;
    }
    this.#proceed('redirected');
  }

  /** Tells a publisher or player that the server ends its stream. Closing the connection is left to the caller. */
  notify(status: Status): void {
    if (this.#phase === 'publish') this.#replies.cutPublish(this.#announcement, status);
    else if (this.#phase === 'play') this.#replies.cutPlay(status);
  }

  /** Sends a command of the connection that wants no answer, such as those of the bandwidth test. */
  sendCommand(name: string, ...args: readonly AmfValue[]): void {
    if (this.#handshake === undefined) this.#replies.command(name, args);
  }

  /** @param value comes back with `onPong`; by custom a timestamp in milliseconds */
  sendPing(value: number): void {
    if (this.#handshake === undefined) this.#replies.ping(value);
  }

  #shakeHands(handshake: ServerHandshake, bytes: Buffer): Buffer | undefined {
    const rest = handshake.receive(bytes);
    if (rest === undefined) return undefined;
    const kind = handshake.kind;
    this.#handshake = undefined;
    this.#phase = 'connect';
    if (kind !== undefined) this.#handler.onHandshake?.(kind);
    return rest;
  }

  /** Whether the answer still has its request; an answer after `close` has not. */
  #isPending(phase: ServerSessionPhase): boolean {
    if (this.#phase === phase) return true;
    if (this.#phase === 'closed') return false;
    throw new Error(`nothing to accept in phase ${this.#phase}`);
  }

  /** Hands a request over; if it is not answered at once, holds what comes behind it. */
  #ask(phase: ServerSessionPhase, request: () => void): void {
    if (this.#phase === 'closed') return;
    this.#phase = phase;
    request();
    if (this.#phase === phase) this.#channel.pause();
  }

  #proceed(phase: ServerSessionPhase): void {
    this.#phase = phase;
    if (!this.#channel.isPaused) return;
    try {
      this.#channel.resume();
    } catch (thrown) {
      this.close();
      throw thrown;
    }
  }

  /** Hot path: media of a publisher goes through here and one call further. */
  #onMessage(type: number, timestampMs: number, messageStreamId: number, payload: Buffer): void {
    switch (type) {
      case messageTypes.audio:
      case messageTypes.video:
      case messageTypes.amf0Data:
        if (this.#phase === 'publish') this.#handler.onMedia(type, timestampMs, payload);
        break;
      case messageTypes.amf3Data:
        if (this.#phase === 'publish') this.#onAmf3Data(timestampMs, payload);
        break;
      case messageTypes.aggregate:
        if (this.#phase === 'publish') this.#onAggregate(timestampMs, payload);
        break;
      case messageTypes.amf0Command:
      case messageTypes.amf3Command:
        if (this.#phase !== 'closed') this.#onCommand(decodeCommand(type, payload), messageStreamId);
        break;
      default:
        // Shared objects and types nobody has defined.
        break;
    }
  }

  #onAmf3Data(timestampMs: number, payload: Buffer): void {
    const body = withoutFormatByte(payload);
    if (body.length > 0) this.#handler.onMedia(messageTypes.amf0Data, timestampMs, body);
  }

  #onAggregate(timestampMs: number, payload: Buffer): void {
    splitAggregate(payload, timestampMs, (type, partTimestampMs, part) => {
      if (this.#phase === 'publish') this.#handler.onMedia(type, partTimestampMs, part);
    });
  }

  #onUserControl(event: number, value: number): void {
    if (event === userControlEvents.pingResponse) this.#handler.onPong?.(value);
  }

  #onCommand(command: Command, messageStreamId: number): void {
    // Answers to what this side never asks.
    if (command.name === '_result' || command.name === '_error') return;
    switch (this.#phase) {
      case 'connect':
        if (command.name === 'connect') this.#onConnect(command);
        else this.#answerCall(command);
        break;
      case 'identify':
        this.#onCommandIdentify(command, messageStreamId);
        break;
      case 'publish':
        this.#onCommandPublish(command, messageStreamId);
        break;
      case 'play':
        this.#onCommandPlay(command, messageStreamId);
        break;
      case 'redirected':
        if (isRedirectAcceptance(command)) this.#handler.onRedirectAccepted?.();
        break;
      default:
        break;
    }
  }

  #onConnect(command: Command): void {
    let request: ConnectRequest;
    try {
      request = parseConnect(command);
    } catch (thrown) {
      const status: Status = { level: 'error', code: statusCodes.connectRejected, description: describeError(thrown) };
      this.#replies.rejectConnect(command.transactionId, status);
      throw thrown;
    }
    this.#connectRequest = request;
    this.#ask('connect-pending', () => this.#handler.onConnect(request));
  }

  /** Connected, no stream yet or no more: waits for publish or play, and bears everything around them. */
  #onCommandIdentify(command: Command, messageStreamId: number): void {
    switch (command.name) {
      case 'publish':
        this.#onPublish(command, messageStreamId);
        break;
      case 'play':
        this.#onPlay(command, messageStreamId);
        break;
      case 'releaseStream':
      case 'FCPublish':
        this.#onAnnouncement(command);
        break;
      default:
        this.#onCommandAnywhere(command);
        break;
    }
  }

  #onCommandPublish(command: Command, messageStreamId: number): void {
    switch (command.name) {
      case 'FCUnpublish':
        this.#replies.endPublish(this.#announcement, command);
        this.#endPublish();
        break;
      case 'closeStream':
        this.#replies.endPublish(this.#announcement);
        this.#endPublish();
        break;
      case 'deleteStream':
        // The client has no stream any more that could be told of its end.
        this.#answerCall(command);
        this.#endPublish();
        break;
      case 'releaseStream':
      case 'FCPublish':
        this.#onLateAnnouncement(command.name, command);
        break;
      case 'publish':
        if (command.args[0] === false) this.#replies.endPublish(this.#announcement);
        this.#endPublish();
        if (command.args[0] !== false) this.#onPublish(command, messageStreamId);
        break;
      case 'play':
        this.#endPublish();
        this.#onPlay(command, messageStreamId);
        break;
      default:
        this.#onCommandAnywhere(command);
        break;
    }
  }

  #onCommandPlay(command: Command, messageStreamId: number): void {
    switch (command.name) {
      case 'pause':
        this.#onPause(Boolean(command.args[0]));
        break;
      case 'closeStream':
        this.#endPlay();
        break;
      case 'deleteStream':
        this.#answerCall(command);
        this.#endPlay();
        break;
      case 'play':
        this.#endPlay();
        if (command.args[0] !== false) this.#onPlay(command, messageStreamId);
        break;
      case 'publish':
        this.#endPlay();
        this.#onPublish(command, messageStreamId);
        break;
      case 'releaseStream':
      case 'FCPublish':
        this.#onAnnouncement(command);
        break;
      default:
        this.#onCommandAnywhere(command);
        break;
    }
  }

  #onCommandAnywhere(command: Command): void {
    switch (command.name) {
      case 'createStream':
        this.#announcement.note(command);
        this.#replies.createStream(command);
        break;
      case 'FCUnpublish':
        this.#replies.emptyResult(command);
        break;
      case 'getStreamLength':
        // A live stream has no length; FFmpeg warns of an answer that is no number.
        this.#answerCall(command, 0);
        break;
      default:
        this.#answerCall(command);
        break;
    }
  }

  /** Any call gets a result, or its sender may wait for one for ever (Haivision with `_checkbw`). */
  #answerCall(command: Command, result: AmfValue = null): void {
    if (this.#phase !== 'connect' && this.#handler.onCommand?.(command) === true) return;
    this.#replies.callResult(command, result);
  }

  /** releaseStream and FCPublish, which tell of a publish to come. */
  #onAnnouncement(command: Command): void {
    this.#announcement.note(command);
    this.#replies.emptyResult(command);
  }

  /**
   * An announcement while publishing: a late part of the current publish if its name says so and it was missing until now, else
   * the begin of another one without a word about the end of this.
   */
  #onLateAnnouncement(name: 'releaseStream' | 'FCPublish', command: Command): void {
    if (command.args[0] === this.#publishName && !this.#announcement.has(name)) {
      this.#announcement.note(command);
      if (name === 'FCPublish') this.#replies.lateFcPublish(command);
      else this.#replies.emptyResult(command);
      return;
    }
    this.#replies.endPublish(this.#announcement);
    this.#endPublish();
    this.#onAnnouncement(command);
  }

  #onPublish(command: Command, messageStreamId: number): void {
    const request = this.#refusingBadName(statusCodes.publishBadName, () =>
      parsePublish(command, this.#announcement.dialect, messageStreamId),
    );
    this.#publishName = request.streamName;
    this.#ask('publish-pending', () => this.#handler.onPublish(request));
  }

  #onPlay(command: Command, messageStreamId: number): void {
    const request = this.#refusingBadName(statusCodes.playStreamNotFound, () => parsePlay(command, messageStreamId));
    this.#ask('play-pending', () => this.#handler.onPlay(request));
  }

  /** Tells the client before the error ends the session. */
  #refusingBadName<T>(code: string, parse: () => T): T {
    try {
      return parse();
    } catch (thrown) {
      this.#replies.status({ level: 'error', code, description: describeError(thrown) });
      throw thrown;
    }
  }

  #onPause(isPaused: boolean): void {
    this.#replies.pause(isPaused);
    this.#handler.onPause(isPaused);
  }

  #endPublish(): void {
    this.#phase = 'identify';
    this.#announcement = new PublishAnnouncement();
    this.#publishName = '';
    this.#handler.onUnpublish();
  }

  #endPlay(): void {
    this.#phase = 'identify';
    this.#handler.onStop();
  }
}
