/** The stream role: serves RTMP clients; publishers write rings, players are fed from them. */

import { PlayHubs } from '@srs/clients';
import { RtmpServer } from '@srs/rtmp-server';
import { openClientServices } from './client-services.ts';
import { type Listener, listenerName, type WorkerEnvironment } from './environment.ts';
import { identity } from './identity.ts';
import type { RunningRole } from './role.ts';
import { servedView } from './served-view.ts';

export async function startStreamWorker(environment: WorkerEnvironment): Promise<RunningRole> {
  const services = openClientServices(environment);
  const server = new RtmpServer({ ...services, identity });
  // Clients are let in while the back-source may still be starting: what they ask of it waits.
  const listen = (listener: Listener): Promise<void> => {
    const { host, port, fd } = listener;
    return server.listen(listenerName(listener), fd === undefined ? { host, port } : { fd });
  };
  await Promise.all([services.directory.start(), ...environment.listeners.map(listen)]);
  return {
    view: servedView({ ...services, registry: server.clients, hubs: new PlayHubs([server.hub]) }),
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
      await services.close(endMs);
    },
  };
}
