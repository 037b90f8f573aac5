/** Which stream a POST means: by its URL, and by what the caster it came to makes of that. */
import { anyHost, type CasterOutput, type Config, parseTcUrl, type StreamCasterConfig, type TcUrl } from '@srs/config';
import { CasterRefusal } from './caster-refusal.ts';

/** What a client asks for, as one of RTMP would. */
export interface CasterTarget {
  readonly url: TcUrl;
  /** With its parameters. */
  readonly streamName: string;
}

/** The caster that listens where a connection came in; undefined when a reload has taken it away. */
export function findCaster(config: Config, localAddress: string, localPort: number): StreamCasterConfig | undefined {
  const casters = config.streamCasters.filter(
    ({ enabled, caster, listen }) => enabled && caster === 'flv' && listen.port === localPort,
  );
  return (
    casters.find(({ listen }) => listen.host === localAddress) ??
    casters.find(({ listen }) => listen.host === anyHost || listen.host === '::')
  );
}

/** What the name of a stream may end with in a URL: what comes is told by its content. */
const ENDING = /\.(?:flv|ts)$/;

/**
 * @param host of the request, without its port
 * @param requestUrl path and query, as the client wrote them
 * @throws CasterRefusal or SrsError RtmpTcUrl for a URL that is none of a stream
 */
export function targetOf(output: CasterOutput, host: string, requestUrl: string): CasterTarget {
  const queryStart = requestUrl.indexOf('?');
  const query = queryStart < 0 ? '' : requestUrl.slice(queryStart);
  const path = decodePath(queryStart < 0 ? requestUrl : requestUrl.slice(0, queryStart));
  const slash = path.lastIndexOf('/');
  const values: Readonly<Record<string, string>> = {
    vhost: new URLSearchParams(query).get('vhost') ?? host,
    app: path.slice(1, Math.max(slash, 1)),
    stream: path.slice(slash + 1).replace(ENDING, ''),
  };
  const fill = (template: string): string => template.replace(/\[(\w+)\]/g, (_, name: string) => namedIn(values, name));
  const authority = fill(output.host);
  const url = parseTcUrl(`rtmp://${authority.includes(':') ? `[${authority}]` : authority}/${fill(output.app)}`);
  const stream = fill(output.stream);
  return { url, streamName: stream.includes('?') ? `${stream}${query.replace('?', '&')}` : `${stream}${query}` };
}

function namedIn(values: Readonly<Record<string, string>>, name: string): string {
  const value = values[name] ?? '';
  if (value === '') throw new CasterRefusal(404, `the URL of a stream must be /APP/STREAM.flv or .ts; it names no ${name}`);
  return value;
}

function decodePath(path: string): string {
  try {
    const decoded = decodeURIComponent(path);
    if (decoded.startsWith('/')) return decoded;
  } catch {
    // Below.
  }
  throw new CasterRefusal(400, 'the URL has no path that can be read');
}

/** The host that a client asked for, without its port and brackets. */
export function hostOf(header: string | undefined): string {
  const [, ipv6, name = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(header ?? '') ?? [];
  return ipv6 ?? name;
}
