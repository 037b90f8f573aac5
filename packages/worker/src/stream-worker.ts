/** The stream role: serves RTMP clients; publishers write rings, players are fed from them. */

import { AddressLimiter } from '@srs/access';
import { systemClock } from '@srs/kernel';
import { RtmpServer } from '@srs/rtmp-server';
import { Batch, DirectoryClient, FlushBudget, LiveStreams } from '@srs/stream';
import { type Listener, listenerName, type WorkerEnvironment } from './environment.ts';
import { HttpHooks } from './http-hooks.ts';
import { identity } from './identity.ts';
import type { RunningRole } from './role.ts';
import { streamWorkerView } from './stream-worker-view.ts';

/** What hook servers are told of the clients that the end of this worker has ended; the back-source tells the rest. */
const LAST_NOTICES_MS = 200;

export async function startStreamWorker(environment: WorkerEnvironment): Promise<RunningRole> {
  const { log, slot, arenas, status, doorbell } = environment;
  const directory = new DirectoryClient({
    slot,
    pid: process.pid,
    backSourceCount: arenas.length,
    connect: (backSource) => environment.connectBackSource(backSource),
    log,
  });
  const hooks = new HttpHooks({ config: () => environment.config, log, keeper: directory });
  const liveStreams = new LiveStreams({ directory, arenas, log });
  const stopListening = doorbell.listen(() => liveStreams.wake());
  const server = new RtmpServer({
    config: () => environment.config,
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
    hooks,
    ringDoorbell: (target) => doorbell.ring(target),
    addresses: new AddressLimiter({ table: status.addresses, limits: () => environment.config.limits, clock: systemClock }),
    nextCid: () => status.nextCid(),
    claimConnection: () => status.claimConnection(environment.config.maxConnections),
    releaseConnection: () => status.releaseConnection(),
  });
  // Clients are let in while the back-source may still be starting: what they ask of it waits.
  const listen = (listener: Listener): Promise<void> => {
    const { host, port, fd } = listener;
    return server.listen(listenerName(listener), fd === undefined ? { host, port } : { fd });
  };
  await Promise.all([directory.start(), ...environment.listeners.map(listen)]);
  return {
    view: streamWorkerView(server, liveStreams, arenas),
    configure: async ({ previous, config, opened, closed }) => {
      server.configure(previous, config);
      for (const listener of closed) server.unlisten(listenerName(listener));
      await Promise.all(opened.map(listen));
    },
    workerGone: () => {},
    stopAccepting: () => server.stopAccepting(),
    stop: async (graceMs) => {
      const endMs = performance.now() + graceMs;
      await server.close(graceMs);
      await hooks.close(Math.max(LAST_NOTICES_MS, endMs - performance.now()));
      stopListening();
      directory.close();
    },
  };
}
