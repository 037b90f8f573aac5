/** A worker's side of the directory: asks the back-sources, and tells a restarted one what this worker holds. */
import type { ServerAddress } from '@srs/config';
import {
  Channel,
  type DirectoryProtocol,
  type Lease,
  type Link,
  type OwedNotice,
  type PublishAnswer,
  type PublishedPlace,
  type PublisherInfo,
  type RevokeReason,
  type RingRef,
  type StreamState,
} from '@srs/control';
import { type Log, SrsError } from '@srs/kernel';

export interface DirectoryClientOptions {
  readonly slot: number;
  readonly pid: number;
  readonly backSourceCount: number;
  /** Opens a link to one back-source; rejects while it is not there. */
  connect(backSource: number): Promise<Link>;
  readonly log: Log;
}

/** A publish of this worker. */
export interface HeldLease {
  /** The current value; its ring changes when the stream outgrows it. */
  readonly lease: Lease;
  /** Newest timestamp written, told to a back-source that takes over. */
  lastTimestampMs(): number;
  /** The lease is over; the writer must stop and then call `unpublish`. */
  onRevoked(reason: RevokeReason, detail: string): void;
}

export interface PublishRequest {
  readonly streamId: string;
  readonly cid: number;
  readonly ip: string;
  readonly param: string;
  readonly tcUrl: string;
  readonly busy: 'reject' | 'replace';
  /** Names of the servers that the stream has passed through before this one. */
  readonly hops: readonly string[];
}

/** Where the right to write a stream is had from. */
export interface PublishDirectory {
  /** @throws SrsError ControlTimeout when there is no answer */
  publish(request: PublishRequest): Promise<PublishAnswer>;
  /** Who publishes the stream; null when nobody does. @throws SrsError as `publish` */
  publisherOf(streamId: string): Promise<PublisherInfo | null>;
  /** The publisher is writing, and wants to hear of the end of its lease. */
  hold(lease: HeldLease): void;
  /** @returns null when there is no bigger ring to be had */
  grow(lease: Lease, capacityBytes: number): Promise<RingRef | null>;
  moved(lease: Lease): void;
  unpublish(lease: Lease, lastTimestampMs: number): void;
}

/** Who follows a stream in this worker. */
export interface Subscriber {
  onState(state: StreamState): void;
  /** Newest timestamp that players of this worker may have been given, told to a back-source that takes over; 0 for none. */
  readonly lastTimestampMs: number;
  /** Of the first viewer, from the `?` on; empty without one. */
  readonly param: string;
}

const RECONNECT_FIRST_MS = 20;
const RECONNECT_MAX_MS = 500;
/** How long a request waits for a back-source that is being restarted. */
const ANSWER_TIMEOUT_MS = 5_000;
const HELLO_TIMEOUT_MS = 10_000;
const MAX_REVOKED_EARLY = 1_000;

/** FNV-1a: the same stream must go to the same back-source in every process. */
export function backSourceOf(streamId: string, backSourceCount: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < streamId.length; index += 1) {
    hash = Math.imul(hash ^ streamId.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) % backSourceCount;
}

export class DirectoryClient implements PublishDirectory {
  readonly #options: DirectoryClientOptions;
  readonly #connections: Connection[];
  readonly #leases = new Map<string, HeldLease>();
  /** Leases that were revoked before their publisher held them. */
  readonly #revokedEarly = new Map<string, { readonly reason: RevokeReason; readonly detail: string }>();
  readonly #subscriptions = new Map<string, Subscriber>();
  readonly #readRings = new Map<string, RingRef>();
  readonly #owed = new Map<number, OwedNotice>();
  #nextOwed = 1;
  #isClosed = false;

  constructor(options: DirectoryClientOptions) {
    this.#options = options;
    this.#connections = Array.from({ length: options.backSourceCount }, (_, index) => new Connection(index, this.#host()));
  }

  /** Resolves when every back-source has been reached once. */
  async start(): Promise<void> {
    for (const connection of this.#connections) connection.open();
    await Promise.all(this.#connections.map((connection) => connection.connected(HELLO_TIMEOUT_MS)));
  }

  /** Which back-sources answer at the moment, for the private API. */
  connectedBackSources(): readonly boolean[] {
    return this.#connections.map((connection) => connection.isConnected);
  }

  /** @throws SrsError ControlTimeout when the back-source did not answer, though it was given the time to restart */
  publish(request: PublishRequest): Promise<PublishAnswer> {
    return this.#ask(request.streamId, (channel, leftMs) =>
      channel.request('publish', request, leftMs, (late) => {
        // Nobody waits for it any more; kept, it would block the stream.
        if (late.isGranted) channel.notify('unpublish', { leaseId: late.lease.leaseId, lastTimestampMs: 0 });
      }),
    );
  }

  /**
   * Who publishes the stream; null when nobody does.
   * @throws SrsError as `publish`
   */
  async publisherOf(streamId: string): Promise<PublisherInfo | null> {
    return (await this.#ask(streamId, (channel, leftMs) => channel.request('publisher', { streamId }, leftMs))).publisher;
  }

  /**
   * Which other server has the stream; null when it is here, or no server is known in time.
   * @throws SrsError as `publish`
   */
  async whereIs(streamId: string): Promise<ServerAddress | null> {
    return (await this.#ask(streamId, (channel, leftMs) => channel.request('whereabouts', { streamId }, leftMs))).address;
  }

  /**
   * What other servers are told of the stream; null unless it has its publisher on this server.
   * @param seenAs the host by which they know this server; empty when they do not say
   * @throws SrsError as `publish`
   */
  async placeOf(streamId: string, seenAs: string): Promise<PublishedPlace | null> {
    return (await this.#ask(streamId, (channel, leftMs) => channel.request('place', { streamId, seenAs }, leftMs))).place;
  }

  /**
   * The publisher is writing: from now on the lease is told again to a restarted back-source. One that was revoked in the
   * meantime, by a publisher that came at the same moment, is told so a turn later.
   */
  hold(lease: HeldLease): void {
    const { leaseId } = lease.lease;
    this.#leases.set(leaseId, lease);
    const early = this.#revokedEarly.get(leaseId);
    if (early === undefined) return;
    this.#revokedEarly.delete(leaseId);
    setImmediate(() => this.#leases.get(leaseId)?.onRevoked(early.reason, early.detail));
  }

  /**
   * @returns null when there is no bigger ring to be had
   * @throws SrsError as `publish`
   */
  async grow(lease: Lease, capacityBytes: number): Promise<RingRef | null> {
    const request = { leaseId: lease.leaseId, capacityBytes };
    return (await this.#ask(lease.streamId, (channel, leftMs) => channel.request('grow', request, leftMs))).ring;
  }

  moved(lease: Lease): void {
    this.#connectionOf(lease.streamId).channel?.notify('moved', { leaseId: lease.leaseId });
  }

  unpublish(lease: Lease, lastTimestampMs: number): void {
    this.#leases.delete(lease.leaseId);
    this.#connectionOf(lease.streamId).channel?.notify('unpublish', { leaseId: lease.leaseId, lastTimestampMs });
  }

  /** One subscriber per stream and worker. It hears the state now (as soon as it is known) and at every change. */
  subscribe(streamId: string, subscriber: Subscriber): void {
    this.#subscriptions.set(streamId, subscriber);
    // While the back-source is away nothing is lost: `hello` names every subscription.
    this.#connectionOf(streamId).channel?.notify('subscribe', { streamId, param: subscriber.param });
  }

  unsubscribe(streamId: string): void {
    this.#subscriptions.delete(streamId);
    this.#connectionOf(streamId).channel?.notify('unsubscribe', { streamId });
  }

  /** This worker looks at the ring: its memory must stay. */
  holdRing(ring: RingRef): void {
    this.#readRings.set(ringKey(ring), ring);
  }

  /** The last reader of this worker has left the ring. */
  releaseRing(ring: RingRef): void {
    this.#readRings.delete(ringKey(ring));
    this.#connections[ring.arena]?.channel?.notify('release', { ring });
  }

  /**
   * Puts a notice into the keeping of the first back-source, which tells it when this process dies before `settle`.
   * @returns what `settle` takes; above 0
   */
  owe(notice: Omit<OwedNotice, 'id'>): number {
    const owed = { ...notice, id: this.#nextOwed };
    this.#nextOwed += 1;
    this.#owed.set(owed.id, owed);
    // While the back-source is away nothing is lost: `hello` names all that is owed.
    this.#connections[0]?.channel?.notify('owe', owed);
    return owed.id;
  }

  settle(id: number): void {
    if (this.#owed.delete(id)) this.#connections[0]?.channel?.notify('settled', { id });
  }

  close(): void {
    this.#isClosed = true;
    for (const connection of this.#connections) connection.close();
  }

  /** A back-source that died while it was asked is asked again; its successor knows nothing of the first request. */
  async #ask<T>(streamId: string, request: (channel: DirectoryChannel, leftMs: number) => Promise<T>): Promise<T> {
    const connection = this.#connectionOf(streamId);
    const deadlineMs = performance.now() + ANSWER_TIMEOUT_MS;
    for (;;) {
      const leftMs = deadlineMs - performance.now();
      const channel = await connection.connected(leftMs);
      try {
        return await request(channel, leftMs);
      } catch (error) {
        if (!channel.isClosed || performance.now() >= deadlineMs) throw error;
      }
    }
  }

  #connectionOf(streamId: string): Connection {
    return this.#connections[backSourceOf(streamId, this.#connections.length)]!;
  }

  #deliver(state: StreamState): void {
    const subscriber = this.#subscriptions.get(state.streamId);
    if (subscriber !== undefined) subscriber.onState(state);
    else if (state.ring !== null && !this.#readRings.has(ringKey(state.ring))) this.releaseRing(state.ring);
  }

  #onRevoke(leaseId: string, reason: RevokeReason, detail: string): void {
    const lease = this.#leases.get(leaseId);
    if (lease !== undefined) {
      lease.onRevoked(reason, detail);
      return;
    }
    // Unless it has just been given up, it is on its way to `hold`. The oldest is certainly of the other kind.
    this.#revokedEarly.set(leaseId, { reason, detail });
    const [oldest] = this.#revokedEarly.keys();
    if (this.#revokedEarly.size > MAX_REVOKED_EARLY && oldest !== undefined) this.#revokedEarly.delete(oldest);
  }

  #host(): ConnectionHost {
    return {
      connect: (index) => this.#options.connect(index),
      isClosed: () => this.#isClosed,
      log: this.#options.log,
      held: (index) => {
        const isOwn = (streamId: string): boolean => backSourceOf(streamId, this.#connections.length) === index;
        return {
          slot: this.#options.slot,
          pid: this.#options.pid,
          leases: Array.from(this.#leases.values())
            .filter((held) => isOwn(held.lease.streamId))
            .map((held) => ({ ...held.lease, lastTimestampMs: held.lastTimestampMs() })),
          subscriptions: Array.from(this.#subscriptions)
            .filter(([streamId]) => isOwn(streamId))
            .map(([streamId, { lastTimestampMs, param }]) => ({ streamId, lastTimestampMs, param })),
          readRings: Array.from(this.#readRings.values()).filter((ring) => ring.arena === index),
          owed: index === 0 ? Array.from(this.#owed.values()) : [],
        };
      },
      onStream: (state) => this.#deliver(state),
      onRevoke: (leaseId, reason, detail) => this.#onRevoke(leaseId, reason, detail),
    };
  }
}

const ringKey = (ring: RingRef): string => `${ring.arena}.${ring.index}.${ring.generation}`;

type DirectoryChannel = Channel<DirectoryProtocol>;

interface ConnectionHost {
  connect(index: number): Promise<Link>;
  isClosed(): boolean;
  readonly log: Log;
  held(index: number): DirectoryProtocol['requests']['hello']['request'];
  onStream(state: StreamState): void;
  onRevoke(leaseId: string, reason: RevokeReason, detail: string): void;
}

/** Keeps a channel to one back-source: opens it again with back-off whenever it is lost. */
class Connection {
  readonly #index: number;
  readonly #host: ConnectionHost;
  #channel: DirectoryChannel | undefined;
  #waiting: ((channel: DirectoryChannel) => void)[] = [];
  #retryTimer: NodeJS.Timeout | undefined;
  #retryMs = RECONNECT_FIRST_MS;

  constructor(index: number, host: ConnectionHost) {
    this.#index = index;
    this.#host = host;
  }

  /** Undefined while there is no connection. */
  get channel(): DirectoryChannel | undefined {
    return this.#channel;
  }

  get isConnected(): boolean {
    return this.#channel !== undefined;
  }

  open(): void {
    void this.#tryOpen();
  }

  close(): void {
    clearTimeout(this.#retryTimer);
    this.#channel?.close();
    this.#channel = undefined;
  }

  /** @throws SrsError ControlTimeout */
  connected(timeoutMs: number): Promise<DirectoryChannel> {
    if (this.#channel !== undefined) return Promise.resolve(this.#channel);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((waiting) => waiting !== done);
        reject(new SrsError('ControlTimeout', `back-source ${this.#index}: not reached within ${Math.round(timeoutMs)} ms`));
      }, timeoutMs);
      const done = (channel: DirectoryChannel): void => {
        clearTimeout(timer);
        resolve(channel);
      };
      this.#waiting.push(done);
    });
  }

  async #tryOpen(): Promise<void> {
    if (this.#host.isClosed()) return;
    try {
      const link = await this.#host.connect(this.#index);
      if (this.#host.isClosed()) {
        link.close();
        return;
      }
      const channel: DirectoryChannel = new Channel<DirectoryProtocol>(link, {
        notifications: {
          stream: (state) => this.#host.onStream(state),
          revoke: ({ leaseId, reason, detail }) => this.#host.onRevoke(leaseId, reason, detail),
        },
        onClose: () => this.#lost(channel),
      });
      // In use at once: whatever is sent from now on arrives after `hello`, which names all that was there before.
      this.#channel = channel;
      await channel.request('hello', this.#host.held(this.#index), HELLO_TIMEOUT_MS);
      this.#retryMs = RECONNECT_FIRST_MS;
      for (const done of this.#waiting.splice(0)) done(channel);
    } catch {
      // Not there yet: it is being restarted. The master tells why it died.
      this.#channel?.close();
      this.#channel = undefined;
      this.#retry();
    }
  }

  #lost(channel: DirectoryChannel): void {
    if (this.#channel !== channel) return;
    this.#channel = undefined;
    if (this.#host.isClosed()) return;
    this.#host.log.warn(`back-source ${this.#index} is gone; what plays goes on, connecting again`);
    this.#retry();
  }

  #retry(): void {
    if (this.#host.isClosed()) return;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => void this.#tryOpen(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, RECONNECT_MAX_MS);
  }
}
