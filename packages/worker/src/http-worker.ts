/** The http role: serves the management API and the metrics over what all workers tell. */
import type { Channel } from '@srs/control';
import {
  type ApiServices,
  createApiServer,
  createMetricsServer,
  HttpFront,
  MetricsSource,
  observabilityRoutes,
  SystemStatistics,
} from '@srs/http-server';
import { systemClock } from '@srs/kernel';
import type { WorkerEnvironment } from './environment.ts';
import { features } from './features.ts';
import { startHttpHeartbeat } from './http-heartbeat.ts';
import { frontOptions, HttpListeners } from './http-listeners.ts';
import { identity } from './identity.ts';
import { startMediaPart } from './media-part.ts';
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
  const media = await startMediaPart(environment, view);
  const services: ApiServices = {
    view,
    placeOf: media.placeOf,
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
  const fronts = { api: front, exporter, media: media.front, caster: media.caster.front };
  const listeners = new HttpListeners(environment, fronts);
  await statistics.start();
  await Promise.all(environment.listeners.map((listener) => listeners.listen(listener)));
  const heartbeat = startHttpHeartbeat({ environment, view, statistics });
  return {
    view: media.view,
    configure: async (change: RoleChange) => {
      media.configure();
      await listeners.configure(change);
    },
    workerGone: () => {},
    stopAccepting: () => {
      for (const each of Object.values(fronts)) each.stopAccepting();
    },
    setDrain: (order) => media.setDrain(order),
    stop: async (graceMs) => {
      heartbeat.stop();
      listeners.close();
      statistics.stop();
      await Promise.all([front.close(graceMs), exporter.close(graceMs), media.stop(graceMs)]);
      await api.close();
    },
  };
}
