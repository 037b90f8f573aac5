/** The publishers that post their streams over HTTP, as a part of the http role. */
import { CasterServer } from '@srs/caster';
import type { ClientsView } from '@srs/clients';
import { HttpFront } from '@srs/http-server';
import type { openClientServices } from './client-services.ts';
import type { WorkerEnvironment } from './environment.ts';
import { frontOptions } from './http-listeners.ts';
import { identity } from './identity.ts';

export interface CasterPart {
  readonly registry: ClientsView;
  readonly front: HttpFront;
  /** A reload: the configuration is in force already. */
  configure(): void;
  stop(graceMs: number): Promise<void>;
}

/** @param services of the role, which closes them */
export function startCasterPart(environment: WorkerEnvironment, services: ReturnType<typeof openClientServices>): CasterPart {
  const caster = new CasterServer({ ...services, identity });
  const front = new HttpFront({
    ...frontOptions(environment),
    serve: (request, response) => caster.serve(request, response),
    isEndless: true,
    // Publishers are what the server is for: `max_connections` alone counts.
    maxConnections: Number.POSITIVE_INFINITY,
  });
  return {
    registry: caster.registry,
    front,
    configure: () => caster.configure(environment.config),
    stop: async (graceMs) => {
      await Promise.all([front.close(graceMs), caster.close(graceMs)]);
    },
  };
}
