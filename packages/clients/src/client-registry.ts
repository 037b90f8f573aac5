/** The clients of one server of a process: who is there, who was turned away, what all of them have moved. */
import { type AddressLimiter, AddressPlace } from '@srs/access';
import type { Lease } from '@srs/control';
import { type Clock, type Kbps, type Log, RateMeter } from '@srs/kernel';
import type { StreamWriterStatistics } from '@srs/stream';
import type { ClientDescription, ClientType } from './client-description.ts';
import type { RedirectAnswer } from './client-redirect.ts';
import { type Departure, Departures } from './departures.ts';
import { type StreamTraffic, StreamTraffics } from './stream-traffic.ts';
import { TurnedAway } from './turned-away.ts';

/** Bytes of all clients since the start, those that have left included. */
export interface TotalTraffic {
  readonly recvBytes: number;
  readonly sendBytes: number;
  readonly recvKbps: Kbps;
  readonly sendKbps: Kbps;
}

/** Connections since the start. */
export interface ConnectionCounts {
  readonly accepted: number;
  /** Closed at once because there were too many. */
  readonly turnedAway: number;
  /** Ended by the server because of an error or a refusal; those who just leave are none. */
  readonly failed: number;
}

/** A client as the registry sees it. */
export interface RegisteredClient {
  /** Trackable id. */
  readonly cid: number;
  readonly type: ClientType;
  /** Empty while it has none. */
  readonly streamId: string;
  readonly place: AddressPlace;
  readonly pendingBytes: number;
  readonly traffic: { readonly recvBytes: number; readonly sendBytes: number; sample(): void };
  /** The server ends it, or has, because of an error or a refusal. */
  readonly hasFailed: boolean;
  /** What it writes; absent unless it publishes. */
  readonly publishing?: { readonly lease: Lease; readonly statistics: StreamWriterStatistics } | undefined;
  describe(): ClientDescription;
  /** Of one that is over. */
  departure(): Omit<Departure, 'agoSeconds'>;
  /** Tells it that the server ends, and lets go of it when it has heard, or after a moment. */
  dismiss(reason: string): void;
  /** Sends it to another server, whatever it does. Absent, or false, for one that cannot be: it stays. */
  sendTo?(answer: RedirectAnswer): boolean;
  destroy(): void;
}

export interface ClientRegistryOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Counts the clients of each address over all processes. */
  readonly addresses: AddressLimiter;
  maxConnections(): number;
  /** Counts a connection; false when the server has as many as it may have. */
  claimConnection(): boolean;
  releaseConnection(): void;
}

/** How often the rates of all connections are measured. */
const RATE_SAMPLE_MS = 5_000;

export class ClientRegistry<Client extends RegisteredClient = RegisteredClient> {
  readonly #options: ClientRegistryOptions;
  readonly #clients = new Set<Client>();
  readonly #turnedAway: TurnedAway;
  readonly #departures: Departures;
  readonly #streams: StreamTraffics;
  readonly #rateTimer: NodeJS.Timeout;
  readonly #recvRate: RateMeter;
  readonly #sendRate: RateMeter;
  /** Bytes of clients that have left. */
  #goneRecvBytes = 0;
  #goneSendBytes = 0;
  #acceptedCount = 0;
  #turnedAwayCount = 0;
  #failedCount = 0;
  #onEmpty: (() => void) | undefined;

  constructor(options: ClientRegistryOptions) {
    const { clock, log } = options;
    this.#options = options;
    this.#turnedAway = new TurnedAway(log, clock);
    this.#departures = new Departures(clock);
    this.#streams = new StreamTraffics(clock);
    this.#recvRate = new RateMeter(clock);
    this.#sendRate = new RateMeter(clock);
    this.#rateTimer = setInterval(() => {
      for (const client of this.#clients) client.traffic.sample();
      this.#streams.sample(this.#clients);
      this.traffic();
    }, RATE_SAMPLE_MS);
  }

  /** Those who are there. */
  clients(): ReadonlySet<Client> {
    return this.#clients;
  }

  find(cid: number): Client | undefined {
    for (const client of this.#clients) if (client.cid === cid) return client;
    return undefined;
  }

  /** Counts a new connection. @returns its place; undefined when it is one too many, which is told and counted: it is to be closed */
  admit(ip: string): AddressPlace | undefined {
    const { addresses, log } = this.#options;
    const place = addresses.connect(ip);
    if (!(place instanceof AddressPlace)) {
      this.turnAway(place.text);
      return undefined;
    }
    if (!this.#options.claimConnection()) {
      place.leave();
      log.error(`client ${ip} refused: max_connections ${this.#options.maxConnections()} are in use`);
      this.#turnedAwayCount += 1;
      return undefined;
    }
    this.#acceptedCount += 1;
    return place;
  }

  /** Tells and counts a connection that the caller closes before it has a place. @param reason with the address and the limit */
  turnAway(reason: string): void {
    this.#turnedAway.add(reason);
    this.#turnedAwayCount += 1;
  }

  add(client: Client): void {
    this.#clients.add(client);
  }

  /** Who was admitted has not become a client: it was refused, or has left. */
  abandon(place: AddressPlace): void {
    place.leave();
    this.#failedCount += 1;
    this.#options.releaseConnection();
  }

  /** The client is gone for good. */
  onClosed(client: Client): void {
    this.#clients.delete(client);
    this.#departures.add(client.departure());
    client.place.leave();
    if (client.hasFailed) this.#failedCount += 1;
    this.#goneRecvBytes += client.traffic.recvBytes;
    this.#goneSendBytes += client.traffic.sendBytes;
    this.#streams.onClosed(client);
    this.#options.releaseConnection();
    if (this.#clients.size === 0) this.#onEmpty?.();
  }

  traffic(): TotalTraffic {
    let recvBytes = this.#goneRecvBytes;
    let sendBytes = this.#goneSendBytes;
    for (const client of this.#clients) {
      recvBytes += client.traffic.recvBytes;
      sendBytes += client.traffic.sendBytes;
    }
    return { recvBytes, sendBytes, recvKbps: this.#recvRate.sample(recvBytes), sendKbps: this.#sendRate.sample(sendBytes) };
  }

  /** Clients that have left, the newest first; only the last ones are known. */
  departures(): readonly Departure[] {
    return this.#departures.list();
  }

  counts(): ConnectionCounts {
    return { accepted: this.#acceptedCount, turnedAway: this.#turnedAwayCount, failed: this.#failedCount };
  }

  /** What the clients of each stream have moved, by stream id. */
  streamTraffic(): ReadonlyMap<string, StreamTraffic> {
    return this.#streams.statistics(this.#clients);
  }

  /** Tells those who are there, and waits for them to go: `graceMs` at most. */
  async close(graceMs: number): Promise<void> {
    clearInterval(this.#rateTimer);
    for (const client of this.#clients) client.dismiss('the server stops');
    if (this.#clients.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, graceMs);
      this.#onEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    for (const client of this.#clients) client.destroy();
  }
}
