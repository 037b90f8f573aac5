/** The stream role: serves RTMP clients; publishers write rings, players are fed from them. */

import { AddressLimiter } from '@srs/access';
import { systemClock } from '@srs/kernel';
import { RtmpServer } from '@srs/rtmp-server';
import { Batch, DirectoryClient, FlushBudget, LiveStreams } from '@srs/stream';
import type { WorkerEnvironment } from './environment.ts';
import { identity } from './identity.ts';
import type { RunningRole } from './role.ts';
import { streamWorkerView } from './stream-worker-view.ts';

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
    flushBudget: new FlushBudget(systemClock),
    identity,
    ringDoorbell: (target) => doorbell.ring(target),
    addresses: new AddressLimiter({ table: status.addresses, limits: () => config.limits, clock: systemClock }),
    nextCid: () => status.nextCid(),
    claimConnection: () => status.claimConnection(config.maxConnections),
    releaseConnection: () => status.releaseConnection(),
  });
  // Clients are let in while the back-source may still be starting: what they ask of it waits.
  const listeners = environment.listeners.map(({ host, port, fd }) => server.listen(fd === undefined ? { host, port } : { fd }));
  await Promise.all([directory.start(), ...listeners]);
  return {
    view: streamWorkerView(server, liveStreams, arenas),
    workerGone: () => {},
    stopAccepting: () => server.stopAccepting(),
    stop: async (graceMs) => {
      await server.close(graceMs);
      stopListening();
      directory.close();
    },
  };
}
