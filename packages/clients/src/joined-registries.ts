/** The clients of several servers of one process, told as one. */
import type { Kbps } from '@srs/kernel';
import type { ClientRegistry, ConnectionCounts, RegisteredClient, TotalTraffic } from './client-registry.ts';
import type { StreamTraffic } from './stream-traffic.ts';

/** What a registry tells. */
export type ClientsView = Pick<ClientRegistry, 'clients' | 'find' | 'departures' | 'counts' | 'traffic' | 'streamTraffic'>;

/** @returns a view that asks all of them each time */
export function joinRegistries(registries: readonly ClientsView[]): ClientsView {
  return {
    clients: () => new Set(registries.flatMap((registry): RegisteredClient[] => Array.from(registry.clients()))),
    find: (cid) => {
      for (const registry of registries) {
        const client = registry.find(cid);
        if (client !== undefined) return client;
      }
      return undefined;
    },
    departures: () =>
      registries.flatMap((registry) => registry.departures()).sort((one, other) => one.agoSeconds - other.agoSeconds),
    counts: () => registries.map((registry) => registry.counts()).reduce(addCounts),
    traffic: () => registries.map((registry) => registry.traffic()).reduce(addTraffic),
    streamTraffic: () => {
      const joined = new Map<string, StreamTraffic>();
      for (const registry of registries) {
        for (const [streamId, traffic] of registry.streamTraffic()) {
          const known = joined.get(streamId);
          joined.set(streamId, known === undefined ? traffic : addStreamTraffic(known, traffic));
        }
      }
      return joined;
    },
  };
}

const addCounts = (one: ConnectionCounts, other: ConnectionCounts): ConnectionCounts => ({
  accepted: one.accepted + other.accepted,
  turnedAway: one.turnedAway + other.turnedAway,
  failed: one.failed + other.failed,
});

const addKbps = (one: Kbps, other: Kbps): Kbps => ({
  average: one.average + other.average,
  last30s: one.last30s + other.last30s,
  last5m: one.last5m + other.last5m,
});

const addTraffic = (one: TotalTraffic, other: TotalTraffic): TotalTraffic => ({
  recvBytes: one.recvBytes + other.recvBytes,
  sendBytes: one.sendBytes + other.sendBytes,
  recvKbps: addKbps(one.recvKbps, other.recvKbps),
  sendKbps: addKbps(one.sendKbps, other.sendKbps),
});

const addStreamTraffic = (one: StreamTraffic, other: StreamTraffic): StreamTraffic => ({
  ...addTraffic(one, other),
  clients: one.clients + other.clients,
  players: one.players + other.players,
  pendingBytes: one.pendingBytes + other.pendingBytes,
});
