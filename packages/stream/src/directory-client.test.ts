import { setImmediate } from 'node:timers/promises';
import { Channel, type DirectoryProtocol, type Lease, type Link, linkPair, type RingRef, type StreamState } from '@srs/control';
import { silentLog } from '@srs/kernel';
import { afterEach, describe, expect, it } from 'vitest';
import { backSourceOf, DirectoryClient, type Subscriber } from './directory-client.ts';

const follower = (onState: (state: StreamState) => void): Subscriber => ({ onState, lastTimestampMs: 0, param: '?a=1' });

type Hello = DirectoryProtocol['requests']['hello']['request'];

const ring = (index: number): RingRef => ({ arena: 0, index, generation: index + 1000, offset: index << 20, sizeBytes: 1 << 20 });
const publisher = { slot: 1, pid: 42, cid: 7, ip: '10.0.0.1' };
const lease: Lease = {
  leaseId: 'L-1',
  streamId: 'v/a/s',
  ring: ring(1),
  publisher,
  param: '',
  tcUrl: '',
  isPulled: false,
  hops: [],
};

/** A back-source that can die and be started again. */
class TestBackSource {
  readonly hellos: Hello[] = [];
  readonly heard: string[] = [];
  states: StreamState[] = [];
  isUp = true;
  attempts = 0;
  #channel: Channel<DirectoryProtocol> | undefined;
  #onHello = Promise.withResolvers<void>();

  connect = async (): Promise<Link> => {
    this.attempts += 1;
    if (!this.isUp) throw new Error('not there');
    const [near, far] = linkPair();
    this.#channel = new Channel<DirectoryProtocol>(far, {
      requests: {
        hello: (body) => {
          this.hellos.push(body);
          this.#onHello.resolve();
          for (const state of this.states) this.tell(state);
          return null;
        },
        publish: () => ({ isGranted: true, lease, startTimestampMs: 0 }),
        publisher: () => ({ publisher }),
        grow: () => ({ ring: ring(2) }),
      },
      notifications: {
        subscribe: ({ streamId }) => void this.heard.push(`subscribe ${streamId}`),
        unpublish: ({ leaseId, lastTimestampMs }) => void this.heard.push(`unpublish ${leaseId} ${lastTimestampMs}`),
        unsubscribe: ({ streamId }) => void this.heard.push(`unsubscribe ${streamId}`),
        owe: ({ id }) => void this.heard.push(`owe ${id}`),
        settled: ({ id }) => void this.heard.push(`settled ${id}`),
        release: ({ ring: released }) => void this.heard.push(`release ${released.index}`),
      },
    });
    return near;
  };

  nextHello(): Promise<void> {
    this.#onHello = Promise.withResolvers<void>();
    return this.#onHello.promise;
  }

  die(): void {
    this.#channel?.close();
  }

  tell(state: StreamState): void {
    this.#channel?.notify('stream', state);
  }

  revoke(leaseId: string): void {
    this.#channel?.notify('revoke', { leaseId, reason: 'replaced', detail: '10.0.0.2' });
  }
}

const clients: DirectoryClient[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

async function setUp() {
  const backSource = new TestBackSource();
  const client = new DirectoryClient({ slot: 1, pid: 42, backSourceCount: 1, connect: backSource.connect, log: silentLog });
  clients.push(client);
  await client.start();
  return { backSource, client };
}

const request = { streamId: 'v/a/s', cid: 7, ip: '10.0.0.1', param: '', tcUrl: '', busy: 'reject', hops: [] } as const;

describe('DirectoryClient', () => {
  it('tells a restarted back-source its leases, subscriptions and the rings it reads', async () => {
    const { backSource, client } = await setUp();
    client.hold({ lease, lastTimestampMs: () => 77, onRevoked: () => {} });
    client.subscribe('v/a/other', { onState: () => {}, lastTimestampMs: 55, param: '?b=2' });
    client.holdRing(ring(5));
    const hello = backSource.nextHello();
    backSource.die();
    await hello;
    expect(backSource.hellos.at(-1)).toEqual({
      slot: 1,
      pid: 42,
      leases: [{ ...lease, lastTimestampMs: 77 }],
      subscriptions: [{ streamId: 'v/a/other', lastTimestampMs: 55, param: '?b=2' }],
      readRings: [ring(5)],
      owed: [],
    });
  });

  it('puts what is owed to hook servers into the keeping of the first back-source, and tells a restarted one what is left', async () => {
    const backSources = [new TestBackSource(), new TestBackSource()];
    const client = new DirectoryClient({
      slot: 1,
      pid: 42,
      backSourceCount: 2,
      connect: (index) => backSources[index]!.connect(),
      log: silentLog,
    });
    clients.push(client);
    await client.start();
    const notice = { event: 'on_close', vhost: 'v', cid: 7, ip: '10.0.0.1', body: '{}' } as const;
    const [first, second] = [client.owe(notice), client.owe(notice)];
    client.settle(first);
    client.settle(first);
    client.settle(0);
    await setImmediate();
    const hellos = backSources.map((backSource) => backSource.nextHello());
    for (const backSource of backSources) backSource.die();
    await Promise.all(hellos);
    expect(backSources.map(({ heard }) => heard)).toEqual([[`owe ${first}`, `owe ${second}`, `settled ${first}`], []]);
    expect(backSources.map((backSource) => backSource.hellos.at(-1)?.owed)).toEqual([[{ ...notice, id: second }], []]);
  });

  it('asks who publishes a stream', async () => {
    const { client } = await setUp();
    expect(await client.publisherOf('v/a/s')).toEqual(publisher);
  });

  it('hears the states that a restarted back-source tells', async () => {
    const { backSource, client } = await setUp();
    const states: StreamState[] = [];
    const told = Promise.withResolvers<void>();
    client.subscribe(
      'v/a/s',
      follower((state) => {
        states.push(state);
        if (state.ring !== null) told.resolve();
      }),
    );
    backSource.states = [{ streamId: 'v/a/s', ring: ring(1), publisher }];
    backSource.die();
    await told.promise;
    expect(states.at(-1)).toEqual({ streamId: 'v/a/s', ring: ring(1), publisher });
  });

  it('waits with a publish for a back-source that is being restarted', async () => {
    const { backSource, client } = await setUp();
    backSource.isUp = false;
    backSource.die();
    const answer = client.publish(request);
    backSource.isUp = true;
    expect(await answer).toMatchObject({ isGranted: true, lease });
    expect(backSource.hellos).toHaveLength(2);
  });

  it('waits for it with a bigger ring too: a stream that outgrows its ring then must not stay small for ever', async () => {
    const { backSource, client } = await setUp();
    backSource.isUp = false;
    backSource.die();
    const answer = client.grow(lease, 1);
    backSource.isUp = true;
    expect(await answer).toEqual(ring(2));
  });

  it('forgets an ended lease and a left stream, so that they are not told again', async () => {
    const { backSource, client } = await setUp();
    client.hold({ lease, lastTimestampMs: () => 77, onRevoked: () => {} });
    client.subscribe(
      'v/a/s',
      follower(() => {}),
    );
    client.holdRing(ring(5));
    client.unpublish(lease, 99);
    client.unsubscribe('v/a/s');
    client.releaseRing(ring(5));
    const hello = backSource.nextHello();
    await client.grow(lease, 1);
    expect(backSource.heard).toEqual(['subscribe v/a/s', 'unpublish L-1 99', 'unsubscribe v/a/s', 'release 5']);
    backSource.die();
    await hello;
    expect(backSource.hellos.at(-1)).toMatchObject({ leases: [], subscriptions: [], readRings: [] });
  });

  it('gives back a ring that it is told of after it has left the stream', async () => {
    const { backSource, client } = await setUp();
    client.subscribe(
      'v/a/s',
      follower(() => {}),
    );
    client.unsubscribe('v/a/s');
    backSource.tell({ streamId: 'v/a/s', ring: ring(9), publisher });
    await client.grow(lease, 1);
    await client.grow(lease, 1);
    expect(backSource.heard).toContain('release 9');
  });

  it('passes a revoked lease on to who holds it', async () => {
    const { backSource, client } = await setUp();
    const revoked = Promise.withResolvers<string>();
    client.hold({ lease, lastTimestampMs: () => 0, onRevoked: (reason, detail) => revoked.resolve(`${reason} ${detail}`) });
    backSource.revoke('L-1');
    expect(await revoked.promise).toBe('replaced 10.0.0.2');
  });

  it('passes on that a lease was revoked before it was held, once', async () => {
    const { backSource, client } = await setUp();
    await client.publish(request);
    backSource.revoke('L-1');
    await client.publish(request);
    const told: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const onRevoked = (reason: string, detail: string): void => {
      told.push(`${reason} ${detail}`);
      resolve();
    };
    client.hold({ lease, lastTimestampMs: () => 0, onRevoked });
    expect(told).toEqual([]);
    await promise;
    client.unpublish(lease, 0);
    client.hold({ lease, lastTimestampMs: () => 0, onRevoked });
    await setImmediate();
    expect(told).toEqual(['replaced 10.0.0.2']);
  });
});

describe('backSourceOf', () => {
  it('spreads streams evenly and always the same way', () => {
    const counts = [0, 0, 0, 0];
    for (let index = 0; index < 4000; index += 1) counts[backSourceOf(`v/live/stream-${index}`, 4)]! += 1;
    expect(Math.min(...counts)).toBeGreaterThan(800);
    expect(backSourceOf('v/live/livestream', 4)).toBe(backSourceOf('v/live/livestream', 4));
  });
});
