/** Sends viewers over RTMP to the server where their stream lives, for vhosts with `cluster { on_miss redirect; }`. */
import type { AdmittedStream, RedirectAnswer, StreamRoutes } from '@srs/clients';
import { vhostAtOrigins } from '@srs/config';
import type { DirectoryClient } from '@srs/stream';

/** After this the viewer is served here: it waits, or the stream is got for it. */
const LIMIT_MS = 1_000;

export function clusterRoutes(directory: Pick<DirectoryClient, 'whereIs'>): StreamRoutes {
  return {
    find: (use, { vhost, streamId }: AdmittedStream) => {
      const { originCluster, onMiss } = vhost.cluster;
      if (use !== 'play' || !originCluster || onMiss !== 'redirect') return undefined;
      // A viewer would ask there for the name that it knows.
      if (vhostAtOrigins(vhost) !== vhost.name) return undefined;
      return findWithin(directory, streamId);
    },
  };
}

async function findWithin(directory: Pick<DirectoryClient, 'whereIs'>, streamId: string): Promise<RedirectAnswer | undefined> {
  const expired = Promise.withResolvers<null>();
  const timer = setTimeout(() => expired.resolve(null), LIMIT_MS);
  const address = await Promise.race([directory.whereIs(streamId).catch(() => null), expired.promise]);
  clearTimeout(timer);
  if (address === null) return undefined;
  return { kind: 'redirect', to: { kind: 'server', ...address, isSecure: false }, why: 'the stream lives there' };
}
