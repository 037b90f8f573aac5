/** The HTTP server for files and live streams, as a part of the http role. */
import {
  createMediaServer,
  HttpFront,
  LiveServer,
  liveRoutes,
  outputRoutes,
  type ServerView,
  startPage,
  upgradeToLive,
  vodRoutes,
} from '@srs/http-server';
import type { OutputAnswer, OutputRequest } from '@srs/stream';
import { openClientServices } from './client-services.ts';
import type { WorkerEnvironment } from './environment.ts';
import { frontOptions } from './http-listeners.ts';
import { identity } from './identity.ts';
import type { RoleView } from './role.ts';
import { servedView } from './served-view.ts';

export interface MediaPart {
  readonly view: RoleView;
  readonly front: HttpFront;
  /** A reload: the configuration is in force already. */
  configure(): void;
  stop(graceMs: number): Promise<void>;
}

/** @param survey what all workers tell, for the start page */
export async function startMediaPart(environment: WorkerEnvironment, survey: Pick<ServerView, 'streams'>): Promise<MediaPart> {
  const services = openClientServices(environment);
  const { version } = identity;
  const live = new LiveServer({ ...services, version });
  const page = startPage({ ...services, streams: async () => (await survey.streams()).streams });
  const outputs = outputRoutes({ ...services, ask: (request) => askAll(environment, request) });
  const media = await createMediaServer({ ...services, identity }, [liveRoutes(live), outputs, page, vodRoutes(services)]);
  const front = new HttpFront({
    ...frontOptions(environment),
    serve: (request, response) => media.serve(request, response),
    upgrade: (request, socket) => void upgradeToLive(live, request, socket),
    // Viewers are what the server is for: `max_connections` alone counts.
    maxConnections: Number.POSITIVE_INFINITY,
  });
  await services.directory.start();
  return {
    view: servedView({ ...services, registry: live.registry, hubs: live.hubs }),
    front,
    configure: () => live.configure(environment.config),
    stop: async (graceMs) => {
      const endMs = performance.now() + graceMs;
      await Promise.all([front.close(graceMs), live.close(graceMs)]);
      await media.close();
      await services.close(endMs);
    },
  };
}

/** Which of them owns the stream, the path alone does not say; there is hardly more than one. */
async function askAll(environment: WorkerEnvironment, request: OutputRequest): Promise<OutputAnswer> {
  const answers = await Promise.all(environment.arenas.map((_, backSource) => environment.askOutputs(backSource, request)));
  return answers.find(({ status }) => status !== 404) ?? answers[0]!;
}
