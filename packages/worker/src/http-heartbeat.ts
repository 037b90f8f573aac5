/** The heartbeat of a server: what it says, and which of its processes says it. */
import type { Config } from '@srs/config';
import { type ServerDirectory, type SystemStatistics, startHeartbeat } from '@srs/http-server';
import type { WorkerEnvironment } from './environment.ts';
import { identity } from './identity.ts';
import type { ServerSurvey } from './server-survey.ts';

export interface HttpHeartbeatOptions {
  readonly environment: WorkerEnvironment;
  readonly view: ServerSurvey;
  readonly statistics: SystemStatistics;
}

/** Every http worker runs one, and the first of those that live beats: another goes on when it dies. */
export function startHttpHeartbeat({ environment, view, statistics }: HttpHeartbeatOptions): { stop(): void } {
  return startHeartbeat({
    settings: () => environment.config.heartbeat,
    network: () => environment.config.stats.network,
    summaries: async () => ({ code: 0, data: statistics.summaries(view.traffic()) }),
    ports: () => portsOf(environment.config),
    isOurs: async () => isFirstHttpWorker(await view.directory(), environment.slot),
    version: identity.version,
    log: environment.log,
  });
}

/** One that is being started counts: it is this worker itself, or it will beat in a moment. */
export function isFirstHttpWorker({ workers }: ServerDirectory, slot: number): boolean {
  const living = workers.filter(({ role, state }) => role === 'http' && (state === 'ready' || state === 'starting'));
  return living.every((worker) => worker.slot >= slot);
}

/** By service, as later SRS names them. */
export function portsOf({ listen, httpApi, httpStream }: Config): Record<string, readonly string[]> {
  return {
    rtmp: listen.map(({ port }) => String(port)),
    ...(httpStream.enabled ? { http: [String(httpStream.listen.port)] } : {}),
    ...(httpApi.enabled ? { api: [String(httpApi.listen.port)] } : {}),
  };
}
