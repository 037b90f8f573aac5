/** Which live stream a URL means, by the `http_remux { mount ...; }` of the vhosts. */
import { type Config, resolveVhost, type VhostConfig } from '@srs/config';

/** A stream that somebody asks for. */
export interface LiveRequest {
  readonly vhost: VhostConfig;
  readonly app: string;
  /** With the parameters of the URL, as a client of RTMP would write it. */
  readonly streamName: string;
}

/** At the beginning it stands for the host of the URL, which is no part of its path. */
const VHOST_PART = '[vhost]';

const patterns = new Map<string, RegExp>();
/** Mounts come from configuration files only; reloads without end must not fill the memory all the same. */
const MAX_PATTERNS = 1000;

/**
 * @param host of the request, without its port
 * @param url path and query, as the client wrote them
 * @returns undefined when it is no live stream
 */
export function findLiveStream(config: Config, host: string, url: string): LiveRequest | undefined {
  const queryStart = url.indexOf('?');
  const query = queryStart < 0 ? '' : url.slice(queryStart);
  const path = decodePath(queryStart < 0 ? url : url.slice(0, queryStart));
  if (path === undefined) return undefined;
  const named = new URLSearchParams(query).get('vhost') ?? host;
  const found = resolveVhost(config, named);
  if (found.kind !== 'found' || !found.vhost.httpRemux.enabled) return undefined;
  const { vhost } = found;
  const match = patternOf(vhost).exec(path);
  if (match?.groups === undefined) return undefined;
  const { app = '', stream = '' } = match.groups;
  return { vhost, app, streamName: `${stream}${query}` };
}

/** `/live/s.flv`; undefined for what is no valid encoding. */
function decodePath(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

function patternOf({ name, httpRemux: { mount } }: VhostConfig): RegExp {
  const key = `${name} ${mount}`;
  let pattern = patterns.get(key);
  if (pattern === undefined) {
    pattern = new RegExp(`^${patternText(mount, name)}$`);
    if (patterns.size >= MAX_PATTERNS) patterns.clear();
    patterns.set(key, pattern);
  }
  return pattern;
}

function patternText(mount: string, vhost: string): string {
  const path = mount.startsWith(VHOST_PART) ? mount.slice(VHOST_PART.length) : mount;
  const seen = new Set<string>();
  return `${path.startsWith('/') ? '' : '/'}${path}`.replace(/\[(app|stream|vhost)\]|[^\w/]/g, (text, variable?: string) => {
    if (variable === undefined) return `\\${text}`;
    if (variable === 'vhost') return vhost.replace(/\W/g, '\\$&');
    if (seen.has(variable)) return `\\k<${variable}>`;
    seen.add(variable);
    return variable === 'app' ? '(?<app>.+)' : '(?<stream>[^/]+)';
  });
}
