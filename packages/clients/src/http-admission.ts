/** How a client is let in that says in one HTTP request who it is and which stream it is about. */
import type { AddressPlace, StreamUse } from '@srs/access';
import type { Config } from '@srs/config';
import { type Clock, type Log, redact } from '@srs/kernel';
import { type AdmittedStream, admitStream } from './admitted-stream.ts';
import type { ClientDescription } from './client-description.ts';
import type { ClientHooks } from './client-hooks.ts';
import { ConnectionHooks } from './connection-hooks.ts';
import type { ServerDrain } from './server-drain.ts';

/** What a client said of itself in its request, without secrets. */
export interface HttpIdentity extends Pick<ClientDescription, 'server'> {
  readonly cid: number;
  readonly ip: string;
  readonly app: string;
  /** The URL of the stream, as a client of RTMP would write it. */
  readonly tcUrl: string;
  readonly pageUrl: string;
  readonly userAgent: string;
}

/** Who asks, and for what. */
export interface HttpApplicant extends Pick<ClientDescription, 'server'> {
  readonly cid: number;
  readonly ip: string;
  /** Named by the request as the host; a stream name may name another one. */
  readonly vhost: string;
  readonly app: string;
  /** As the client wrote it, with its parameters. */
  readonly streamName: string;
  /** The parameters that came with the app. */
  readonly appParam: string;
  readonly use: StreamUse;
  /** As the client names it, perhaps with a port. */
  readonly host: string;
  readonly pageUrl: string;
  readonly userAgent: string;
  readonly place: AddressPlace;
  readonly log: Log;
}

/** What a client is made of that may have its stream. */
export interface HttpAdmission {
  readonly identity: HttpIdentity;
  readonly target: AdmittedStream;
  /** They have not been asked yet. */
  readonly hooks: ConnectionHooks;
  readonly place: AddressPlace;
  readonly log: Log;
}

interface AdmissionServices {
  config(): Config;
  readonly clock: Clock;
  readonly hooks: ClientHooks;
  readonly drain: Pick<ServerDrain, 'assertOpen'>;
}

/**
 * By the rules of the vhost; the hook servers are asked by whoever goes on with it.
 * @throws SrsError as `admitStream`, or ServerDrained
 */
export function admitHttpClient(services: AdmissionServices, applicant: HttpApplicant): HttpAdmission {
  const { cid, ip, app, streamName, appParam, host, pageUrl, userAgent, server, place, log } = applicant;
  services.drain.assertOpen();
  const unixSeconds = Math.floor(services.clock.wallMs() / 1000);
  const target = admitStream(services.config(), { ...applicant, unixSeconds });
  const tcUrl = `http://${host}/${app}`;
  const hookSubject = { cid, ip, vhost: target.vhost, app, tcUrl, pageUrl, param: appParam, log };
  const identity = {
    cid,
    ip,
    app,
    tcUrl: redact(`${tcUrl}/${streamName}`),
    pageUrl: redact(pageUrl),
    userAgent,
    ...(server === undefined ? {} : { server }),
  };
  return { identity, target, hooks: new ConnectionHooks(services.hooks, { hookSubject }), place, log };
}
