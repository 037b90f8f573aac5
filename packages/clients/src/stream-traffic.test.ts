import { ManualClock } from '@srs/kernel';
import { expect, it } from 'vitest';
import type { RegisteredClient } from './client-registry.ts';
import { StreamTraffics } from './stream-traffic.ts';

/** What is looked at of a connection. */
interface FakeConnection {
  streamId: string;
  type: 'unknown' | 'publish' | 'play';
  pendingBytes: number;
  traffic: { recvBytes: number; sendBytes: number };
}

const connection = (type: FakeConnection['type'], recvBytes: number, sendBytes: number, streamId = 'v/a/s'): FakeConnection => ({
  streamId,
  type,
  pendingBytes: 1,
  traffic: { recvBytes, sendBytes },
});

function setUp() {
  const clock = new ManualClock();
  const traffics = new StreamTraffics(clock);
  const plain = (all: readonly FakeConnection[]) => all as unknown as readonly RegisteredClient[];
  return {
    clock,
    sample: (all: readonly FakeConnection[]) => traffics.sample(plain(all)),
    close: (one: FakeConnection) => traffics.onClosed(one as unknown as RegisteredClient),
    statistics: (all: readonly FakeConnection[]) => traffics.statistics(plain(all)),
  };
}

it('adds up the clients of each stream; who has not asked for one is none of it', () => {
  const { statistics } = setUp();
  const all = [
    connection('publish', 1000, 10),
    connection('play', 1, 500),
    connection('play', 2, 600),
    connection('play', 3, 700, 'v/a/other'),
    connection('unknown', 4, 4, ''),
  ];
  const found = statistics(all);
  expect([...found.keys()]).toEqual(['v/a/s', 'v/a/other']);
  expect(found.get('v/a/s')).toMatchObject({ recvBytes: 1003, sendBytes: 1110, clients: 3, players: 2, pendingBytes: 3 });
  expect(found.get('v/a/other')).toMatchObject({ recvBytes: 3, sendBytes: 700, clients: 1, players: 1 });
});

it('what a client has moved stays with its stream when it has left', () => {
  const { statistics, close } = setUp();
  const gone = connection('play', 1, 500);
  const stays = connection('play', 2, 600);
  expect(statistics([gone, stays]).get('v/a/s')).toMatchObject({ sendBytes: 1100, clients: 2 });
  close(gone);
  expect(statistics([stays]).get('v/a/s')).toMatchObject({ recvBytes: 3, sendBytes: 1100, clients: 1 });
});

it('a player that has stopped is no client of the stream, and its bytes are still counted', () => {
  const { statistics } = setUp();
  expect(statistics([connection('unknown', 1, 500)]).get('v/a/s')).toMatchObject({ sendBytes: 500, clients: 0, players: 0 });
});

it('rates are those of the last full 30 s', () => {
  const { clock, sample, statistics } = setUp();
  const publisher = connection('publish', 0, 0);
  sample([publisher]);
  for (let seconds = 0; seconds < 35; seconds += 5) {
    clock.advance(5_000);
    publisher.traffic.recvBytes += 5 * 125_000;
    sample([publisher]);
  }
  expect(statistics([publisher]).get('v/a/s')).toMatchObject({
    recvKbps: { average: 1000, last30s: 1000 },
    sendKbps: { last30s: 0 },
  });
});

it('a stream is forgotten a minute after its last client, not before', () => {
  const { clock, sample, statistics, close } = setUp();
  const publisher = connection('publish', 1000, 0);
  sample([publisher]);
  close(publisher);
  clock.advance(59_000);
  sample([]);
  expect(statistics([]).get('v/a/s')).toMatchObject({ recvBytes: 1000, clients: 0 });
  clock.advance(1_000);
  sample([]);
  expect(statistics([]).size).toBe(0);
});

it('a stream that was only asked for is not remembered', () => {
  const { statistics, close } = setUp();
  close(connection('play', 3_400, 4_200, 'v/a/passing'));
  close(connection('play', 3_400, 20_000, 'v/a/watched'));
  expect([...statistics([]).keys()]).toEqual(['v/a/watched']);
});
