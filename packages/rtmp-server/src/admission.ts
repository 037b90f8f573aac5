/** Who may come in, and to which stream: addresses taken apart, vhosts found, the rules of access asked. */
import { checkRefer } from '@srs/access';
import { type AdmittedStream, admitStream, assertAllowed, findVhost, type StreamWish } from '@srs/clients';
import type { Config, TcUrl, VhostConfig } from '@srs/config';

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

  /** @throws SrsError as `admitStream` */
  stream(config: Config, wish: Omit<StreamWish, 'vhost' | 'app' | 'appParam' | 'pageUrl'>): AdmittedStream {
    const { vhost, app, param } = this.url;
    return admitStream(config, { ...wish, vhost, app, appParam: param, pageUrl: this.pageUrl });
  }
}
