/** What a worker with clients tells about them and their streams. */
import type { ClientsView, PlayHubs, RegisteredClient } from '@srs/clients';
import type { PartialCounters, RingRef } from '@srs/control';
import type { Arena } from '@srs/kernel';
import { type LiveStreams, TrackFactsCache } from '@srs/stream';
import type { LocalPublisher, WorkerStream, WorkerTotals } from '@srs/survey';
import { Page } from './page.ts';
import { describeRing, describeStreamRing } from './ring-description.ts';
import type { RoleView } from './role.ts';

export interface ServedParts {
  readonly registry: ClientsView;
  readonly hubs: PlayHubs;
  readonly liveStreams: LiveStreams;
  readonly arenas: readonly Arena[];
}

export function servedView(parts: ServedParts): RoleView {
  const { registry, hubs, liveStreams, arenas } = parts;
  const trackFacts = new TrackFactsCache();
  const publishers = (): RegisteredClient[] =>
    Array.from(registry.clients()).filter(({ publishing }) => publishing !== undefined);
  /** Every ring that is written or followed here. */
  const rings = (): Map<string, RingRef> => {
    const refs = new Map<string, RingRef>();
    for (const { streamId, source } of liveStreams.values()) {
      if (source !== undefined) refs.set(streamId, source.ring);
    }
    for (const { streamId, publishing } of publishers()) {
      if (publishing !== undefined) refs.set(streamId, publishing.lease.ring);
    }
    return refs;
  };
  const ringTotals = () => ({ held: rings().size });
  return {
    totals: () =>
      totalsOf(parts, new Set([...rings().keys(), ...Array.from(liveStreams.values(), ({ streamId }) => streamId)]).size),
    streams: () => {
      const published = new Map(publishers().map((client) => [client.streamId, client]));
      const followed = new Map(Array.from(liveStreams.values(), (stream) => [stream.streamId, stream]));
      const fanOuts = hubs.statistics();
      const refs = rings();
      const traffic = registry.streamTraffic();
      // Viewers of HLS follow nothing here: the back-source makes what they watch.
      const watched = Array.from(traffic).flatMap(([streamId, { clients }]) => (clients > 0 ? [streamId] : []));
      return Array.from(new Set([...published.keys(), ...followed.keys(), ...watched]), (streamId): WorkerStream => {
        const client = published.get(streamId);
        const ref = refs.get(streamId);
        const described = ref === undefined ? null : describeStreamRing(arenas[ref.arena]!, ref, trackFacts);
        return {
          streamId,
          publisher: client === undefined ? null : describePublisher(client),
          sourceCid: client?.cid ?? followed.get(streamId)?.publisher?.cid ?? -1,
          play: fanOuts.get(streamId) ?? null,
          traffic: traffic.get(streamId) ?? null,
          tracks: described?.tracks ?? null,
          ring: described?.ring ?? null,
        };
      });
    },
    clients: (page) => Page.of(registry.clients(), page, (client) => client.describe()),
    client: (id) => registry.find(id)?.describe() ?? null,
    kick: (id) => {
      const client = registry.find(id);
      client?.dismiss('disconnected by the operator');
      return client !== undefined;
    },
    departures: () => registry.departures(),
    counters: () => countersOf(parts),
    ringTotals,
    rings: () => {
      const fanOuts = hubs.statistics();
      return {
        ...ringTotals(),
        rings: Array.from(rings()).flatMap(([streamId, ring]) => {
          const description = describeRing(arenas[ring.arena]!, ring);
          const play = fanOuts.get(streamId);
          if (description === null) return [];
          return [{ streamId, ...description, readerLagBytes: play?.lagBytes ?? null, readerLaps: play?.laps ?? null }];
        }),
      };
    },
  };
}

function totalsOf({ registry, hubs }: ServedParts, streams: number): WorkerTotals {
  const clients = registry.clients();
  let publishers = 0;
  let players = 0;
  let droppedFrames = 0;
  for (const { type, publishing } of clients) {
    if (type === 'play') players += 1;
    if (publishing === undefined) continue;
    publishers += 1;
    droppedFrames += publishing.statistics.droppedFrames;
  }
  let playerCuts = 0;
  let playerDroppedFrames = 0;
  let flushIntervalMs = 0;
  let batchBytes = 0;
  for (const fanOut of hubs.statistics().values()) {
    playerCuts += fanOut.cuts;
    playerDroppedFrames += fanOut.droppedFrames;
    flushIntervalMs = Math.max(flushIntervalMs, fanOut.flushIntervalMs);
    batchBytes = Math.max(batchBytes, fanOut.batchBytes);
  }
  return {
    streams,
    publishedStreams: publishers,
    clients: clients.size,
    publishers,
    players,
    traffic: registry.traffic(),
    droppedFrames,
    playerCuts,
    playerDroppedFrames,
    fanOut: { ...hubs.load, flushIntervalMs, batchBytes },
  };
}

function countersOf({ registry, hubs }: ServedParts): PartialCounters {
  const { recvBytes, sendBytes } = registry.traffic();
  const { accepted, turnedAway, failed } = registry.counts();
  const { flushes, writes, flushedBytes, laps, cuts, droppedFrames } = hubs.counts();
  let lostFrames = 0;
  for (const { publishing } of registry.clients()) lostFrames += publishing?.statistics.droppedFrames ?? 0;
  return {
    counts: {
      recvBytes,
      sendBytes,
      clients: accepted,
      clientErrors: failed,
      refusedClients: turnedAway,
      droppedFrames: lostFrames,
      playerCuts: cuts,
      playerDroppedFrames: droppedFrames,
      batches: flushes,
      writes,
      writtenBytes: flushedBytes,
      laps,
    },
    distributions: hubs.distributions,
  };
}

function describePublisher(client: RegisteredClient): LocalPublisher | null {
  if (client.publishing === undefined) return null;
  const { id: cid, ip, aliveSeconds, recvBytes, recvKbps } = client.describe();
  return { cid, ip, aliveSeconds, recvBytes, recvKbps, ...client.publishing.statistics };
}
