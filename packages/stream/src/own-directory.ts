/** The directory as its own back-source follows streams in it: no link in between. */
import type { RingRef } from '@srs/control';
import type { Directory, DirectoryPeer } from './directory.ts';
import type { Subscriber } from './directory-client.ts';
import type { StreamDirectory } from './live-stream.ts';

export class OwnDirectory implements StreamDirectory {
  readonly #directory: Directory;
  readonly #peer: DirectoryPeer;
  readonly #subscribers = new Map<string, Subscriber>();

  constructor(directory: Directory, process: { readonly slot: number; readonly pid: number }) {
    this.#directory = directory;
    this.#peer = {
      ...process,
      tellStream: (state) => this.#subscribers.get(state.streamId)?.onState(state),
      // It publishes nothing.
      tellRevoke: () => {},
    };
    directory.hello(this.#peer, { leases: [], subscriptions: [], readRings: [] });
  }

  subscribe(streamId: string, subscriber: Subscriber): void {
    this.#subscribers.set(streamId, subscriber);
    this.#directory.subscribe(this.#peer, streamId);
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
}
