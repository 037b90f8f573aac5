/** One viewer of HLS: who asked for a playlist, and goes on asking. It has no connection of its own. */
import type { AddressPlace, ViewerTable } from '@srs/access';
import {
  type AdmittedStream,
  type ClientDescription,
  type Departure,
  type HttpAdmission,
  HttpRecord,
  type RegisteredClient,
} from '@srs/clients';
import { type Clock, type Kbps, RateMeter } from '@srs/kernel';

export interface HlsViewerOptions extends HttpAdmission {
  readonly clock: Clock;
  readonly table: ViewerTable;
  /** Its place in the table. */
  readonly entry: number;
  /** Somebody wants it gone. */
  onDismiss(viewer: HlsViewer, reason: string): void;
}

/** The table counts only what was sent. */
const nothingReceived: Kbps = { average: 0, last30s: 0, last5m: 0 };

export class HlsViewer implements RegisteredClient {
  readonly type = 'play';
  readonly hasFailed = false;
  readonly pendingBytes = 0;
  readonly traffic: RegisteredClient['traffic'] & { readonly sendKbps: Kbps; readonly recvKbps: Kbps };
  readonly #options: HlsViewerOptions;
  readonly #record: HttpRecord;
  #countedBytes = 0;
  #sendBytes = 0;

  constructor(options: HlsViewerOptions) {
    this.#options = options;
    this.#record = new HttpRecord(options.identity, options.clock);
    const sendRate = new RateMeter(options.clock);
    const sendBytes = (): number => this.#takeSentBytes();
    this.traffic = {
      recvBytes: 0,
      recvKbps: nothingReceived,
      get sendBytes() {
        return sendBytes();
      },
      get sendKbps() {
        return sendRate.sample(sendBytes());
      },
      sample: () => void sendRate.sample(sendBytes()),
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
    return this.#record.describe(this, { protocol: 'hls', source: null });
  }

  departure(): Omit<Departure, 'agoSeconds'> {
    return this.#record.departure(this);
  }

  dismiss(reason: string): void {
    this.#options.onDismiss(this, reason);
  }

  destroy(): void {
    this.#options.onDismiss(this, 'the server stops');
  }

  /** It is over: hook servers are told. */
  finish(reason: string): void {
    if (this.#record.isEnded) return;
    this.#record.end(reason);
    const { hooks, place, log } = this.#options;
    hooks.end();
    hooks.close({ sendBytes: this.traffic.sendBytes, recvBytes: 0 });
    place.end('play');
    log.trace(`HLS viewer of ${this.streamId}: ${reason}`);
  }

  /** The table counts modulo 2^32, and is looked at more often than that many bytes are sent. */
  #takeSentBytes(): number {
    if (this.#record.isEnded) return this.#sendBytes;
    const counted = this.#options.table.sentBytes(this.#options.entry);
    this.#sendBytes += (counted - this.#countedBytes) >>> 0;
    this.#countedBytes = counted;
    return this.#sendBytes;
  }
}
