/** What a hook server is told: the events, and the JSON that each of them carries. */

/** The server answers whether the client may. */
export type AskedEvent = 'on_connect' | 'on_publish' | 'on_play';
/** The server is told of the end of what it has allowed. */
export type ToldEvent = 'on_close' | 'on_unpublish' | 'on_stop';

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
