import type { RingRef, StreamState, Subscription } from '@srs/control';
import { silentLog } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { Directory, type DirectoryPeer, type HeldByWorker, type RingStore } from './directory.ts';

class FakeStore implements RingStore {
  readonly freed: number[] = [];
  readonly ended: number[] = [];
  limit = 100;
  #next = 1;
  readonly #inherited: readonly RingRef[];

  constructor(inherited: readonly RingRef[] = []) {
    this.#inherited = inherited;
    this.#next += inherited.length;
  }

  allocate(): RingRef | undefined {
    return this.#ring(1 << 20);
  }

  allocateBigger(previous: RingRef): RingRef | undefined {
    return this.#ring(previous.sizeBytes * 4);
  }

  free(ring: RingRef): void {
    this.freed.push(ring.index);
  }

  endForDeadWriter(ring: RingRef): number {
    this.ended.push(ring.index);
    return 5000;
  }

  inherited(): readonly RingRef[] {
    return this.#inherited;
  }

  #ring(sizeBytes: number): RingRef | undefined {
    if (this.#next > this.limit) return undefined;
    const index = this.#next;
    this.#next += 1;
    return { arena: 0, index, generation: index + 1000, offset: index << 20, sizeBytes };
  }
}

interface TestPeer extends DirectoryPeer {
  readonly states: StreamState[];
  readonly revoked: string[];
}

function peer(slot: number): TestPeer {
  const states: StreamState[] = [];
  const revoked: string[] = [];
  return {
    slot,
    pid: 1000 + slot,
    hasViewers: true,
    states,
    revoked,
    tellStream: (state) => states.push(state),
    tellRevoke: (leaseId, reason, detail) => revoked.push(`${leaseId} ${reason} ${detail}`),
  };
}

const follows = (lastTimestampMs: number): Subscription => ({ streamId: 'v/a/s', lastTimestampMs, param: '' });
const nothing: HeldByWorker = { leases: [], subscriptions: [], readRings: [] };

function setUp(options: { readonly store?: FakeStore; readonly expected?: readonly DirectoryPeer[] } = {}) {
  const store = options.store ?? new FakeStore();
  const demands: string[] = [];
  const directory = new Directory({
    store,
    log: silentLog,
    leasePrefix: 'L',
    expected: options.expected ?? [],
    observer: {
      onPublished: () => {},
      onUnpublished: () => {},
      onDemand: (streamId, isWanted, param) => demands.push(`${streamId} ${isWanted ? `wanted ${param}` : 'unwanted'}`),
    },
  });
  const [writer, reader] = [peer(1), peer(2)];
  if (options.expected === undefined) {
    directory.hello(writer, nothing);
    directory.hello(reader, nothing);
  }
  return { store, directory, writer, reader, demands };
}

const publishOf = (streamId: string, busy: 'reject' | 'replace' = 'reject', ip = '10.0.0.1') => ({
  streamId,
  cid: 7,
  ip,
  param: '',
  tcUrl: '',
  busy,
  isPulled: false,
  hops: [],
});

function granted(
  directory: Directory,
  from: DirectoryPeer,
  streamId = 'v/a/s',
  busy: 'reject' | 'replace' = 'reject',
  ip?: string,
) {
  const answer = directory.publish(from, publishOf(streamId, busy, ip));
  if (!answer.isGranted) throw new Error(`refused: ${answer.reason}`);
  return answer;
}

describe('Directory', () => {
  it('tells a subscriber of a publish that begins and ends, on whatever worker it is', () => {
    const { directory, writer, reader } = setUp();
    directory.subscribe(reader, 'v/a/s', '');
    const { lease } = granted(directory, writer);
    directory.unpublish(lease.leaseId, 100);
    expect(reader.states.map((state) => state.ring?.index)).toEqual([undefined, lease.ring.index, undefined]);
    expect(reader.states[1]?.publisher).toMatchObject({ slot: 1, cid: 7 });
  });

  it('tells that a stream is wanted from the first worker with viewers to the last', () => {
    const { directory, writer, reader, demands } = setUp();
    directory.subscribe({ ...peer(0), hasViewers: false }, 'v/a/s', '');
    expect(demands).toEqual([]);
    directory.subscribe(reader, 'v/a/s', '?token=t');
    directory.subscribe(reader, 'v/a/s', '?token=u');
    directory.subscribe(writer, 'v/a/s', '');
    granted(directory, writer);
    directory.unsubscribe(reader, 'v/a/s');
    expect(demands).toEqual(['v/a/s wanted ?token=t']);
    directory.workerGone(writer);
    expect(demands).toEqual(['v/a/s wanted ?token=t', 'v/a/s unwanted']);
    directory.subscribe(reader, 'v/a/s', '');
    expect(demands.slice(2)).toEqual(['v/a/s wanted ']);
  });

  it('lets a publisher take the place of what is pulled from another server, and nothing else the other way round', () => {
    const { directory, writer, reader } = setUp();
    const pulled = directory.publish(reader, { ...publishOf('v/a/s'), isPulled: true });
    expect(pulled).toMatchObject({ isGranted: true, lease: { isPulled: true } });
    const own = granted(directory, writer);
    expect(own.lease.isPulled).toBe(false);
    expect(reader.revoked).toEqual([expect.stringMatching(/replaced 10\.0\.0\.1$/)]);
    expect(directory.publish(reader, { ...publishOf('v/a/s'), isPulled: true })).toMatchObject({
      isGranted: false,
      reason: 'busy',
    });
  });

  it('refuses a second publisher and says who the first one is', () => {
    const { directory, writer, reader } = setUp();
    granted(directory, writer);
    expect(directory.publish(reader, publishOf('v/a/s'))).toEqual({
      isGranted: false,
      reason: 'busy',
      publisher: { slot: 1, pid: 1001, cid: 7, ip: '10.0.0.1' },
    });
  });

  it('lets a newcomer replace the publisher: the old lease is revoked, readers get the new ring', () => {
    const { directory, store, writer, reader } = setUp();
    directory.subscribe(reader, 'v/a/s', '');
    const old = granted(directory, writer);
    const next = granted(directory, reader, 'v/a/s', 'replace', '10.0.0.2');
    expect(writer.revoked).toEqual([`${old.lease.leaseId} replaced 10.0.0.2`]);
    expect(next.startTimestampMs).toBe(5040);
    expect(reader.states.map((state) => state.ring?.index)).toEqual([undefined, old.lease.ring.index, next.lease.ring.index]);
    directory.release(reader, old.lease.ring);
    expect(store.freed).toEqual([]);
    directory.unpublish(old.lease.leaseId, 100);
    expect(store.freed).toEqual([old.lease.ring.index]);
    expect(directory.streams()[0]?.ring?.index).toBe(next.lease.ring.index);
  });

  it('gives a ring back when its writer has ended and its last reader has left, in either order', () => {
    const { directory, store, writer, reader } = setUp();
    directory.subscribe(reader, 'v/a/s', '');
    const { lease } = granted(directory, writer);
    directory.unpublish(lease.leaseId, 0);
    expect(store.freed).toEqual([]);
    directory.release(reader, lease.ring);
    expect(store.freed).toEqual([lease.ring.index]);
  });

  it("keeps the publisher's ring when a player on the same worker leaves", () => {
    const { directory, store, writer } = setUp();
    const { lease } = granted(directory, writer);
    directory.subscribe(writer, 'v/a/s', '');
    directory.release(writer, lease.ring);
    expect(store.freed).toEqual([]);
    directory.unpublish(lease.leaseId, 0);
    expect(store.freed).toEqual([lease.ring.index]);
  });

  it('ends the publishes of a dead worker and frees what it held', () => {
    const { directory, store, writer, reader } = setUp();
    directory.subscribe(reader, 'v/a/s', '');
    const { lease } = granted(directory, writer);
    directory.workerGone(writer);
    expect(store.ended).toEqual([lease.ring.index]);
    expect(reader.states.at(-1)?.ring).toBeNull();
    expect(store.freed).toEqual([]);
    directory.workerGone(reader);
    expect(store.freed).toEqual([lease.ring.index]);
    expect(directory.streamCount).toBe(0);
  });

  it('goes on with the timeline of players that wait, and begins at 0 when nobody waits', () => {
    const { directory, writer, reader } = setUp();
    directory.subscribe(reader, 'v/a/s', '');
    directory.unpublish(granted(directory, writer).lease.leaseId, 9000);
    expect(granted(directory, writer).startTimestampMs).toBe(9040);
    expect(granted(directory, writer, 'v/a/other').startTimestampMs).toBe(0);
  });

  it('moves a stream to a bigger ring when the writer says that it has moved', () => {
    const { directory, store, writer, reader } = setUp();
    directory.subscribe(reader, 'v/a/s', '');
    const { lease } = granted(directory, writer);
    const bigger = directory.grow(lease.leaseId, 4 << 20);
    expect(reader.states.at(-1)?.ring).toEqual(lease.ring);
    directory.moved(lease.leaseId);
    expect(reader.states.at(-1)?.ring).toEqual(bigger);
    directory.release(reader, lease.ring);
    expect(store.freed).toEqual([lease.ring.index]);
    directory.unpublish(lease.leaseId, 0);
    directory.release(reader, bigger!);
    expect(store.freed).toEqual([lease.ring.index, bigger!.index]);
  });

  it('frees a bigger ring that was asked for when the publish ends before the move', () => {
    const { directory, store, writer } = setUp();
    const { lease } = granted(directory, writer);
    const bigger = directory.grow(lease.leaseId, 4 << 20);
    directory.unpublish(lease.leaseId, 0);
    expect(store.freed.toSorted((a, b) => a - b)).toEqual([lease.ring.index, bigger!.index]);
  });

  it('says when there is no memory for another stream', () => {
    const store = new FakeStore();
    store.limit = 1;
    const { directory, writer } = setUp({ store });
    granted(directory, writer);
    expect(directory.publish(writer, publishOf('v/a/other'))).toMatchObject({ isGranted: false, reason: 'no-memory' });
    expect(directory.streamCount).toBe(1);
  });

  it('forgets 100,000 names that were asked for and left', () => {
    const { directory, reader } = setUp();
    for (let index = 0; index < 100_000; index += 1) {
      directory.subscribe(reader, `v/a/${index}`, '');
      directory.unsubscribe(reader, `v/a/${index}`);
    }
    expect(directory.streamCount).toBe(0);
  });
});

describe('a Directory that takes over from one that died', () => {
  const ring = (index: number): RingRef => ({
    arena: 0,
    index,
    generation: index + 1000,
    offset: index << 20,
    sizeBytes: 1 << 20,
  });
  const publisher = { slot: 1, pid: 1001, cid: 7, ip: '10.0.0.1' };
  const lease = {
    leaseId: 'old-1',
    streamId: 'v/a/s',
    ring: ring(1),
    publisher,
    param: '',
    tcUrl: '',
    isPulled: false,
    hops: [],
    lastTimestampMs: 77,
  };

  it('takes the word of the workers, and frees what nobody names', () => {
    const store = new FakeStore([ring(1), ring(2), ring(3)]);
    const [writer, reader] = [peer(1), peer(2)];
    const { directory } = setUp({ store, expected: [writer, reader] });
    directory.hello(writer, { ...nothing, leases: [lease] });
    expect(directory.isRecovered).toBe(false);
    expect(store.freed).toEqual([]);
    directory.hello(reader, { ...nothing, subscriptions: [follows(0)], readRings: [ring(2)] });
    expect(reader.states.map((state) => state.ring)).toEqual([ring(1)]);
    expect(directory.isRecovered).toBe(true);
    expect(store.freed).toEqual([3]);
    directory.release(reader, ring(2));
    expect(store.freed).toEqual([3, 2]);
  });

  it('tells a subscriber that came first of the lease that is claimed after it', () => {
    const [writer, reader] = [peer(1), peer(2)];
    const { directory } = setUp({ store: new FakeStore([ring(1)]), expected: [writer, reader] });
    directory.hello(reader, { ...nothing, subscriptions: [follows(0)] });
    directory.hello(writer, { ...nothing, leases: [lease] });
    expect(reader.states.map((state) => state.ring)).toEqual([ring(1)]);
  });

  it('says that a stream has ended only when no worker is left that might publish it', () => {
    const [writer, reader] = [peer(1), peer(2)];
    const { directory } = setUp({ store: new FakeStore([ring(1)]), expected: [writer, reader] });
    directory.hello(reader, { ...nothing, subscriptions: [follows(0)], readRings: [ring(1)] });
    expect(reader.states).toEqual([]);
    directory.workerGone(writer);
    expect(reader.states).toEqual([{ streamId: 'v/a/s', ring: null, publisher: null }]);
  });

  it('goes on with the timeline of players that wait, by the newest time any worker knows', () => {
    const [one, other] = [peer(1), peer(2)];
    const { directory } = setUp({ expected: [one, other] });
    directory.hello(one, { ...nothing, subscriptions: [follows(9000)] });
    directory.hello(other, { ...nothing, subscriptions: [follows(8000)] });
    expect(granted(directory, one).startTimestampMs).toBe(9040);
  });

  it('does not wait for a worker that died meanwhile', () => {
    const store = new FakeStore([ring(1)]);
    const writer = peer(1);
    const { directory } = setUp({ store, expected: [writer] });
    let isTold = false;
    directory.whenRecovered(() => {
      isTold = true;
    });
    directory.workerGone(writer);
    expect(isTold).toBe(true);
    expect(store.freed).toEqual([1]);
  });

  it('revokes the second of two leases of one stream', () => {
    const [first, second] = [peer(1), peer(2)];
    const { directory } = setUp({ store: new FakeStore([ring(1), ring(2)]), expected: [first, second] });
    directory.hello(first, { ...nothing, leases: [lease] });
    directory.hello(second, { ...nothing, leases: [{ ...lease, leaseId: 'old-2', ring: ring(2) }] });
    expect(second.revoked).toEqual(['old-2 conflict 10.0.0.1']);
    expect(directory.streams()[0]?.ring).toEqual(ring(1));
  });

  it('keeps what a worker holds that never spoke, until that worker dies', () => {
    const store = new FakeStore([ring(1)]);
    const hung = peer(1);
    const { directory } = setUp({ store, expected: [hung] });
    directory.giveUpRecovery();
    expect(store.freed).toEqual([]);
    // Whatever the others say and let go of: it may wake up and write.
    const reader = peer(2);
    directory.hello(reader, { ...nothing, readRings: [ring(1)] });
    directory.release(reader, ring(1));
    directory.workerGone(reader);
    expect(store.freed).toEqual([]);
    directory.workerGone(hung);
    expect(store.freed).toEqual([1]);
  });
});
