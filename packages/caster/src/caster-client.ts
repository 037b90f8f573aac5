/** One publisher that posts its stream. Nothing of its body is read before it has been let in. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { AddressPlace } from '@srs/access';
import {
  type AdmittedStream,
  ClientDeadline,
  type ClientDescription,
  type Departure,
  type HttpAdmission,
  HttpRecord,
  type PithyMember,
  type Publishing,
  type RegisteredClient,
  Traffic,
} from '@srs/clients';
import type { Config } from '@srs/config';
import { type Clock, describeError, SrsError } from '@srs/kernel';
import { CasterBody } from './caster-body.ts';
import { CasterRefusal, refusalOf } from './caster-refusal.ts';
import { answerDone, refuse } from './last-words.ts';

export interface CasterClientOptions extends HttpAdmission {
  /** Nothing has been read of its body yet. */
  readonly request: IncomingMessage;
  /** Nothing has been said on it yet. */
  readonly response: ServerResponse;
  readonly source: { readonly slot: number; readonly pid: number };
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
  readonly #record: HttpRecord;
  #publishing: Publishing | undefined;
  #target: AdmittedStream;
  #hasFailed = false;
  #isClosed = false;

  constructor(options: CasterClientOptions) {
    const { request, identity, target, clock, log } = options;
    const { socket } = request;
    this.#options = options;
    this.#socket = socket;
    this.cid = identity.cid;
    this.place = options.place;
    this.#target = target;
    this.#record = new HttpRecord(identity, clock);
    this.traffic = new Traffic(socket, () => socket.bytesWritten, clock);
    this.#body = new CasterBody({
      // Hot path.
      onFrame: (type, timestampMs, payload) => this.#publishing?.write(type, timestampMs, payload),
      onWarning: (text) => log.warn(`${this.streamId}: ${text}`),
    });
  }

  /** It has left, or been told why it cannot stay. */
  get isOver(): boolean {
    return this.#socket.destroyed || this.#record.isEnded;
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

  get target(): AdmittedStream {
    return this.#target;
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
    const { cid, ip } = this.#record.identity;
    return this.#record.describe(this, { protocol: 'http-post', source: { ...this.#options.source, cid, ip } });
  }

  departure(): Omit<Departure, 'agoSeconds'> {
    return this.#record.departure(this);
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
    this.#options.log.trace(`<- POST ${this.#body.format ?? ''} time=${this.#record.elapsedMs}, ${this.traffic.summary}`);
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
    this.#record.end(reason);
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
