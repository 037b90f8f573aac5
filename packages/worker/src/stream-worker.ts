/** The stream role: serves RTMP clients; publishers write rings, players are fed from them. */

import { PlayHubs } from '@srs/clients';
import type { Config } from '@srs/config';
import { RtmpServer } from '@srs/rtmp-server';
import { CertificateWatch } from './certificate-watch.ts';
import { openClientServices } from './client-services.ts';
import { clusterRoutes } from './cluster-routes.ts';
import { followDrainOrder } from './drain-order.ts';
import { type Listener, listenerName, type WorkerEnvironment } from './environment.ts';
import { identity } from './identity.ts';
import type { RunningRole } from './role.ts';
import { servedView } from './served-view.ts';
import type { TlsFiles } from './tls-material.ts';
import { TokenTraverse } from './token-traverse.ts';

export async function startStreamWorker(environment: WorkerEnvironment): Promise<RunningRole> {
  const services = openClientServices(environment);
  services.routes.add(clusterRoutes(services.directory));
  const server = new RtmpServer({ ...services, identity, originGate: new TokenTraverse(environment) });
  // Clients are let in while the back-source may still be starting: what they ask of it waits.
  const filesOf = ({ rtmps }: Config): TlsFiles | undefined => (rtmps.enabled ? rtmps : undefined);
  const certificates = new CertificateWatch({
    where: 'rtmps',
    files: () => filesOf(environment.config),
    onRenewed: (material) => server.useTls(material),
    log: environment.log,
  });
  const listen = async (listener: Listener): Promise<void> => {
    const { host, port, fd, service } = listener;
    const files = service === 'rtmps' ? filesOf(environment.config) : undefined;
    const tls = files === undefined ? undefined : certificates.load(files);
    await server.listen(listenerName(listener), fd === undefined ? { host, port } : { fd }, tls);
  };
  await Promise.all([services.directory.start(), ...environment.listeners.map(listen)]);
  return {
    view: servedView({ ...services, registry: server.clients, hubs: new PlayHubs([server.hub]) }),
    configure: async ({ previous, config, opened, closed }) => {
      server.configure(previous, config);
      for (const listener of closed) server.unlisten(listenerName(listener));
      await Promise.all(opened.map(listen));
      const files = filesOf(config);
      if (files !== undefined) server.useTls(certificates.load(files));
    },
    workerGone: () => {},
    stopAccepting: () => server.stopAccepting(),
    setDrain: (order) => followDrainOrder(services.drain, server.clients, order),
    stop: async (graceMs) => {
      const endMs = performance.now() + graceMs;
      certificates.close();
      await server.close(graceMs);
      await services.close(endMs);
    },
  };
}
