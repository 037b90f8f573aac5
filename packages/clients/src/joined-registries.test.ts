import { expect, it } from 'vitest';
import type { RegisteredClient } from './client-registry.ts';
import type { Departure } from './departures.ts';
import { type ClientsView, joinRegistries } from './joined-registries.ts';

const kbps = (last30s: number) => ({ average: 2 * last30s, last30s, last5m: 3 * last30s });
const total = (recvBytes: number) => ({
  recvBytes,
  sendBytes: 2 * recvBytes,
  recvKbps: kbps(recvBytes),
  sendKbps: kbps(2 * recvBytes),
});

/** A registry of one client; its figures are made of `figure`. */
function registry(cid: number, figure: number, streamIds: readonly string[]): ClientsView {
  const client = { cid } as RegisteredClient;
  const departure = { id: cid, agoSeconds: figure } as Departure;
  const traffic = { ...total(figure), clients: figure, players: figure - 1, pendingBytes: figure };
  return {
    clients: () => new Set([client]),
    find: (wanted) => (wanted === cid ? client : undefined),
    departures: () => [departure],
    counts: () => ({ accepted: figure, turnedAway: 2 * figure, failed: 3 * figure }),
    traffic: () => total(figure),
    streamTraffic: () => new Map(streamIds.map((streamId) => [streamId, traffic])),
  };
}

const joined = joinRegistries([registry(1, 10, ['v/a/both', 'v/a/one']), registry(2, 4, ['v/a/both', 'v/a/other'])]);

it('the clients of both are there, and found by their ids', () => {
  expect(Array.from(joined.clients(), ({ cid }) => cid)).toEqual([1, 2]);
  expect([1, 2, 3].map((cid) => joined.find(cid)?.cid)).toEqual([1, 2, undefined]);
});

it('those who left last come first, wherever they were', () => {
  expect(joined.departures().map(({ id }) => id)).toEqual([2, 1]);
});

it('what both have counted and moved is added up', () => {
  expect(joined.counts()).toEqual({ accepted: 14, turnedAway: 28, failed: 42 });
  expect(joined.traffic()).toEqual(total(14));
});

it('a stream that has clients in both is one', () => {
  const streams = joined.streamTraffic();
  expect([...streams.keys()]).toEqual(['v/a/both', 'v/a/one', 'v/a/other']);
  expect(streams.get('v/a/both')).toEqual({ ...total(14), clients: 14, players: 12, pendingBytes: 14 });
  expect(streams.get('v/a/other')?.clients).toBe(4);
});
