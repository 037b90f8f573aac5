/** The http role: serves the management API and the metrics over what all workers tell. */
import type { Server } from 'node:net';
import type { Config } from '@srs/config';
import type { Channel } from '@srs/control';
import {
  type ApiServices,
  createApiServer,
  createMetricsServer,
  HttpFront,
  type HttpFrontOptions,
  MetricsSource,
  observabilityRoutes,
  SystemStatistics,
} from '@srs/http-server';
import { describeError, SrsError, systemClock } from '@srs/kernel';
import { closeListener, descriptorOf, duplicateFd } from '@srs/native';
import { CertificateWatch } from './certificate-watch.ts';
import { type Listener, listenerName, type WorkerEnvironment } from './environment.ts';
import { features } from './features.ts';
import { startHttpHeartbeat } from './http-heartbeat.ts';
import { httpWorkerView } from './http-worker-view.ts';
import { identity } from './identity.ts';
import type { RoleChange, RunningRole } from './role.ts';
import { ServerSurvey } from './server-survey.ts';
import type { MasterProtocol } from './worker-start.ts';

export async function startHttpWorker(environment: WorkerEnvironment, master: Channel<MasterProtocol>): Promise<RunningRole> {
  const { log, status } = environment;
  const { server } = await master.request('directory', null);
  const startedMs = systemClock.nowMs() - server.uptimeSeconds * 1000;
  const view = new ServerSurvey({
    master,
    privateHost: environment.privateHost,
    status,
    wallMs: () => systemClock.wallMs(),
    uptimeMs: () => systemClock.nowMs() - startedMs,
  });
  const statistics = new SystemStatistics({
    version: identity.version,
    pid: server.pid,
    disks: () => environment.config.stats.disk,
    clock: systemClock,
  });
  const services: ApiServices = {
    view,
    statistics,
    config: () => environment.config,
    identity,
    features,
    masterPid: server.pid,
    clock: systemClock,
    log,
  };
  const metrics = new MetricsSource({
    view,
    board: status,
    system: statistics,
    settings: () => environment.config.exporter,
  });
  const api = await createApiServer(services, [observabilityRoutes(metrics)]);
  const front = new HttpFront({ ...frontOptions(environment), serve: (request, response) => api.serve(request, response) });
  const exporter = await createMetricsServer({ ...frontOptions(environment), source: metrics });
  const fronts = [front, exporter];
  const certificates = new CertificateWatch({
    where: HTTPS,
    files: () => (isTls(environment.config) ? environment.config.httpApi.https : undefined),
    onRenewed: (material) => front.useTls(material),
    log,
  });
  const listen = async (listener: Listener): Promise<void> => {
    const tls = listener.service === 'https-api' ? certificates.load(environment.config.httpApi.https) : undefined;
    await (listener.service === 'exporter' ? exporter : front).listen(listenerName(listener), listener, tls);
  };
  await statistics.start();
  await Promise.all(environment.listeners.map(listen));
  const heartbeat = startHttpHeartbeat({ environment, view, statistics });
  return {
    view: httpWorkerView(),
    configure: async ({ opened, closed, config }: RoleChange) => {
      for (const listener of closed) for (const each of fronts) each.unlisten(listenerName(listener));
      const results = await Promise.allSettled([
        ...opened.map(listen),
        (async () => {
          if (isTls(config)) front.useTls(certificates.load(config.httpApi.https));
        })(),
      ]);
      const failures = results.flatMap((result) => (result.status === 'rejected' ? [describeError(result.reason)] : []));
      if (failures.length > 0) throw new SrsError('SocketListen', failures.join('; '));
    },
    workerGone: () => {},
    stopAccepting: () => {
      for (const each of fronts) each.stopAccepting();
    },
    stop: async (graceMs) => {
      heartbeat.stop();
      certificates.close();
      statistics.stop();
      await Promise.all(fronts.map((each) => each.close(graceMs)));
      await api.close();
    },
  };
}

const HTTPS = 'http_api / https';

const isTls = ({ httpApi }: Config): boolean => httpApi.enabled && httpApi.https.enabled;

function frontOptions(environment: WorkerEnvironment): Omit<HttpFrontOptions, 'serve'> {
  const { log, status } = environment;
  return {
    log,
    claimConnection: () => status.claimConnection(environment.config.maxConnections),
    releaseConnection: () => status.releaseConnection(),
    closeListener: closeServer,
  };
}

/** Those whom the kernel has let in before the end are not turned away. */
function closeServer(server: Server): readonly number[] {
  const fd = duplicateFd(descriptorOf(server));
  server.close();
  return fd < 0 ? [] : closeListener(fd);
}
