/** The stream role: serves RTMP clients; publishers write rings, players are fed from them. */

import { systemClock } from '@srs/kernel';
import { RtmpServer } from '@srs/rtmp-server';
import { Batch, DirectoryClient, LiveStreams } from '@srs/stream';
import type { WorkerEnvironment } from './environment.ts';
import { identity } from './identity.ts';
import type { RoleDescription, RunningRole } from './role.ts';

export async function startStreamWorker(environment: WorkerEnvironment): Promise<RunningRole> {
  const { config, log, slot, arenas, status, doorbell } = environment;
  const directory = new DirectoryClient({
    slot,
    pid: process.pid,
    backSourceCount: arenas.length,
    connect: (backSource) => environment.connectBackSource(backSource),
    log,
  });
  const liveStreams = new LiveStreams({ directory, arenas, log });
  const stopListening = doorbell.listen(() => liveStreams.wake());
  const server = new RtmpServer({
    config: () => config,
    clock: systemClock,
    log,
    slot,
    pid: process.pid,
    directory,
    liveStreams,
    arenas,
    batch: new Batch(),
    identity,
    ringDoorbell: (target) => doorbell.ring(target),
    nextCid: () => status.nextCid(),
    claimConnection: () => status.claimConnection(config.maxConnections),
    releaseConnection: () => status.releaseConnection(),
  });
  await directory.start();
  for (const { host, port, fd } of environment.listeners) {
    await server.listen(fd === undefined ? { host, port } : { fd });
  }
  return {
    describe: () => describe(server, liveStreams),
    workerGone: () => {},
    stop: async (graceMs) => {
      await server.close(graceMs);
      stopListening();
      directory.close();
    },
  };
}

function describe(server: RtmpServer, liveStreams: LiveStreams): RoleDescription {
  const published = new Map(
    Array.from(server.connections())
      .filter((connection) => connection.publishing !== undefined)
      .map((connection) => [connection.streamId, connection]),
  );
  const fanOuts = server.hub.statistics();
  const streamIds = new Set([...published.keys(), ...Array.from(liveStreams.values(), (stream) => stream.streamId)]);
  const followed = new Map(Array.from(liveStreams.values(), (stream) => [stream.streamId, stream]));
  const streams = Array.from(streamIds, (streamId) => {
    const connection = published.get(streamId);
    return {
      streamId,
      publisher:
        connection === undefined ? null : { cid: connection.cid, ip: connection.ip, ...connection.publishing?.statistics },
      sourceCid: connection?.cid ?? followed.get(streamId)?.publisher?.cid ?? -1,
      play: fanOuts.get(streamId) ?? null,
    };
  });
  return {
    streams,
    clients: server.clients(),
    rings: { held: Array.from(liveStreams.values()).filter((stream) => stream.source !== undefined).length + published.size },
  };
}
