/** One publisher that posts its stream. Nothing of its body is read before it has been let in. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { AddressPlace } from '@srs/access';
import {
  type AdmittedStream,
  ClientDeadline,
  type ClientDescription,
  type ClientEnd,
  type ConnectionHooks,
  type Departure,
  type PithyMember,
  type Publishing,
  type RegisteredClient,
  Traffic,
} from '@srs/clients';
import type { Config } from '@srs/config';
import { type Clock, describeError, type Log, SrsError } from '@srs/kernel';
import { CasterBody } from './caster-body.ts';
import { CasterRefusal, refusalOf } from './caster-refusal.ts';
import { answerDone, refuse } from './last-words.ts';

/** What a client said of itself in its request, without secrets. */
interface CasterIdentity {
  readonly cid: number;
  readonly ip: string;
  readonly app: string;
  /** The URL it posts to. */
  readonly tcUrl: string;
  readonly pageUrl: string;
  readonly userAgent: string;
}

export interface CasterClientOptions {
  /** Nothing has been read of its body yet. */
  readonly request: IncomingMessage;
  /** Nothing has been said on it yet. */
  readonly response: ServerResponse;
  readonly identity: CasterIdentity;
  readonly target: AdmittedStream;
  readonly hooks: ConnectionHooks;
  readonly place: AddressPlace;
  readonly source: { readonly slot: number; readonly pid: number };
  readonly log: Log;
  readonly clock: Clock;
  onClosed(client: CasterClient): void;
}

const KEEP_ALIVE_MS = 30_000;

export class CasterClient implements RegisteredClient, PithyMember {
  readonly cid: number;
  readonly place: AddressPlace;
  readonly traffic: Traffic;
  readonly #options: CasterClientOptions;
  readonly #socket: Socket;
  readonly #body: CasterBody;
  readonly #deadline = new ClientDeadline(this);
  readonly #startedMs: number;
  #publishing: Publishing | undefined;
  #target: AdmittedStream;
  #hasFailed = false;
  #end: ClientEnd | undefined;
  #isClosed = false;

  constructor(options: CasterClientOptions) {
    const { request, identity, target, clock, log } = options;
    const { socket } = request;
    this.#options = options;
    this.#socket = socket;
    this.cid = identity.cid;
    this.place = options.place;
    this.#target = target;
    this.#startedMs = clock.nowMs();
    this.traffic = new Traffic(socket, () => socket.bytesWritten, clock);
    this.#body = new CasterBody({
      // Hot path.
      onFrame: (type, timestampMs, payload) => this.#publishing?.write(type, timestampMs, payload),
      onWarning: (text) => log.warn(`${this.streamId}: ${text}`),
    });
  }

  /** It has left, or been told why it cannot stay. */
  get isOver(): boolean {
    return this.#socket.destroyed || this.#end !== undefined;
  }

  /** It may publish: its body is read from here on. It may have left when this returns. */
  begin(publishing: Publishing): void {
    const { request, response, identity, log } = this.#options;
    const socket = this.#socket;
    this.#publishing = publishing;
    log.trace(`HTTP client ip=${identity.ip}, publish ${this.streamId}`);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.once('close', () => this.#onClose());
    this.#watch(publishing);
    if (request.headers.expect !== undefined) response.writeContinue();
    // What broke off is told by the end of the connection.
    request.on('error', () => {});
    request.on('data', (bytes: Buffer) => this.#onBytes(bytes));
    request.on('end', () => this.#onEnd());
  }

  get type(): 'publish' {
    return 'publish';
  }

  get streamId(): string {
    return this.#target.streamId;
  }

  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  get publishing(): Publishing | undefined {
    return this.#publishing;
  }

  describe(): ClientDescription {
    const { ip, app, tcUrl, pageUrl, userAgent } = this.#options.identity;
    return {
      id: this.cid,
      ip,
      type: 'publish',
      protocol: 'http-post',
      dialect: '',
      vhost: this.#target.vhost.name,
      app,
      stream: this.#target.stream,
      streamId: this.streamId,
      tcUrl,
      pageUrl,
      swfUrl: '',
      flashVer: userAgent,
      aliveSeconds: this.#aliveSeconds,
      sendBytes: this.traffic.sendBytes,
      recvBytes: this.traffic.recvBytes,
      sendKbps: this.traffic.sendKbps,
      recvKbps: this.traffic.recvKbps,
      pendingBytes: this.pendingBytes,
      source: { ...this.#options.source, cid: this.cid, ip },
    };
  }

  departure(): Omit<Departure, 'agoSeconds'> {
    return {
      id: this.cid,
      ip: this.#options.identity.ip,
      type: 'publish',
      streamId: this.streamId,
      aliveSeconds: this.#aliveSeconds,
      ...(this.#end ?? { isRefused: false, reason: 'disconnected' }),
    };
  }

  /** A reload: goes on under the new settings of its vhost, or leaves with it. */
  configure(config: Config): void {
    const { vhost } = this.#target;
    const now = config.vhosts.get(vhost.name);
    if (now === vhost || this.#publishing === undefined) return;
    if (now?.enabled !== true) {
      this.dismiss(`vhost ${vhost.name} is not served any more`);
      return;
    }
    this.#target = { ...this.#target, vhost: now };
    this.#publishing.configure(now);
    this.#watch(this.#publishing);
  }

  /** The stream is somebody else's now, or closed by the server. */
  revoke(text: string): void {
    this.#options.log.warn(`${this.streamId}: ${text}`);
    this.#refuse(new CasterRefusal(409, text));
  }

  dismiss(reason: string): void {
    if (this.#publishing === undefined) return;
    this.#options.log.trace(`${reason}, the client is dismissed`);
    this.#refuse(new CasterRefusal(503, reason));
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** The media cannot be read, or do not come; or this server failed. */
  fail(error: unknown): void {
    if (this.#publishing === undefined) return;
    this.#hasFailed = true;
    const number = error instanceof SrsError ? `. ret=${error.code}` : '';
    this.#options.log.error(`serve client failed${number}: ${describeError(error)}`);
    this.#refuse(refusalOf(error));
  }

  printSummary(): void {
    const elapsedMs = Math.round(this.#options.clock.nowMs() - this.#startedMs);
    this.#options.log.trace(`<- POST ${this.#body.format ?? ''} time=${elapsedMs}, ${this.traffic.summary}`);
  }

  get #aliveSeconds(): number {
    return Math.round((this.#options.clock.nowMs() - this.#startedMs) / 1000);
  }

  #watch(publishing: Publishing): void {
    this.#deadline.watch(
      () => publishing.patienceMs(),
      () => publishing.silence(),
    );
  }

  /** Hot path. */
  #onBytes(bytes: Buffer): void {
    const publishing = this.#publishing;
    if (publishing === undefined) return;
    try {
      this.#body.receive(bytes);
      publishing.flush();
    } catch (error) {
      this.fail(error);
    }
  }

  /** The whole body is here. */
  #onEnd(): void {
    if (this.#publishing === undefined) return;
    try {
      this.#body.end();
    } catch (error) {
      this.fail(error);
      return;
    }
    this.#leave('the publisher has ended');
    answerDone(this.#options.response);
  }

  #refuse(refusal: CasterRefusal): void {
    this.#leave(refusal.message);
    refuse(this.#options.request, refusal);
  }

  #leave(reason: string): void {
    this.#end ??= { isRefused: false, reason };
    this.#deadline.clear();
    this.#publishing?.end();
    this.#publishing = undefined;
    this.#options.hooks.end();
    this.place.end('publish');
  }

  #onClose(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#leave('client closed the connection');
    const { hooks, log } = this.#options;
    hooks.close({ sendBytes: this.traffic.sendBytes, recvBytes: this.traffic.recvBytes });
    log.trace('client finished.');
    this.#options.onClosed(this);
  }
}
