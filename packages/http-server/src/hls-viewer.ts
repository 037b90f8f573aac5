/** One viewer of HLS: who asked for a playlist, and goes on asking. It has no connection of its own. */
import type { AddressPlace, ViewerTable } from '@srs/access';
import type { AdmittedStream, ClientDescription, ClientEnd, ConnectionHooks, Departure, RegisteredClient } from '@srs/clients';
import { type Clock, type Kbps, type Log, RateMeter } from '@srs/kernel';
import type { LiveIdentity } from './live-client.ts';

export interface HlsViewerOptions {
  readonly identity: LiveIdentity;
  readonly target: AdmittedStream;
  readonly hooks: ConnectionHooks;
  readonly place: AddressPlace;
  readonly log: Log;
  readonly clock: Clock;
  readonly table: ViewerTable;
  /** Its place in the table. */
  readonly entry: number;
  /** Somebody wants it gone. */
  onDismiss(viewer: HlsViewer, reason: string): void;
}

const nothingReceived: Kbps = { average: 0, last30s: 0, last5m: 0 };

export class HlsViewer implements RegisteredClient {
  readonly type = 'play';
  readonly hasFailed = false;
  readonly pendingBytes = 0;
  readonly traffic: RegisteredClient['traffic'];
  readonly #options: HlsViewerOptions;
  readonly #startedMs: number;
  readonly #sendRate: RateMeter;
  #countedBytes = 0;
  #sendBytes = 0;
  #end: ClientEnd | undefined;

  constructor(options: HlsViewerOptions) {
    this.#options = options;
    this.#startedMs = options.clock.nowMs();
    this.#sendRate = new RateMeter(options.clock);
    const sendBytes = (): number => this.#takeSentBytes();
    this.traffic = {
      recvBytes: 0,
      get sendBytes() {
        return sendBytes();
      },
      sample: () => void this.#sendRate.sample(sendBytes()),
    };
  }

  get cid(): number {
    return this.#options.identity.cid;
  }

  get place(): AddressPlace {
    return this.#options.place;
  }

  get entry(): number {
    return this.#options.entry;
  }

  get target(): AdmittedStream {
    return this.#options.target;
  }

  get streamId(): string {
    return this.#options.target.streamId;
  }

  describe(): ClientDescription {
    const { ip, app, tcUrl, pageUrl, userAgent, cid } = this.#options.identity;
    const { vhost, stream } = this.#options.target;
    const { sendBytes } = this.traffic;
    return {
      id: cid,
      ip,
      type: this.type,
      protocol: 'hls',
      dialect: '',
      vhost: vhost.name,
      app,
      stream,
      streamId: this.streamId,
      tcUrl,
      pageUrl,
      swfUrl: '',
      flashVer: userAgent,
      aliveSeconds: this.#aliveSeconds,
      sendBytes,
      recvBytes: 0,
      sendKbps: this.#sendRate.sample(sendBytes),
      recvKbps: nothingReceived,
      pendingBytes: 0,
      source: null,
    };
  }

  departure(): Omit<Departure, 'agoSeconds'> {
    return {
      id: this.cid,
      ip: this.#options.identity.ip,
      type: this.type,
      streamId: this.streamId,
      aliveSeconds: this.#aliveSeconds,
      ...(this.#end ?? { isRefused: false, reason: 'asked for nothing any more' }),
    };
  }

  dismiss(reason: string): void {
    this.#options.onDismiss(this, reason);
  }

  destroy(): void {
    this.#options.onDismiss(this, 'the server stops');
  }

  /** It is over: hook servers are told. */
  finish(reason: string): void {
    if (this.#end !== undefined) return;
    this.#end = { isRefused: false, reason };
    const { hooks, place, log } = this.#options;
    hooks.end();
    hooks.close({ sendBytes: this.traffic.sendBytes, recvBytes: 0 });
    place.end('play');
    log.trace(`HLS viewer of ${this.streamId}: ${reason}`);
  }

  get #aliveSeconds(): number {
    return Math.round((this.#options.clock.nowMs() - this.#startedMs) / 1000);
  }

  /** The table counts modulo 2^32, and is looked at more often than that many bytes are sent. */
  #takeSentBytes(): number {
    if (this.#end !== undefined) return this.#sendBytes;
    const counted = this.#options.table.sentBytes(this.#options.entry);
    this.#sendBytes += (counted - this.#countedBytes) >>> 0;
    this.#countedBytes = counted;
    return this.#sendBytes;
  }
}
