/** What every role with clients stands on: the directory, the streams that are followed, hooks, limits. */
import { AddressLimiter } from '@srs/access';
import { RouteList, ServerDrain } from '@srs/clients';
import { systemClock } from '@srs/kernel';
import { Batch, DirectoryClient, FlushBudget, LiveStreams } from '@srs/stream';
import type { WorkerEnvironment } from './environment.ts';
import { HttpHooks } from './http-hooks.ts';

/** What hook servers are told of the clients that the end of this worker has ended; the back-source tells the rest. */
const LAST_NOTICES_MS = 200;

/** The directory is not asked before its `start`. */
export function openClientServices(environment: WorkerEnvironment) {
  const { log, slot, arenas, status, doorbell, instanceId } = environment;
  const config = () => environment.config;
  const clock = systemClock;
  const directory = new DirectoryClient({
    slot,
    pid: process.pid,
    backSourceCount: arenas.length,
    connect: (backSource) => environment.connectBackSource(backSource),
    log,
  });
  const drain = new ServerDrain();
  const routes = new RouteList();
  routes.add(drain);
  const hooks = new HttpHooks({ config, log, keeper: directory });
  const liveStreams = new LiveStreams({ directory, arenas, log });
  const stopListening = doorbell.listen(() => liveStreams.wake());
  return {
    config,
    clock,
    log,
    slot,
    pid: process.pid,
    instanceId,
    directory,
    liveStreams,
    arenas,
    batch: new Batch(),
    flushBudget: new FlushBudget(clock),
    hooks,
    routes,
    drain,
    ringDoorbell: (target: number) => doorbell.ring(target),
    addresses: new AddressLimiter({ table: status.addresses, limits: () => environment.config.limits, clock }),
    nextCid: () => status.nextCid(),
    claimConnection: () => status.claimConnection(environment.config.maxConnections),
    releaseConnection: () => status.releaseConnection(),
    /** When all clients have gone. @param endMs by the monotonic clock: how long notices may take */
    close: async (endMs: number): Promise<void> => {
      await hooks.close(Math.max(LAST_NOTICES_MS, endMs - performance.now()));
      stopListening();
      directory.close();
    },
  };
}
