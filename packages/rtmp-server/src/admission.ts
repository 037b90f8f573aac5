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

/** What a client asks for. */
export interface StreamWish {
  /** As the client wrote it. */
  readonly streamName: string;
  readonly use: StreamUse;
  readonly ip: string;
  /** What it counts for among those from its address. */
  readonly place: AddressPlace;
  /** Now, for what expires. */
  readonly unixSeconds: number;
}

/** One client that connected to a vhost. */
export class Admission {
  readonly url: TcUrl;
  readonly vhost: VhostConfig;
  /** As the client wrote it. */
  readonly pageUrl: string;

  private constructor(url: TcUrl, vhost: VhostConfig, pageUrl: string) {
    this.url = url;
    this.vhost = vhost;
    this.pageUrl = pageUrl;
  }

  /** @throws SrsError RtmpVhost or RtmpAccessDenied when the client may not come in */
  static connect(config: Config, url: TcUrl, pageUrl: string): Admission {
    const vhost = findVhost(config, url.vhost);
    assertAllowed(checkRefer(pageUrl, vhost.refer));
    return new Admission(url, vhost, pageUrl);
  }

  /**
   * A stream name may name another vhost than the connect command did: that one's rules then count. What is admitted counts for the
   * client's address until its place is told that it has ended.
   * @throws SrsError RtmpStreamName, RtmpVhost, RtmpAccessDenied, SecurityDenied, SecurityNotAllowed or AddressLimit when the client
   *   may not have the stream
   */
  stream(config: Config, { streamName, use, ip, place, unixSeconds }: StreamWish): AdmittedStream {
    const name: StreamName = parseStreamName(streamName);
    const { url } = this;
    // A reload may have changed what the vhost is.
    const vhost = findVhost(config, name.vhost ?? url.vhost);
    const admitted = { vhost, stream: name.stream, streamId: streamId(vhost.name, url.app, name.stream) };
    const parameters = [name.param, url.param];
    const request = { vhost, use, ip, pageUrl: this.pageUrl, streamId: admitted.streamId, parameters, unixSeconds };
    assertAllowed(checkStreamAccess(request));
    assertAllowed(place.begin(use, ip));
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
