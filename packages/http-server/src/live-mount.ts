/** Which live stream a URL means, by the `http_remux { mount ...; }` of the vhosts. */
import { type Config, resolveVhost, type VhostConfig } from '@srs/config';
import { type LiveEnding, liveEndings } from './live-format.ts';

/** A stream that somebody asks for. */
export interface LiveRequest {
  readonly vhost: VhostConfig;
  readonly app: string;
  /** With the parameters of the URL, as a client of RTMP would write it. */
  readonly streamName: string;
  /** The format that is wanted. */
  readonly ending: LiveEnding;
  /** A file of that name comes first, because only the beginning of the mount says that this is a stream. */
  readonly isBehindFiles: boolean;
  /** Waits for a publisher. A segment of HLS could have the other names: it is not there any more, or never was. */
  readonly isHeld: boolean;
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
  const { app = '', stream = '', ending = '' } = match.groups;
  const isSegment = isSegmentName(vhost, path);
  return {
    vhost,
    app,
    streamName: `${stream}${query}`,
    ending: liveEndings.find((known) => known === ending) ?? 'flv',
    isBehindFiles: isSegment || !vhost.httpRemux.mount.endsWith(`.${ending}`),
    isHeld: !isSegment,
  };
}

function isSegmentName({ hls }: VhostConfig, path: string): boolean {
  if (!hls.enabled) return false;
  const name = hls.tsFile.slice(hls.tsFile.lastIndexOf('/') + 1);
  const pattern = name.replace(/\[(\w+)\]|[^\w/]/g, (text, variable?: string) => {
    if (variable === undefined) return `\\${text}`;
    return variable === 'seq' ? '\\d+' : '.+';
  });
  return new RegExp(`/${pattern}$`).test(path);
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
  const end = mount.lastIndexOf('.') + 1;
  const path = mount.slice(mount.startsWith(VHOST_PART) ? VHOST_PART.length : 0, end);
  const ending = mount.slice(end);
  // As in later versions of SRS a mount of FLV is one of all formats.
  const endings = ending === 'flv' ? liveEndings.join('|') : ending;
  return `${templateText(path, vhost)}(?<ending>${endings})`;
}

function templateText(path: string, vhost: string): string {
  const seen = new Set<string>();
  return `${path.startsWith('/') ? '' : '/'}${path}`.replace(/\[(app|stream|vhost)\]|[^\w/]/g, (text, variable?: string) => {
    if (variable === undefined) return `\\${text}`;
    if (variable === 'vhost') return vhost.replace(/\W/g, '\\$&');
    if (seen.has(variable)) return `\\k<${variable}>`;
    seen.add(variable);
    return variable === 'app' ? '(?<app>.+)' : '(?<stream>[^/]+)';
  });
}
