/** Which directory a path is served from: the mounts of the vhosts, and the root of the HTTP server. */
import { resolve } from 'node:path';
import { type Config, resolveVhost } from '@srs/config';
import { FileDirectory } from './file-directory.ts';

interface Mount {
  /** Serves requests for this vhost only. */
  readonly vhost: string | undefined;
  readonly segments: readonly string[];
  readonly directory: FileDirectory;
}

export interface FilePlace {
  readonly directory: FileDirectory;
  /** Names below the directory. */
  readonly names: readonly string[];
}

/** At the beginning of a mount: for requests to this vhost. */
const VHOST_PART = '[vhost]';

/** The mounts of one configuration. */
export class FileMounts {
  readonly #config: Config;
  readonly #mounts: readonly Mount[];

  constructor(config: Config) {
    this.#config = config;
    const mounts: Mount[] = [];
    for (const vhost of config.vhosts.values()) {
      const { enabled, mount, dir } = vhost.http;
      if (!vhost.enabled || !enabled) continue;
      const isOfVhost = mount.startsWith(VHOST_PART);
      mounts.push({
        vhost: isOfVhost ? vhost.name : undefined,
        segments: segmentsOf(isOfVhost ? mount.slice(VHOST_PART.length) : mount),
        directory: new FileDirectory(resolve(dir)),
      });
    }
    if (!mounts.some(({ vhost, segments }) => vhost === undefined && segments.length === 0))
      mounts.push({ vhost: undefined, segments: [], directory: new FileDirectory(resolve(config.httpStream.dir)) });
    // Of two that fit the longer one is meant, or else that of the vhost; the order of the file decides the rest.
    this.#mounts = mounts.sort(
      (left, right) =>
        right.segments.length - left.segments.length || Number(right.vhost !== undefined) - Number(left.vhost !== undefined),
    );
  }

  /** @param host of the request, perhaps with a port */
  find(segments: readonly string[], host: string): FilePlace | undefined {
    let vhost: string | undefined;
    for (const mount of this.#mounts) {
      if (mount.segments.length > segments.length) continue;
      if (!mount.segments.every((name, index) => name === segments[index])) continue;
      if (mount.vhost !== undefined) {
        vhost ??= this.#vhostOf(host);
        if (mount.vhost !== vhost) continue;
      }
      return { directory: mount.directory, names: segments.slice(mount.segments.length) };
    }
    return undefined;
  }

  /** Empty when none serves that host. */
  #vhostOf(host: string): string {
    const name = host.replace(/:\d*$/, '');
    const found = resolveVhost(this.#config, this.#config.vhosts.has(name) ? name : name.toLowerCase());
    return found.kind === 'found' ? found.vhost.name : '';
  }
}

function segmentsOf(path: string): readonly string[] {
  return path.split('/').filter((name) => name !== '');
}
