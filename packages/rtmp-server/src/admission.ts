/** Who may come in, and to which stream: addresses taken apart, vhosts found, referring pages checked. */
import { type Config, parseStreamName, resolveVhost, type StreamName, streamId, type TcUrl, type VhostConfig } from '@srs/config';
import { SrsError } from '@srs/kernel';
import { isReferAllowed } from './refer.ts';

export type StreamUse = 'publish' | 'play';

/** A stream that a client asked for and may have. */
export interface AdmittedStream {
  readonly vhost: VhostConfig;
  readonly stream: string;
  /** `vhost/app/stream`. */
  readonly streamId: string;
}

/** One client that connected to a vhost. */
export class Admission {
  readonly url: TcUrl;
  readonly vhost: VhostConfig;
  readonly #pageUrl: string;

  private constructor(url: TcUrl, vhost: VhostConfig, pageUrl: string) {
    this.url = url;
    this.vhost = vhost;
    this.#pageUrl = pageUrl;
  }

  /** @throws SrsError RtmpTcUrl, RtmpVhost or RtmpAccessDenied when the client may not come in */
  static connect(config: Config, url: TcUrl, pageUrl: string): Admission {
    const admission = new Admission(url, findVhost(config, url.vhost), pageUrl);
    admission.#checkRefer(admission.vhost.refer);
    return admission;
  }

  /**
   * A stream name may name another vhost than the connect command did: that one's rules then count.
   * @throws SrsError RtmpStreamName, RtmpVhost or RtmpAccessDenied when the client may not have the stream
   */
  stream(config: Config, streamName: string, use: StreamUse): AdmittedStream {
    const name: StreamName = parseStreamName(streamName);
    let { vhost } = this;
    if (name.vhost !== undefined && name.vhost !== this.url.vhost) {
      vhost = findVhost(config, name.vhost);
      this.#checkRefer(vhost.refer);
    }
    this.#checkRefer(use === 'publish' ? vhost.referPublish : vhost.referPlay);
    return { vhost, stream: name.stream, streamId: streamId(vhost.name, this.url.app, name.stream) };
  }

  #checkRefer(allowed: readonly string[]): void {
    if (isReferAllowed(this.#pageUrl, allowed)) return;
    throw new SrsError('RtmpAccessDenied', `page ${JSON.stringify(this.#pageUrl)} must end with one of: ${allowed.join(' ')}`);
  }
}

function findVhost(config: Config, name: string): VhostConfig {
  const found = resolveVhost(config, name);
  if (found.kind !== 'found') throw new SrsError('RtmpVhost', found.reason);
  return found.vhost;
}
