/** The directory as its own back-source uses it, to read streams and to write those it gets from other servers: no link in between. */
import type { Lease, PublishAnswer, PublisherInfo, RingRef } from '@srs/control';
import type { Directory, DirectoryPeer } from './directory.ts';
import type { HeldLease, PublishDirectory, PublishRequest, Subscriber } from './directory-client.ts';
import type { StreamDirectory } from './live-stream.ts';

export class OwnDirectory implements StreamDirectory, PublishDirectory {
  readonly #directory: Directory;
  readonly #peer: DirectoryPeer;
  readonly #subscribers = new Map<string, Subscriber>();
  readonly #leases = new Map<string, HeldLease>();

  constructor(directory: Directory, process: { readonly slot: number; readonly pid: number }) {
    this.#directory = directory;
    this.#peer = {
      ...process,
      hasViewers: false,
      tellStream: (state) => this.#subscribers.get(state.streamId)?.onState(state),
      tellRevoke: (leaseId, reason, detail) => this.#leases.get(leaseId)?.onRevoked(reason, detail),
    };
    directory.hello(this.#peer, { leases: [], subscriptions: [], readRings: [] });
  }

  subscribe(streamId: string, subscriber: Subscriber): void {
    this.#subscribers.set(streamId, subscriber);
    this.#directory.subscribe(this.#peer, streamId, subscriber.param);
  }

  unsubscribe(streamId: string): void {
    this.#subscribers.delete(streamId);
    this.#directory.unsubscribe(this.#peer, streamId);
  }

  /** The directory notes it when it tells of a ring. */
  holdRing(): void {}

  releaseRing(ring: RingRef): void {
    this.#directory.release(this.#peer, ring);
  }

  /** As `publish`, with the answer at once. What is written here comes from another server. */
  begin(request: PublishRequest): PublishAnswer {
    return this.#directory.publish(this.#peer, { ...request, isPulled: true });
  }

  publish(request: PublishRequest): Promise<PublishAnswer> {
    return Promise.resolve(this.begin(request));
  }

  publisherOf(streamId: string): Promise<PublisherInfo | null> {
    return Promise.resolve(this.#directory.publisherOf(streamId));
  }

  hold(lease: HeldLease): void {
    this.#leases.set(lease.lease.leaseId, lease);
  }

  grow({ leaseId }: Lease, capacityBytes: number): Promise<RingRef | null> {
    return Promise.resolve(this.#directory.grow(leaseId, capacityBytes));
  }

  moved({ leaseId }: Lease): void {
    this.#directory.moved(leaseId);
  }

  unpublish({ leaseId }: Lease, lastTimestampMs: number): void {
    this.#leases.delete(leaseId);
    this.#directory.unpublish(leaseId, lastTimestampMs);
  }
}
