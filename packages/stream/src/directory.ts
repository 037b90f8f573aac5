/** The directory of a back-source: which stream is published where, who follows it, and who still looks at which ring. */
import type { Lease, PublishAnswer, PublisherInfo, RevokeReason, RingRef, StreamState, Subscription } from '@srs/control';
import { type Log, timestampDelta } from '@srs/kernel';

/** A connected worker as the directory sees it. */
export interface DirectoryPeer {
  readonly slot: number;
  readonly pid: number;
  /** Its viewers are reason enough to get a stream from another server. */
  readonly hasViewers: boolean;
  tellStream(state: StreamState): void;
  /** @param detail see `DirectoryProtocol` */
  tellRevoke(leaseId: string, reason: RevokeReason, detail: string): void;
}

/** Who makes something of every stream that is published. */
export interface DirectoryObserver {
  /** @param isFresh the publish begins; otherwise it has been running, and this back-source has been started meanwhile */
  onPublished(lease: Lease, isFresh: boolean): void;
  onUnpublished(streamId: string): void;
  /** Workers with viewers follow the stream, published or not, or none does any more. @param param of the first viewer */
  onDemand(streamId: string, isWanted: boolean, param: string): void;
}

/** The shared memory that rings are cut from. */
export interface RingStore {
  /** An empty ring of the first size, which can be opened at once; undefined when memory is used up. */
  allocate(): RingRef | undefined;
  /** Memory for a ring of that capacity if the limit allows, in any case bigger than `previous`; undefined when there is none. */
  allocateBigger(previous: RingRef, capacityBytes: number): RingRef | undefined;
  free(ring: RingRef): void;
  /** Marks the ring of a dead writer as ended, so that its readers stop waiting. Returns its newest timestamp. */
  endForDeadWriter(ring: RingRef): number;
  /** Rings that a back-source before this one had handed out. */
  inherited(): readonly RingRef[];
}

/** What a worker held before the back-source was restarted. */
export interface HeldByWorker {
  readonly leases: readonly (Lease & { readonly lastTimestampMs: number })[];
  readonly subscriptions: readonly Subscription[];
  readonly readRings: readonly RingRef[];
}

/** A worker is a process in a slot: a restarted one is another holder. */
type Holder = string;

interface StreamEntry {
  readonly streamId: string;
  lease: LeaseEntry | undefined;
  /** Where the timeline of the next publish starts while players wait. */
  nextTimestampMs: number;
  readonly subscribers: Set<Holder>;
  /** Those of the subscribers that have viewers. */
  readonly viewers: Set<Holder>;
}

interface LeaseEntry {
  lease: Lease;
  readonly holder: Holder;
  /** The ring that `grow` gave and `moved` has not confirmed yet. */
  grown: RingRef | undefined;
}

/** A worker can be both: the player beside the publisher must not give the publisher's memory away when it leaves. */
type HoldKind = 'writer' | 'reader';

interface RingEntry {
  readonly ring: RingRef;
  /** Handed out by a back-source before this one. */
  readonly isInherited: boolean;
  /** By kind and holder. */
  readonly holds: Set<string>;
}

/** The step between the end of one publish and the start of the next on the players' timeline. */
const REPUBLISH_STEP_MS = 40;

export interface DirectoryOptions {
  readonly store: RingStore;
  readonly log: Log;
  /** Makes lease ids unlike those of a back-source before this one. */
  readonly leasePrefix: string;
  /** Processes that lived when this back-source started: until each has said hello or died, unclaimed rings are kept. */
  readonly expected: readonly { readonly slot: number; readonly pid: number }[];
  readonly observer?: DirectoryObserver;
}

const holderOf = (process: { readonly slot: number; readonly pid: number }): Holder => `${process.slot}:${process.pid}`;
const ringKey = (ring: RingRef): string => `${ring.index}.${ring.generation}`;

/**
 * Pure state. Rules that hold throughout: a stream has one lease at most; a ring's memory is given back when its writer has
 * confirmed the end (or is dead) and its last reader has released it; a stream that nobody publishes and nobody follows is forgotten.
 */
export class Directory {
  readonly #store: RingStore;
  readonly #log: Log;
  readonly #leasePrefix: string;
  readonly #streams = new Map<string, StreamEntry>();
  /** Every lease whose worker has not confirmed its end, those that were taken over included. */
  readonly #leases = new Map<string, LeaseEntry>();
  readonly #rings = new Map<string, RingEntry>();
  readonly #peers = new Map<Holder, DirectoryPeer>();
  readonly #expected: Set<Holder>;
  readonly #observer: DirectoryObserver | undefined;
  #nextLease = 1;
  #recovered: (() => void)[] = [];
  #hasRecovered = false;

  constructor(options: DirectoryOptions) {
    this.#store = options.store;
    this.#log = options.log;
    this.#leasePrefix = options.leasePrefix;
    this.#observer = options.observer;
    this.#expected = new Set(options.expected.map(holderOf));
    for (const ring of this.#store.inherited()) this.#rings.set(ringKey(ring), { ring, isInherited: true, holds: new Set() });
    this.#settle();
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  get ringCount(): number {
    return this.#rings.size;
  }

  /** Every worker that held something has told what, or is not waited for. Until then a publish must wait: the stream may be taken. */
  get isRecovered(): boolean {
    return this.#hasRecovered;
  }

  /** Calls back once, when recovery is over (at once when it is). */
  whenRecovered(callback: () => void): void {
    if (this.isRecovered) callback();
    else this.#recovered.push(callback);
  }

  /** Stops waiting for workers that do not come back, a hung one for example; what they hold stays theirs until they die. */
  giveUpRecovery(): void {
    this.#onRecovered();
  }

  streams(): readonly StreamState[] {
    return Array.from(this.#streams.values(), stateOf);
  }

  publisherOf(streamId: string): PublisherInfo | null {
    return this.#streams.get(streamId)?.lease?.lease.publisher ?? null;
  }

  subscriberCount(streamId: string): number {
    return this.#streams.get(streamId)?.subscribers.size ?? 0;
  }

  /** A worker connected (again). It is told the states of what it follows. */
  hello(peer: DirectoryPeer, held: HeldByWorker): void {
    const holder = holderOf(peer);
    this.#peers.set(holder, peer);
    for (const lease of held.leases) this.#reassert(peer, holder, lease);
    for (const ring of held.readRings) this.#hold(ring, 'reader', holder);
    for (const { streamId, lastTimestampMs, param } of held.subscriptions) {
      const entry = this.#entry(streamId);
      const nextMs = lastTimestampMs + REPUBLISH_STEP_MS;
      if (lastTimestampMs > 0 && timestampDelta(entry.nextTimestampMs, nextMs) > 0) entry.nextTimestampMs = nextMs;
      this.subscribe(peer, streamId, param);
    }
    this.#expected.delete(holder);
    this.#settle();
  }

  publish(
    peer: DirectoryPeer,
    request: {
      readonly streamId: string;
      readonly cid: number;
      readonly ip: string;
      readonly param: string;
      readonly tcUrl: string;
      readonly busy: 'reject' | 'replace';
      readonly isPulled: boolean;
      readonly hops: readonly string[];
    },
  ): PublishAnswer {
    const { streamId, param, tcUrl, isPulled, hops } = request;
    const current = this.#streams.get(streamId)?.lease;
    if (current !== undefined && request.busy === 'reject' && !(current.lease.isPulled && !isPulled)) {
      return { isGranted: false, reason: 'busy', publisher: current.lease.publisher };
    }
    const ring = this.#store.allocate();
    if (ring === undefined) return { isGranted: false, reason: 'no-memory', publisher: null };
    const entry = this.#entry(streamId);
    if (current !== undefined) {
      // The old writer may hang and wake up much later: it keeps its ring until it confirms, and nobody reads that any more.
      const by = this.#peers.get(current.holder);
      entry.nextTimestampMs = this.#store.endForDeadWriter(current.lease.ring) + REPUBLISH_STEP_MS;
      by?.tellRevoke(current.lease.leaseId, 'replaced', request.ip);
      this.#log.warn(`publish of ${streamId} by ${current.lease.publisher.ip} is taken over by ${request.ip}`);
    }
    const holder = holderOf(peer);
    const publisher: PublisherInfo = { slot: peer.slot, pid: peer.pid, cid: request.cid, ip: request.ip };
    const leaseId = `${this.#leasePrefix}-${this.#nextLease}`;
    const lease: Lease = { leaseId, streamId, ring, publisher, param, tcUrl, isPulled, hops };
    this.#nextLease += 1;
    this.#hold(ring, 'writer', holder);
    entry.lease = { lease, holder, grown: undefined };
    this.#leases.set(lease.leaseId, entry.lease);
    this.#tellSubscribers(entry);
    const startTimestampMs = entry.subscribers.size > 0 ? entry.nextTimestampMs : 0;
    this.#observer?.onPublished(lease, true);
    return { isGranted: true, lease, startTimestampMs };
  }

  grow(leaseId: string, capacityBytes: number): RingRef | null {
    const entry = this.#leases.get(leaseId);
    if (entry === undefined || entry.grown !== undefined) return null;
    const ring = this.#store.allocateBigger(entry.lease.ring, capacityBytes);
    if (ring === undefined) return null;
    this.#hold(ring, 'writer', entry.holder);
    entry.grown = ring;
    return ring;
  }

  moved(leaseId: string): void {
    const entry = this.#leases.get(leaseId);
    if (entry?.grown === undefined) return;
    const old = entry.lease.ring;
    entry.lease = { ...entry.lease, ring: entry.grown };
    entry.grown = undefined;
    const stream = this.#streams.get(entry.lease.streamId);
    if (stream?.lease === entry) this.#tellSubscribers(stream);
    this.#release(old, 'writer', entry.holder);
  }

  unpublish(leaseId: string, lastTimestampMs: number): void {
    const entry = this.#leases.get(leaseId);
    if (entry === undefined) return;
    this.#endLease(entry, lastTimestampMs);
  }

  /** Disconnects who publishes the stream. @param why for the publisher's log */
  dismiss(streamId: string, why: string): void {
    const lease = this.#streams.get(streamId)?.lease;
    if (lease !== undefined) this.#peers.get(lease.holder)?.tellRevoke(lease.lease.leaseId, 'closed', why);
  }

  /** @param param of its first viewer */
  subscribe(peer: DirectoryPeer, streamId: string, param: string): void {
    const entry = this.#entry(streamId);
    const holder = holderOf(peer);
    entry.subscribers.add(holder);
    this.#tell(entry, peer);
    if (!peer.hasViewers || entry.viewers.has(holder)) return;
    entry.viewers.add(holder);
    if (entry.viewers.size === 1) this.#observer?.onDemand(streamId, true, param);
  }

  unsubscribe(peer: DirectoryPeer, streamId: string): void {
    const entry = this.#streams.get(streamId);
    if (entry !== undefined) this.#unsubscribe(entry, holderOf(peer));
  }

  release(peer: DirectoryPeer, ring: RingRef): void {
    this.#release(ring, 'reader', holderOf(peer));
  }

  /** The process is dead: what it published ends, what it looked at is free. */
  workerGone(process: { readonly slot: number; readonly pid: number }): void {
    const holder = holderOf(process);
    this.#peers.delete(holder);
    for (const entry of Array.from(this.#leases.values())) {
      if (entry.holder === holder) this.#endLease(entry, this.#store.endForDeadWriter(entry.lease.ring));
    }
    for (const entry of Array.from(this.#streams.values())) {
      this.#unsubscribe(entry, holder);
    }
    for (const entry of Array.from(this.#rings.values())) {
      this.#release(entry.ring, 'writer', holder);
      this.#release(entry.ring, 'reader', holder);
    }
    this.#expected.delete(holder);
    this.#settle();
  }

  #unsubscribe(entry: StreamEntry, holder: Holder): void {
    if (!entry.subscribers.delete(holder)) return;
    if (entry.viewers.delete(holder) && entry.viewers.size === 0) this.#observer?.onDemand(entry.streamId, false, '');
    this.#forgetIfIdle(entry);
  }

  #reassert(peer: DirectoryPeer, holder: Holder, held: Lease & { readonly lastTimestampMs: number }): void {
    const { lastTimestampMs: _, ...lease } = held;
    if (this.#leases.has(lease.leaseId)) return;
    const stream = this.#entry(lease.streamId);
    const entry: LeaseEntry = { lease, holder, grown: undefined };
    this.#leases.set(lease.leaseId, entry);
    this.#hold(lease.ring, 'writer', holder);
    if (stream.lease === undefined) {
      stream.lease = entry;
      this.#tellSubscribers(stream);
      this.#observer?.onPublished(lease, false);
    } else {
      peer.tellRevoke(lease.leaseId, 'conflict', stream.lease.lease.publisher.ip);
    }
  }

  #endLease(entry: LeaseEntry, lastTimestampMs: number): void {
    const { lease, holder } = entry;
    this.#leases.delete(lease.leaseId);
    const stream = this.#streams.get(lease.streamId);
    if (stream?.lease === entry) {
      stream.lease = undefined;
      stream.nextTimestampMs = lastTimestampMs + REPUBLISH_STEP_MS;
      this.#tellSubscribers(stream);
      this.#observer?.onUnpublished(lease.streamId);
      this.#forgetIfIdle(stream);
    }
    if (entry.grown !== undefined) this.#release(entry.grown, 'writer', holder);
    this.#release(lease.ring, 'writer', holder);
  }

  #entry(streamId: string): StreamEntry {
    let entry = this.#streams.get(streamId);
    if (entry === undefined) {
      entry = { streamId, lease: undefined, nextTimestampMs: 0, subscribers: new Set(), viewers: new Set() };
      this.#streams.set(streamId, entry);
    }
    return entry;
  }

  #tellSubscribers(entry: StreamEntry): void {
    for (const holder of entry.subscribers) {
      const peer = this.#peers.get(holder);
      if (peer !== undefined) this.#tell(entry, peer);
    }
  }

  /** Handing out the ring makes the worker one of its holders until it releases it. */
  #tell(entry: StreamEntry, peer: DirectoryPeer): void {
    const state = stateOf(entry);
    // Its publisher may be on a worker that has not spoken yet: whoever reads goes on until that is known.
    if (state.ring === null && !this.isRecovered) return;
    if (state.ring !== null) this.#hold(state.ring, 'reader', holderOf(peer));
    peer.tellStream(state);
  }

  #forgetIfIdle(entry: StreamEntry): void {
    if (entry.lease === undefined && entry.subscribers.size === 0) this.#streams.delete(entry.streamId);
  }

  #hold(ring: RingRef, kind: HoldKind, holder: Holder): void {
    const key = ringKey(ring);
    let entry = this.#rings.get(key);
    if (entry === undefined) {
      entry = { ring, isInherited: false, holds: new Set() };
      this.#rings.set(key, entry);
    }
    entry.holds.add(`${kind} ${holder}`);
  }

  #release(ring: RingRef, kind: HoldKind, holder: Holder): void {
    const entry = this.#rings.get(ringKey(ring));
    if (entry === undefined || !entry.holds.delete(`${kind} ${holder}`)) return;
    this.#freeIfUnheld(entry);
  }

  #freeIfUnheld(entry: RingEntry): void {
    if (entry.holds.size > 0 || !this.isRecovered) return;
    // A worker that has not spoken yet may still write it.
    if (entry.isInherited && this.#expected.size > 0) return;
    this.#rings.delete(ringKey(entry.ring));
    this.#store.free(entry.ring);
  }

  /** Once everybody has told what they hold, a ring that nobody named is free. */
  #settle(): void {
    if (this.#expected.size > 0) return;
    this.#onRecovered();
    for (const entry of Array.from(this.#rings.values())) this.#freeIfUnheld(entry);
  }

  #onRecovered(): void {
    if (this.#hasRecovered) return;
    this.#hasRecovered = true;
    for (const entry of this.#streams.values()) if (stateOf(entry).ring === null) this.#tellSubscribers(entry);
    for (const callback of this.#recovered.splice(0)) callback();
  }
}

function stateOf(entry: StreamEntry): StreamState {
  const lease = entry.lease?.lease;
  return { streamId: entry.streamId, ring: lease?.ring ?? null, publisher: lease?.publisher ?? null };
}
