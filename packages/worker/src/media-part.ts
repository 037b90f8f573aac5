/** The HTTP server for files and live streams, and publishers over HTTP, as a part of the http role. */
import type { IncomingMessage } from 'node:http';
import { joinRegistries } from '@srs/clients';
import {
  createMediaServer,
  HlsDelivery,
  HlsPlaylists,
  HlsViewers,
  HttpFront,
  LiveServer,
  liveRoutes,
  OutputServer,
  playOtherwise,
  QuickFiles,
  QuickMedia,
  type QuickSource,
  type ServerView,
  startPage,
  upgradeToLive,
  vodRoutes,
} from '@srs/http-server';
import type { DirectoryClient, OutputAnswer, OutputRequest } from '@srs/stream';
import { type CasterPart, startCasterPart } from './caster-part.ts';
import { openClientServices } from './client-services.ts';
import { followDrainOrder } from './drain-order.ts';
import type { WorkerEnvironment } from './environment.ts';
import { frontOptions } from './http-listeners.ts';
import { identity } from './identity.ts';
import type { RoleView, RunningRole } from './role.ts';
import { servedView } from './served-view.ts';

export interface MediaPart {
  readonly view: RoleView;
  readonly front: HttpFront;
  readonly caster: CasterPart;
  /** A reload: the configuration is in force already. */
  configure(): void;
  /** What other servers are told of a stream that is published here. */
  readonly placeOf: DirectoryClient['placeOf'];
  setDrain: RunningRole['setDrain'];
  stop(graceMs: number): Promise<void>;
}

/** @param survey what all workers tell, for the start page */
export async function startMediaPart(environment: WorkerEnvironment, survey: Pick<ServerView, 'streams'>): Promise<MediaPart> {
  const services = openClientServices(environment);
  const { version } = identity;
  const live = new LiveServer({ ...services, version });
  const page = startPage({ ...services, streams: async () => (await survey.streams()).streams });
  const media = { ...services, identity };
  const outputs = new OutputServer({ ...media, ask: (request) => askAll(environment, request) });
  const files = new QuickFiles(media);
  const viewers = new HlsViewers({ ...services, viewers: environment.status.viewers });
  const playlists = new HlsPlaylists({ ...media, outputs, files });
  const hls = new HlsDelivery({ ...media, playlists, viewers, sources: [outputs, files] });
  // What is a live stream by its URL is no file.
  const liveUrls: QuickSource = {
    find: (url, host) => (live.find({ url, headers: { host } }) === undefined ? undefined : 'never'),
  };
  const hides = (request: IncomingMessage): boolean => hls.hides(request);
  const server = await createMediaServer({ ...media, hides, otherwise: (...asked) => playOtherwise(live, ...asked) }, [
    liveRoutes(live),
    hls.routes(),
    outputs.routes(hides),
    page,
    vodRoutes(services),
  ]);
  const front = new HttpFront({
    ...frontOptions(environment),
    serve: (request, response) => server.serve(request, response),
    quick: new QuickMedia(media, [liveUrls, hls, outputs, files]),
    upgrade: (request, socket) => void upgradeToLive(live, request, socket),
    // Viewers are what the server is for: `max_connections` alone counts.
    maxConnections: Number.POSITIVE_INFINITY,
  });
  const caster = startCasterPart(environment, services);
  await services.directory.start();
  const registry = joinRegistries([live.registry, viewers.registry, caster.registry]);
  return {
    view: servedView({ ...services, registry, hubs: live.hubs }),
    placeOf: (...asked) => services.directory.placeOf(...asked),
    setDrain: (order) => followDrainOrder(services.drain, registry, order),
    front,
    caster,
    configure: () => {
      live.configure(environment.config);
      viewers.configure(environment.config);
      caster.configure();
    },
    stop: async (graceMs) => {
      const endMs = performance.now() + graceMs;
      await Promise.all([front.close(graceMs), live.close(graceMs), caster.stop(graceMs)]);
      // Who is being sent something is a viewer until then.
      await viewers.close(Math.max(0, endMs - performance.now()));
      await server.close();
      await services.close(endMs);
    },
  };
}

/** Which of them owns the stream, the path alone does not say; there is hardly more than one. */
async function askAll(environment: WorkerEnvironment, request: OutputRequest): Promise<OutputAnswer> {
  const answers = await Promise.all(environment.arenas.map((_, backSource) => environment.askOutputs(backSource, request)));
  return answers.find(({ status }) => status !== 404) ?? answers[0]!;
}
