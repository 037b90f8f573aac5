/** Which stream a client gets, by the rules of its vhost. */
import { type AddressPlace, checkStreamAccess, type Refusal, type RefusalKind, type StreamUse } from '@srs/access';
import { type Config, parseStreamName, resolveVhost, streamId, type VhostConfig } from '@srs/config';
import { type ErrorName, SrsError } from '@srs/kernel';

/** A stream that a client asked for and may have. */
export interface AdmittedStream {
  readonly vhost: VhostConfig;
  readonly stream: string;
  /** `vhost/app/stream`. */
  readonly streamId: string;
  /** Parameters of the stream's name, from the `?` on. */
  readonly param: string;
}

/** What a client asks for. */
export interface StreamWish {
  /** By which it came. A stream name may name another one, whose rules then count. */
  readonly vhost: string;
  readonly app: string;
  /** As the client wrote it. */
  readonly streamName: string;
  /** The parameters that came with the app. */
  readonly appParam: string;
  readonly use: StreamUse;
  readonly ip: string;
  /** Of the page that the client is embedded in; '' when it names none. */
  readonly pageUrl: string;
  /** What it counts for among those from its address. */
  readonly place: AddressPlace;
  /** Now, for what expires. */
  readonly unixSeconds: number;
}

/**
 * What is admitted counts for the client's address until its place is told that it has ended.
 * @throws SrsError RtmpStreamName, RtmpVhost, RtmpAccessDenied, SecurityDenied, SecurityNotAllowed or AddressLimit when the client
 *   may not have the stream
 */
export function admitStream(config: Config, wish: StreamWish): AdmittedStream {
  const { app, streamName, appParam, use, ip, pageUrl, place, unixSeconds } = wish;
  const name = parseStreamName(streamName);
  // A reload may have changed what the vhost is.
  const vhost = findVhost(config, name.vhost ?? wish.vhost);
  const admitted = { vhost, stream: name.stream, streamId: streamId(vhost.name, app, name.stream), param: name.param };
  const parameters = [name.param, appParam];
  assertAllowed(checkStreamAccess({ vhost, use, ip, pageUrl, streamId: admitted.streamId, parameters, unixSeconds }));
  assertAllowed(place.begin(use, ip));
  return admitted;
}

/** @throws SrsError RtmpVhost */
export function findVhost(config: Config, name: string): VhostConfig {
  const found = resolveVhost(config, name);
  if (found.kind !== 'found') throw new SrsError('RtmpVhost', found.reason);
  return found.vhost;
}

const errorNames: Readonly<Record<RefusalKind, ErrorName>> = {
  'address-denied': 'SecurityDenied',
  'address-not-allowed': 'SecurityNotAllowed',
  page: 'RtmpAccessDenied',
  credentials: 'RtmpAccessDenied',
  limit: 'AddressLimit',
};

/** @throws SrsError when there is a refusal */
export function assertAllowed(refusal: Refusal | undefined): void {
  if (refusal !== undefined) throw new SrsError(errorNames[refusal.kind], refusal.text);
}
