/** What a hook server is told: the events, and the JSON that each of them carries. */

/** The server answers whether the client may. */
export type AskedEvent = 'on_connect' | 'on_publish' | 'on_play';
/** The server is told of the end of what it has allowed. */
export type ToldEvent = 'on_close' | 'on_unpublish' | 'on_stop';

/** The server names what else a published stream is to be pushed to. */
export type NamingEvent = 'on_forward';
/** The server is told of what was made of a stream. */
export type OutputEvent = 'on_dvr' | 'on_hls';
/** A URL is fetched for each segment, so that a cache below it has the segment before its viewers ask. */
export type FetchedEvent = 'on_hls_notify';

export interface HookFacts {
  readonly clientId: number;
  readonly ip: string;
  /** The resolved one: `__defaultVhost__` when that serves. */
  readonly vhost: string;
  readonly app: string;
  /** As the client wrote them, secrets included: the hook server is who checks those. */
  readonly tcUrl: string;
  readonly pageUrl: string;
  /** Of the events about a stream. */
  readonly stream?: string;
  /** From the `?` of the stream name on, or else of the tcUrl; '' without parameters. */
  readonly param?: string;
  /** Of on_close; left out when they are not known. */
  readonly sendBytes?: number;
  readonly recvBytes?: number;
  readonly serverId: string;
}

/** A host name that stands for no host in particular is not part of a stream's address. */
const DEFAULT_VHOST = '__defaultVhost__';

/** One JSON object: the fields of SRS 1.0 in its order, then those of later versions. */
export function hookBody(event: AskedEvent | ToldEvent, facts: HookFacts): string {
  const { clientId, ip, vhost, app, tcUrl, pageUrl, stream = '', param = '', sendBytes, recvBytes, serverId } = facts;
  const client = { action: event, client_id: clientId, ip, vhost, app };
  switch (event) {
    case 'on_connect':
      return JSON.stringify({ ...client, tcUrl, pageUrl, server_id: serverId });
    case 'on_close':
      return JSON.stringify({ ...client, send_bytes: sendBytes, recv_bytes: recvBytes, server_id: serverId });
    case 'on_publish':
    case 'on_unpublish':
    case 'on_play':
    case 'on_stop': {
      const streamUrl = `${vhost === DEFAULT_VHOST ? '' : vhost}/${app}/${stream}`;
      return JSON.stringify({ ...client, stream, param, tcUrl, pageUrl, stream_url: streamUrl, server_id: serverId });
    }
  }
}

/** What the notices of outputs say of the stream. */
export interface OutputFacts {
  /** Trackable id of the publisher. */
  readonly clientId: number;
  readonly ip: string;
  readonly vhost: string;
  readonly app: string;
  readonly stream: string;
  readonly param: string;
  /** The directory that relative paths begin at. */
  readonly cwd: string;
  readonly serverId: string;
}

/** In the order of SRS 5. */
export function forwardBody(facts: Omit<OutputFacts, 'cwd'> & { readonly tcUrl: string }): string {
  const { serverId, clientId, ip, vhost, app, tcUrl, stream, param } = facts;
  const action: NamingEvent = 'on_forward';
  return JSON.stringify({ action, server_id: serverId, client_id: clientId, ip, vhost, app, tcUrl, stream, param });
}

export interface SegmentFacts extends OutputFacts {
  readonly durationSeconds: number;
  readonly file: string;
  readonly url: string;
  readonly m3u8: string;
  readonly m3u8Url: string;
  readonly sequence: number;
}

/** A recording is complete. */
export function recordingBody(facts: OutputFacts & { readonly file: string }): string {
  const { cwd, file } = facts;
  return JSON.stringify({ ...outputFields('on_dvr', facts), cwd, file, ...lastFields(facts) });
}

/** A segment has been listed. */
export function segmentBody(facts: SegmentFacts): string {
  const { durationSeconds, cwd, file, url, m3u8, m3u8Url, sequence } = facts;
  const segment = { duration: durationSeconds, cwd, file, url, m3u8, m3u8_url: m3u8Url, seq_no: sequence };
  return JSON.stringify({ ...outputFields('on_hls', facts), ...segment, ...lastFields(facts) });
}

/** The URL of `on_hls_notify`, its `[variables]` filled in. */
export function segmentNotifyUrl(url: string, { serverId, app, stream, url: segmentUrl, param }: SegmentFacts): string {
  return url
    .replaceAll('[server_id]', encodeURIComponent(serverId))
    .replaceAll('[app]', app.split('/').map(encodeURIComponent).join('/'))
    .replaceAll('[stream]', encodeURIComponent(stream))
    .replaceAll('[ts_url]', segmentUrl.split('/').map(encodeURIComponent).join('/'))
    .replaceAll('[param]', param);
}

function outputFields(action: OutputEvent, { clientId, ip, vhost, app, stream, param }: OutputFacts): object {
  return { action, client_id: clientId, ip, vhost, app, stream, param };
}

function lastFields({ vhost, app, stream, serverId }: OutputFacts): object {
  return { stream_url: `${vhost === DEFAULT_VHOST ? '' : vhost}/${app}/${stream}`, server_id: serverId };
}
