/** Who may come in, and to which stream: addresses taken apart, vhosts found, the rules of access asked. */
import { type AddressPlace, checkRefer, checkStreamAccess, type Refusal, type RefusalKind, type StreamUse } from '@srs/access';
import { type Config, parseStreamName, resolveVhost, type StreamName, streamId, type TcUrl, type VhostConfig } from '@srs/config';
import { type ErrorName, SrsError } from '@srs/kernel';

/** A stream that a client asked for and may have. */
export interface AdmittedStream {
  readonly vhost: VhostConfig;
  readonly stream: string;
  /** `vhost/app/stream`. */
  readonly streamId: string;
}

/** What is known of a client that connects. */
export interface Visitor {
  readonly url: TcUrl;
  readonly pageUrl: string;
  readonly ip: string;
  /** What it counts for among those from its address. */
  readonly place: AddressPlace;
}

/** One client that connected to a vhost. */
export class Admission {
  readonly url: TcUrl;
  readonly vhost: VhostConfig;
  readonly #visitor: Visitor;

  private constructor(visitor: Visitor, vhost: VhostConfig) {
    this.url = visitor.url;
    this.vhost = vhost;
    this.#visitor = visitor;
  }

  /** @throws SrsError RtmpVhost or RtmpAccessDenied when the client may not come in */
  static connect(config: Config, visitor: Visitor): Admission {
    const vhost = findVhost(config, visitor.url.vhost);
    assertAllowed(checkRefer(visitor.pageUrl, vhost.refer));
    return new Admission(visitor, vhost);
  }

  /**
   * A stream name may name another vhost than the connect command did: that one's rules then count. What is admitted counts for the
   * client's address until its place is told that it has ended.
   * @param unixSeconds now, for what expires
   * @throws SrsError RtmpStreamName, RtmpVhost, RtmpAccessDenied, SecurityDenied, SecurityNotAllowed or AddressLimit when the client
   *   may not have the stream
   */
  stream(config: Config, streamName: string, use: StreamUse, unixSeconds: number): AdmittedStream {
    const name: StreamName = parseStreamName(streamName);
    const { url, pageUrl, ip, place } = this.#visitor;
    // A reload may have changed what the vhost is.
    const vhost = findVhost(config, name.vhost ?? url.vhost);
    const admitted = { vhost, stream: name.stream, streamId: streamId(vhost.name, url.app, name.stream) };
    const parameters = [name.param, url.param];
    assertAllowed(checkStreamAccess({ vhost, use, ip, pageUrl, streamId: admitted.streamId, parameters, unixSeconds }));
    assertAllowed(place.begin(use));
    return admitted;
  }
}

const errorNames: Readonly<Record<RefusalKind, ErrorName>> = {
  'address-denied': 'SecurityDenied',
  'address-not-allowed': 'SecurityNotAllowed',
  page: 'RtmpAccessDenied',
  credentials: 'RtmpAccessDenied',
  limit: 'AddressLimit',
};

function assertAllowed(refusal: Refusal | undefined): void {
  if (refusal !== undefined) throw new SrsError(errorNames[refusal.kind], refusal.text);
}

function findVhost(config: Config, name: string): VhostConfig {
  const found = resolveVhost(config, name);
  if (found.kind !== 'found') throw new SrsError('RtmpVhost', found.reason);
  return found.vhost;
}
