/** One RTMP client: its socket, what goes in and out on it, and how it ends. What is said is the business of the dialogue. */

import type { Socket } from 'node:net';
import type { AddressPlace } from '@srs/access';
import {
  adoptSocket,
  ClientDeadline,
  type ClientDescription,
  type ClientEnd,
  type ClientRedirect,
  type ClientType,
  type Departure,
  type Publishing,
  plainAddress,
  type RedirectAnswer,
  SocketOutput,
  Traffic,
} from '@srs/clients';
import type { Config } from '@srs/config';
import { describeError, type Log, SrsError, systemErrorCode } from '@srs/kernel';
import type { Redirect } from '@srs/rtmp';
import { ClientDialogue } from './client-dialogue.ts';
import type { DialogueConnection, DialogueShared } from './dialogue-connection.ts';
import { errorNumber, refusalText } from './refusal.ts';

/** From the first byte to the connect command. */
const SETUP_TIMEOUT_MS = 30_000;
/** A client that was sent to another server may say within this time that it goes. */
const REDIRECT_ANSWER_MS = 2_000;
/** A refused or dismissed client reads the reason within this time, or not at all. */
const LAST_WORDS_MS = 3_000;
const KEEP_ALIVE_MS = 30_000;
/** What a client may send ahead while its request waits for an answer; the rest stays in its socket. */
const MAX_HELD_BYTES = 16 * 1024;

export interface ConnectionHost extends DialogueShared {
  onClosed(connection: RtmpConnection): void;
}

export class RtmpConnection implements DialogueConnection {
  readonly cid: number;
  readonly ip: string;
  /** What it counts for among those from its address. */
  readonly place: AddressPlace;
  readonly log: Log;
  readonly output: SocketOutput;
  readonly traffic: Traffic;
  readonly deadline = new ClientDeadline(this);
  readonly #host: ConnectionHost;
  readonly #socket: Socket;
  readonly #dialogue: ClientDialogue;
  readonly #startedMs: number;
  /** The first reason for which it ends. */
  #reason: ClientEnd | undefined;
  /** What it was when that came. */
  #lastType: ClientType = 'unknown';
  /** Come while an answer to an earlier request is waited for. */
  #heldBytes = 0;
  #isRedirected = false;
  #isEnding = false;
  #hasFailed = false;
  #isClosed = false;

  /** @param accepted paused, nothing read yet */
  constructor(accepted: Socket, place: AddressPlace, host: ConnectionHost) {
    const { services } = host;
    const client = adoptSocket(accepted, {
      onBytes: (bytes) => this.#onData(bytes),
      onClosing: () => this.#dialogue.playing?.holdBack(),
    });
    const { socket } = client;
    this.#host = host;
    this.#socket = socket;
    this.cid = services.nextCid();
    this.ip = plainAddress(socket.remoteAddress);
    this.place = place;
    this.log = services.log.child(this.cid);
    this.#startedMs = services.clock.nowMs();
    this.output = new SocketOutput(client, {
      onDrained: () => this.#dialogue.playing?.onDrain(),
      onHeldBack: () => this.#dialogue.playing?.holdBack(),
    });
    this.traffic = new Traffic(
      socket,
      () => this.output.bytesWritten + (this.#dialogue.playing?.directBytes ?? 0),
      services.clock,
    );
    this.#dialogue = new ClientDialogue(this, host);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.on('error', (error) => this.#onSocketError(error));
    socket.on('end', () => this.#onPeerEnd());
    socket.on('close', () => this.#onClose());
    this.log.trace(`RTMP client ip=${this.ip}`);
    this.deadline.set(SETUP_TIMEOUT_MS, 'no connect command');
  }

  get type(): ClientType {
    return this.#dialogue.type;
  }

  get streamId(): string {
    return this.#dialogue.streamId;
  }

  get publishing(): Publishing | undefined {
    return this.#dialogue.publishing;
  }

  get pendingBytes(): number {
    return this.output.pendingBytes;
  }

  /** The server ends it, or has, because of an error or a refusal. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  describe(): ClientDescription {
    const dialogue = this.#dialogue;
    return {
      id: this.cid,
      ip: this.ip,
      type: dialogue.type,
      protocol: 'rtmp',
      dialect: dialogue.dialect,
      vhost: dialogue.vhost?.name ?? '',
      app: dialogue.app,
      stream: dialogue.stream,
      streamId: dialogue.streamId,
      ...dialogue.identity,
      aliveSeconds: this.#aliveSeconds,
      sendBytes: this.traffic.sendBytes,
      recvBytes: this.traffic.recvBytes,
      sendKbps: this.traffic.sendKbps,
      recvKbps: this.traffic.recvKbps,
      pendingBytes: this.pendingBytes,
      source: dialogue.source,
      ...dialogue.playing?.statistics,
    };
  }

  /** Of a connection that is over. */
  departure(): Omit<Departure, 'agoSeconds'> {
    return {
      id: this.cid,
      ip: this.ip,
      type: this.#lastType,
      streamId: this.#dialogue.wantedId,
      aliveSeconds: this.#aliveSeconds,
      ...(this.#reason ?? { isRefused: false, reason: 'disconnected' }),
    };
  }

  /** A reload: the client goes on under the new configuration, or leaves with its vhost. */
  configure(config: Config): void {
    this.#dialogue.configure(config);
  }

  /** Tells the client that the server ends, and lets go of it when it has heard, or after a moment. */
  dismiss(description: string): void {
    if (!this.#isEnding) this.#dialogue.dismiss(description);
  }

  sendTo(answer: RedirectAnswer): boolean {
    return !this.isOver && this.#dialogue.sendTo(answer);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  printSummary(): void {
    const { publishing, playing, dialect } = this.#dialogue;
    const elapsedMs = Math.round(this.#host.services.clock.nowMs() - this.#startedMs);
    const rates = this.traffic.summary;
    if (publishing === undefined) this.log.trace(`-> PLA time=${elapsedMs}, msgs=${playing?.batchFrames ?? 0}, ${rates}`);
    else this.log.trace(`<- ${dialect === 'flash' ? 'WPB' : 'CPB'} time=${elapsedMs}, ${rates}`);
  }

  // DialogueConnection

  get localIp(): string {
    return plainAddress(this.#socket.localAddress);
  }

  get isOver(): boolean {
    return this.#isRedirected || this.#isEnding || this.#isClosed;
  }

  setNoDelay(isOn: boolean): void {
    this.#socket.setNoDelay(isOn);
  }

  resume(): void {
    if (!this.#dialogue.session.isWaiting) this.#socket.resume();
  }

  /** A proper answer first: an encoder that only sees its connection close tries again for ever. */
  refuse(code: string, reason: unknown): void {
    this.log.error(`refused${errorNumber(reason)}: ${describeError(reason)}`);
    this.#note(reason, true);
    if (this.isOver) return;
    this.#hasFailed = true;
    this.#dialogue.session.reject(code, refusalText(reason));
    this.end();
  }

  /** Which is no failure: its connection ends when it has heard. */
  redirect(addresses: Redirect, reason: ClientRedirect): void {
    this.log.trace(reason.message);
    this.#note(reason.message);
    if (this.isOver) return;
    this.#isRedirected = true;
    this.#dialogue.session.redirect(addresses);
    this.#dialogue.stop();
    this.#socket.resume();
    this.deadline.run(REDIRECT_ANSWER_MS, () => {
      this.log.trace(`client did not say within ${REDIRECT_ANSWER_MS / 1000} s whether it goes there`);
      this.end();
    });
  }

  onRedirectAccepted(): void {
    this.log.trace('client goes there');
    this.end();
  }

  /** One line in the log, then the end. */
  fail(error: unknown): void {
    if (this.#isRedirected) this.end();
    if (this.isOver) return;
    this.#hasFailed = true;
    this.log.error(`serve client failed${errorNumber(error)}: ${describeError(error)}`);
    this.end(describeError(error));
  }

  /** What is to be said has been written: closes when the client has read it, or after a moment. */
  end(reason?: string): void {
    if (this.#isEnding) return;
    if (reason !== undefined) this.#note(reason);
    this.#isEnding = true;
    this.#dialogue.close();
    this.output.end();
    this.#socket.resume();
    this.deadline.run(LAST_WORDS_MS, () => this.#socket.destroy());
  }

  get #aliveSeconds(): number {
    return Math.round((this.#host.services.clock.nowMs() - this.#startedMs) / 1000);
  }

  #note(reason: unknown, isRefused = false): void {
    if (this.#reason !== undefined) return;
    this.#reason = { isRefused, reason: describeError(reason) };
    this.#lastType = this.type;
  }

  /** Hot path. */
  #onData(bytes: Buffer): void {
    try {
      this.#dialogue.receive(bytes);
      if (this.#dialogue.session.isWaiting) this.#onHeld(bytes.length);
      else this.#heldBytes = 0;
    } catch (error) {
      this.fail(error);
    }
  }

  /** Somebody else is asked: only who still reads sees the client leave. */
  #onHeld(sizeBytes: number): void {
    this.#heldBytes += sizeBytes;
    if (this.#heldBytes > MAX_HELD_BYTES) this.#socket.pause();
  }

  #onSocketError(error: Error): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#note(error);
    const code = error instanceof SrsError ? error.code : 1007;
    this.log.warn(`client disconnect peer. ret=${code}: ${systemErrorCode(error) ?? error.message}`);
  }

  /** A client that has ended its direction may still read: what waits for it is given a moment, and must not hold it for ever. */
  #onPeerEnd(): void {
    if (this.#isEnding) return;
    const error = new SrsError('SocketRead', 'client closed the connection');
    this.log.warn(`client disconnect peer. ret=${error.code}: ${error.message}`);
    this.end(error.message);
  }

  #onClose(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.deadline.clear();
    this.#dialogue.close();
    this.#dialogue.leave({ sendBytes: this.traffic.sendBytes, recvBytes: this.traffic.recvBytes });
    this.log.trace('client finished.');
    this.#host.onClosed(this);
  }
}
