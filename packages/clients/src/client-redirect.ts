/** The answer that a client is served elsewhere, and what it is told then. */
import type { StreamUse } from '@srs/access';
import { defaultVhostName, describeRedirectTarget, type RedirectTarget, serverUrl, type VhostConfig } from '@srs/config';
import { SrsError } from '@srs/kernel';
import type { AdmittedStream } from './admitted-stream.ts';

/** What says of a client, or of a stream, that it is served elsewhere. */
export interface RedirectAnswer {
  readonly kind: 'redirect';
  readonly to: RedirectTarget;
  /** For the log: `the on_play hook says so`. */
  readonly why: string;
}

/**
 * Knows which streams are served by other servers. It is asked for every publish and play over RTMP, after the rules of the vhost and
 * before the hook server, which the other server asks.
 *
 * A cluster answers `{ kind: 'redirect', to: { kind: 'server', host, port, isSecure: false }, why: 'the stream lives there' }`: the client
 * is sent to the same vhost, app and stream on that server, before its publish or play is answered. `undefined` lets it in here.
 * A promise may take its time, but not for ever: it ends by itself and never rejects, and the client waits with nothing answered. Clients
 * that are there already are sent away by `RegisteredClient.sendTo`.
 */
export interface StreamRoutes {
  /** @throws SrsError when the client may have the stream nowhere */
  find(use: StreamUse, stream: AdmittedStream): RedirectAnswer | undefined | Promise<RedirectAnswer | undefined>;
}

/** Thrown where a client would be refused: it is to go to another server instead. */
export class ClientRedirect extends SrsError {
  readonly to: RedirectTarget;

  constructor({ to, why }: Omit<RedirectAnswer, 'kind'>) {
    super('ClientRedirected', `sent to ${describeRedirectTarget(to)}: ${why}`);
    this.to = to;
  }
}

/** What an RTMP client said of where it wants to go. */
export interface RedirectedClient {
  readonly vhost: VhostConfig;
  readonly app: string;
  /** The parameters that came with the app, from the `?` on. */
  readonly appParam: string;
  /** With its parameters; '' when it has not said yet. */
  readonly streamName: string;
}

/** The addresses that an RTMP client is told: of the app, and of the stream when that is known. */
export function redirectAddresses(
  to: Exclude<RedirectTarget, { readonly kind: 'http' }>,
  client: RedirectedClient,
): { readonly tcUrl: string; readonly url?: string } {
  const tcUrl = to.kind === 'stream' ? to.tcUrl : `${serverUrl(to)}/${client.app}${withVhost(client)}`;
  const streamName = to.kind === 'stream' && to.streamName !== '' ? to.streamName : client.streamName;
  return streamName === '' ? { tcUrl } : { tcUrl, url: `${tcUrl}/${streamName}` };
}

/** The host of the address is the machine, so the vhost goes along as a parameter. */
function withVhost({ vhost, appParam }: RedirectedClient): string {
  if (vhost.name === defaultVhostName || /[?&]vhost=/.test(appParam)) return appParam;
  return `${appParam === '' ? '?' : `${appParam}&`}vhost=${vhost.name}`;
}
