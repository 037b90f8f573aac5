/** What a stream worker tells about its streams and clients. */
import type { PartialCounters, RingRef } from '@srs/control';
import type { Arena } from '@srs/kernel';
import type { RtmpConnection, RtmpServer } from '@srs/rtmp-server';
import { type LiveStreams, TrackFactsCache } from '@srs/stream';
import type { LocalPublisher, WorkerStream, WorkerTotals } from '@srs/survey';
import { Page } from './page.ts';
import { describeRing, describeStreamRing } from './ring-description.ts';
import type { RoleView } from './role.ts';

export function streamWorkerView(server: RtmpServer, liveStreams: LiveStreams, arenas: readonly Arena[]): RoleView {
  const trackFacts = new TrackFactsCache();
  const find = (id: number): RtmpConnection | undefined => {
    for (const connection of server.connections()) if (connection.cid === id) return connection;
    return undefined;
  };
  const publishers = (): RtmpConnection[] => {
    return Array.from(server.connections()).filter((connection) => connection.publishing !== undefined);
  };
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
      totalsOf(server, new Set([...rings().keys(), ...Array.from(liveStreams.values(), ({ streamId }) => streamId)]).size),
    streams: () => {
      const published = new Map(publishers().map((connection) => [connection.streamId, connection]));
      const followed = new Map(Array.from(liveStreams.values(), (stream) => [stream.streamId, stream]));
      const fanOuts = server.hub.statistics();
      const refs = rings();
      const traffic = server.streamTraffic();
      return Array.from(new Set([...published.keys(), ...followed.keys()]), (streamId): WorkerStream => {
        const connection = published.get(streamId);
        const ref = refs.get(streamId);
        const described = ref === undefined ? null : describeStreamRing(arenas[ref.arena]!, ref, trackFacts);
        return {
          streamId,
          publisher: connection === undefined ? null : describePublisher(connection),
          sourceCid: connection?.cid ?? followed.get(streamId)?.publisher?.cid ?? -1,
          play: fanOuts.get(streamId) ?? null,
          traffic: traffic.get(streamId) ?? null,
          tracks: described?.tracks ?? null,
          ring: described?.ring ?? null,
        };
      });
    },
    clients: (page) => Page.of(server.connections(), page, (connection) => connection.describe()),
    client: (id) => find(id)?.describe() ?? null,
    kick: (id) => {
      const connection = find(id);
      connection?.dismiss('disconnected by the operator');
      return connection !== undefined;
    },
    departures: () => server.departures(),
    counters: () => countersOf(server),
    ringTotals,
    rings: () => {
      const fanOuts = server.hub.statistics();
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

function totalsOf(server: RtmpServer, streams: number): WorkerTotals {
  const connections = server.connections();
  let publishers = 0;
  let players = 0;
  let droppedFrames = 0;
  for (const { type, publishing } of connections) {
    if (type === 'play') players += 1;
    if (publishing === undefined) continue;
    publishers += 1;
    droppedFrames += publishing.statistics.droppedFrames;
  }
  let playerCuts = 0;
  let playerDroppedFrames = 0;
  let flushIntervalMs = 0;
  let batchBytes = 0;
  for (const fanOut of server.hub.statistics().values()) {
    playerCuts += fanOut.cuts;
    playerDroppedFrames += fanOut.droppedFrames;
    flushIntervalMs = Math.max(flushIntervalMs, fanOut.flushIntervalMs);
    batchBytes = Math.max(batchBytes, fanOut.batchBytes);
  }
  return {
    streams,
    publishedStreams: publishers,
    clients: connections.size,
    publishers,
    players,
    traffic: server.traffic(),
    droppedFrames,
    playerCuts,
    playerDroppedFrames,
    fanOut: { ...server.hub.load, flushIntervalMs, batchBytes },
  };
}

function countersOf(server: RtmpServer): PartialCounters {
  const { recvBytes, sendBytes } = server.traffic();
  const { accepted, turnedAway, failed } = server.counts();
  const { flushes, writes, flushedBytes, laps, cuts, droppedFrames } = server.hub.counts();
  let lostFrames = 0;
  for (const { publishing } of server.connections()) lostFrames += publishing?.statistics.droppedFrames ?? 0;
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
    distributions: server.hub.distributions,
  };
}

function describePublisher(connection: RtmpConnection): LocalPublisher | null {
  if (connection.publishing === undefined) return null;
  const { id: cid, ip, aliveSeconds, recvBytes, recvKbps } = connection.describe();
  return { cid, ip, aliveSeconds, recvBytes, recvKbps, ...connection.publishing.statistics };
}
