/** Where a stream can be played, as its vhost is configured. */
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { type Config, defaultRtmpPort, type VhostConfig } from '@srs/config';

/** A stream of a vhost. */
export interface PageStreamName {
  readonly vhost: VhostConfig;
  readonly app: string;
  readonly stream: string;
}

const FLV_ENDING = '.flv';
/** At the beginning of a mount it stands for the host of the URL, which is no part of its path. */
const VHOST_PART = '[vhost]';
/** A name or an address of the server. Whatever else a client sends as one is not written into a URL. */
const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])$/i;

/** @param host that the client reached the server by */
export function rtmpServerUrl(config: Config, host: string): string {
  const port = config.listen[0]?.port ?? defaultRtmpPort;
  return `rtmp://${HOST.test(host) ? host : 'localhost'}${port === defaultRtmpPort ? '' : `:${port}`}`;
}

/** Path of HTTP-FLV, and of FLV over a WebSocket; null when the vhost serves none. */
export function flvPath({ vhost, app, stream }: PageStreamName): string | null {
  const { enabled, mount } = vhost.httpRemux;
  if (!enabled || !mount.endsWith(FLV_ENDING)) return null;
  return urlPath(fill(withoutHost(mount), { vhost, app, stream }));
}

/** Path of the playlist; null when there is none, or it is written where the HTTP server does not look. */
export function hlsPath(config: Config, name: PageStreamName): string | null {
  const { enabled, storage, format, path, m3u8File } = name.vhost.hls;
  if (!enabled) return null;
  const file = fill(m3u8File, name);
  // What is kept in memory has a name only, as if it were in the root directory.
  if (storage === 'memory' || format === 'll') return urlPath(file);
  for (const { mount, dir } of servedDirectories(config, name.vhost)) {
    const below = relative(resolve(dir), resolve(path));
    const isBelow = below !== '..' && !below.startsWith(`..${sep}`) && !isAbsolute(below);
    if (isBelow) return urlPath(`${mount}/${below}/${file}`);
  }
  return null;
}

function servedDirectories({ httpStream }: Config, { http }: VhostConfig): readonly { mount: string; dir: string }[] {
  const root = { mount: '/', dir: httpStream.dir };
  return http.enabled ? [{ mount: withoutHost(http.mount), dir: http.dir }, root] : [root];
}

function withoutHost(mount: string): string {
  return mount.startsWith(VHOST_PART) ? mount.slice(VHOST_PART.length) : mount;
}

function fill(template: string, { vhost, app, stream }: PageStreamName): string {
  const values: Readonly<Record<string, string>> = { vhost: vhost.name, app, stream };
  return template.replaceAll(/\[(vhost|app|stream)\]/g, (_, variable: string) => values[variable]!);
}

function urlPath(path: string): string {
  const names = path.split('/').filter((name) => name !== '');
  return `/${names.map(encodeURIComponent).join('/')}`;
}
