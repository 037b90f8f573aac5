/** One viewer of a live stream over HTTP or a WebSocket: it has been let in, and gets nothing but the stream from here on. */
import type { Socket } from 'node:net';
import type { AddressPlace } from '@srs/access';
import {
  type AdmittedStream,
  adoptSocket,
  type ClientDescription,
  type Departure,
  type HttpAdmission,
  HttpRecord,
  type PithyMember,
  type PlayHandle,
  type PlayHub,
  type PlayListener,
  type RegisteredClient,
  SocketOutput,
  Traffic,
} from '@srs/clients';
import type { Config } from '@srs/config';
import { type Clock, describeError, systemErrorCode } from '@srs/kernel';
import type { EncodedBytes, FanOutPlayer } from '@srs/stream';
import { errorAnswer } from './live-answers.ts';
import type { LiveFormat, LiveTracks } from './live-format.ts';
import type { LiveGates } from './live-gate.ts';
import { binaryMessage, MessageReader, opcodes } from './web-socket-message.ts';

export interface LiveClientOptions extends HttpAdmission {
  /** Nothing has been answered on it yet, and nothing but the request been read. */
  readonly socket: Socket;
  /** Of an HTTP answer, or of the switch to a WebSocket. */
  readonly responseHead: string;
  readonly isWebSocket: boolean;
  /** That it asked for, as it wrote it. */
  readonly url: string;
  /** Waits for a publisher when there is none. */
  readonly isHeld: boolean;
  readonly format: LiveFormat;
  readonly hub: PlayHub;
  readonly gates: LiveGates;
  readonly clock: Clock;
  onClosed(client: LiveClient): void;
}

const KEEP_ALIVE_MS = 30_000;
/** Who has been told the end is let go of when it has heard, or after this. */
const LAST_WORDS_MS = 3_000;
/** Codes of a close (RFC 6455, 7.4.1). */
const closeCodes = { goingAway: 1001, unsupportedData: 1003 } as const;
const statuses = { absent: 404, notCarried: 415, dismissed: 503 } as const;

export class LiveClient implements RegisteredClient, FanOutPlayer, PlayListener, PithyMember {
  readonly cid: number;
  readonly place: AddressPlace;
  readonly traffic: Traffic;
  readonly hasFailed = false;
  readonly #options: LiveClientOptions;
  readonly #socket: Socket;
  readonly #output: SocketOutput;
  readonly #messages: MessageReader | undefined;
  readonly #record: HttpRecord;
  #target: AdmittedStream;
  #stopWaiting: (() => void) | undefined;
  #handle: PlayHandle | undefined;
  #isAnswered = false;
  #isEnding = false;
  #isClosed = false;
  #lastWords: NodeJS.Timeout | undefined;

  constructor(options: LiveClientOptions) {
    const { identity, clock, log } = options;
    this.#options = options;
    this.cid = identity.cid;
    this.place = options.place;
    this.#target = options.target;
    this.#record = new HttpRecord(identity, clock);
    this.#messages = options.isWebSocket ? this.#readMessages() : undefined;
    const client = adoptSocket(options.socket, {
      onBytes: (bytes) => this.#onBytes(bytes),
      onClosing: () => this.#handle?.holdBack(),
    });
    this.#socket = client.socket;
    this.#output = new SocketOutput(client, {
      onDrained: () => this.#handle?.onDrain(),
      onHeldBack: () => this.#handle?.holdBack(),
    });
    this.traffic = new Traffic(client.socket, () => this.#output.bytesWritten + (this.#handle?.directBytes ?? 0), clock);
    const { socket } = client;
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.setNoDelay(this.#target.vhost.tcpNodelay);
    socket.on('error', (error) => this.#onSocketError(error));
    socket.on('end', () => this.#leave('client closed the connection'));
    socket.on('close', () => this.#onClose());
    socket.resume();
    log.trace(`HTTP client ip=${identity.ip}, ${options.isWebSocket ? 'websocket ' : ''}play ${this.streamId}`);
    // Where it may turn out that the stream cannot be had, the answer waits for that.
    if (options.isWebSocket || options.format.isForAll) this.#answer();
  }

  /** Waits for the stream, then plays it. Media may be written before this returns. */
  start(): void {
    const { gates, isHeld } = this.#options;
    const { streamId, vhost, param } = this.#target;
    const stopWaiting = gates.wait({
      streamId,
      param,
      vhost,
      onOpen: (tracks) => this.#open(tracks),
      ...(isHeld
        ? {}
        : { onAbsent: () => this.#refuse(statuses.absent, 'nobody publishes this stream, and there is no such file') }),
    });
    if (this.#handle === undefined && !this.#isEnding && !this.#isClosed) this.#stopWaiting = stopWaiting;
  }

  get type(): 'play' {
    return 'play';
  }

  get target(): AdmittedStream {
    return this.#target;
  }

  get streamId(): string {
    return this.#target.streamId;
  }

  describe(): ClientDescription {
    const source = this.#handle?.stream.publisher ?? null;
    return this.#record.describe(this, { protocol: this.#options.format.protocol, source, ...this.#handle?.statistics });
  }

  departure(): Omit<Departure, 'agoSeconds'> {
    return this.#record.departure(this);
  }

  /** A reload: goes on under the new settings of its vhost, or leaves when live streams are not served there any more. */
  configure(config: Config): void {
    const { vhost } = this.#target;
    const now = config.vhosts.get(vhost.name);
    if (now === vhost) return;
    if (now?.enabled !== true || !now.httpRemux.enabled) {
      this.dismiss(`vhost ${vhost.name} does not serve live streams over HTTP any more`);
      return;
    }
    this.#target = { ...this.#target, vhost: now };
    this.#socket.setNoDelay(now.tcpNodelay);
  }

  dismiss(reason: string): void {
    if (this.#isEnding) return;
    this.#options.log.trace(`${reason}, the client is dismissed`);
    if (this.#options.isWebSocket) this.#sayClose(closeCodes.goingAway);
    else if (!this.#isAnswered) this.#output.say(Buffer.from(errorAnswer(statuses.dismissed, this.#options.url, reason)));
    this.#leave(reason);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  printSummary(): void {
    const frames = this.#handle?.batchFrames ?? 0;
    this.#options.log.trace(`-> HTF time=${this.#record.elapsedMs}, msgs=${frames}, ${this.traffic.summary}`);
  }

  // FanOutPlayer

  get descriptor(): number {
    return this.#output.descriptor;
  }

  get pendingBytes(): number {
    return this.#output.pendingBytes;
  }

  /** Hot path: one system call. */
  write(encoded: EncodedBytes, offset: number): boolean {
    return this.#output.writeMedia(encoded, offset);
  }

  /** It asks for no end. */
  onFinished(): void {}

  // PlayListener

  onSourceChanged(): void {
    const cid = this.#handle?.stream.publisher?.cid;
    if (cid !== undefined) this.#options.log.trace(`update source_id=${cid}[${cid}]`);
  }

  /** The next frames have fewer or more tracks; there is nothing to be said about that. */
  onFormat(): void {}

  #answer(): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    this.#output.say(Buffer.from(this.#options.responseHead, 'latin1'));
  }

  #open(tracks: LiveTracks): void {
    this.#stopWaiting = undefined;
    if (this.#isEnding || this.#isClosed) return;
    const { format, hub } = this.#options;
    const refusal = format.refusal(tracks);
    if (refusal !== undefined) {
      this.#refuse(statuses.notCarried, refusal);
      return;
    }
    this.#answer();
    const head = format.head(tracks);
    if (head.length > 0) this.#output.say(head);
    const { streamId, vhost, param } = this.#target;
    this.#handle = hub.join({ streamId, vhost, param, player: this, listener: this });
  }

  #refuse(status: number, reason: string): void {
    if (this.#isEnding || this.#isClosed) return;
    const { isWebSocket, url, log } = this.#options;
    log.warn(`refused to play ${this.streamId}: ${reason}`);
    if (isWebSocket) this.#sayClose(closeCodes.unsupportedData, reason);
    else this.#output.say(Buffer.from(errorAnswer(status, url, reason)));
    this.#record.end(reason, true);
    this.#leave(reason);
  }

  #sayClose(code: number, reason = ''): void {
    // A control message holds 125 bytes.
    const payload = Buffer.from(`\0\0${reason}`).subarray(0, 125);
    payload.writeUInt16BE(code, 0);
    this.#output.say(binaryMessage(payload, opcodes.close));
  }

  #readMessages(): MessageReader {
    return new MessageReader({
      onPing: (payload) => this.#output.say(binaryMessage(payload, opcodes.pong)),
      onClose: () => this.dismiss('the client closes the websocket'),
    });
  }

  /** What comes behind the request of a viewer means nothing; a WebSocket has pings and an end. */
  #onBytes(bytes: Buffer): void {
    if (this.#messages === undefined || this.#isEnding) return;
    try {
      this.#messages.receive(bytes);
    } catch (error) {
      this.#options.log.error(`serve client failed: ${describeError(error)}`);
      this.#leave(describeError(error));
    }
  }

  #onSocketError(error: Error): void {
    if (this.#isEnding) return;
    this.#record.end(error.message);
    this.#options.log.warn(`client disconnect peer: ${systemErrorCode(error) ?? error.message}`);
  }

  /** Says what is left and waits a moment for the client to hear it. */
  #leave(reason: string): void {
    if (this.#isEnding) return;
    this.#record.end(reason);
    this.#isEnding = true;
    this.#stopPlaying();
    this.#output.end();
    this.#lastWords = setTimeout(() => this.#socket.destroy(), LAST_WORDS_MS);
  }

  #stopPlaying(): void {
    this.#stopWaiting?.();
    this.#stopWaiting = undefined;
    const handle = this.#handle;
    this.#handle = undefined;
    handle?.leave();
    if (handle !== undefined) this.#output.countDirect(handle.directBytes);
    this.#options.hooks.end();
    this.place.end('play');
  }

  #onClose(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#lastWords);
    this.#stopPlaying();
    const { hooks, log } = this.#options;
    hooks.close({ sendBytes: this.traffic.sendBytes, recvBytes: this.traffic.recvBytes });
    log.trace('client finished.');
    this.#options.onClosed(this);
  }
}
