/** Live streams over HTTP and WebSockets: who asks for one is let in, and its connection given to the fan-out of the stream. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { admitHttpClient, ClientRegistry, type HttpAdmission, PithyPrint, PlayHub, PlayHubs, plainAddress } from '@srs/clients';
import type { Config } from '@srs/config';
import { describeError } from '@srs/kernel';
import { decodeIdentityHeader, describePeer, encodeIdentityHeader, IDENTITY_HEADER } from '@srs/rtmp';
import { ApiError } from './api-errors.ts';
import { LiveClient, type LiveClientOptions } from './live-client.ts';
import { type LiveFormat, liveFormats } from './live-format.ts';
import { LiveGates } from './live-gate.ts';
import { findLiveStream, type LiveRequest } from './live-mount.ts';
import type { LiveServices } from './live-services.ts';
import { refusalOf } from './media-refusals.ts';
import { acceptKey } from './web-socket-message.ts';

const WEB_SOCKET_VERSION = '13';

/** What a request asks for. */
interface AskedTarget {
  readonly url?: string | undefined;
  readonly headers: { readonly host?: string | undefined };
}

export class LiveServer {
  readonly registry: ClientRegistry<LiveClient>;
  readonly hubs: PlayHubs;
  readonly #services: LiveServices;
  readonly #gates: LiveGates;
  readonly #players: PithyPrint;
  readonly #hubs: ReadonlyMap<LiveFormat, PlayHub>;

  constructor(services: LiveServices) {
    this.#services = services;
    this.registry = new ClientRegistry({ ...services, maxConnections: () => services.config().maxConnections });
    this.#gates = new LiveGates(services);
    this.#players = new PithyPrint(() => services.config().pithyPrint.playMs);
    const { flv, ts, aac, mp3 } = liveFormats;
    const hubs = new Map<LiveFormat, PlayHub>();
    const openHub = (format: LiveFormat): PlayHub => {
      const hub = new PlayHub({ ...services, format });
      hubs.set(format, hub);
      return hub;
    };
    const others = [flv.webSocket, ...[ts, aac, mp3].flatMap(({ http, webSocket }) => [http, webSocket])];
    this.hubs = new PlayHubs([openHub(flv.http), ...others.map(openHub)]);
    this.#hubs = hubs;
  }

  /** The live stream that a request means, whatever files there are; undefined for anything else. */
  find(request: AskedTarget): LiveRequest | undefined {
    const wanted = this.#find(request);
    return wanted?.isBehindFiles === false ? wanted : undefined;
  }

  /** The live stream that a request means when there is no file of that name. */
  findBehindFiles(request: AskedTarget): LiveRequest | undefined {
    const wanted = this.#find(request);
    return wanted?.isBehindFiles === true ? wanted : undefined;
  }

  /**
   * Plays to who asked, for as long as it stays. The connection is nobody else's any more when this resolves.
   * @throws ApiError before anything was answered
   */
  async play(wanted: LiveRequest, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    const admitted = await this.#admit(wanted, request, socket);
    if (admitted === undefined) return;
    if (socket instanceof TLSSocket) response.detachSocket(socket);
    const format = liveFormats[wanted.ending].http;
    this.#open(admitted, wanted, request, { socket, format, responseHead: this.#httpHead(format, request, admitted) });
  }

  /**
   * As `play`, over a WebSocket.
   * @throws ApiError before anything was answered
   */
  async playWebSocket(wanted: LiveRequest, request: IncomingMessage, socket: Socket): Promise<void> {
    const key = request.headers['sec-websocket-key'];
    if (key === undefined || request.headers['sec-websocket-version'] !== WEB_SOCKET_VERSION)
      throw new ApiError(400, `a websocket needs a key, and version ${WEB_SOCKET_VERSION}`);
    this.#checkOrigin(request);
    const admitted = await this.#admit(wanted, request, socket);
    if (admitted === undefined) return;
    const head = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptKey(key)}\r\n\r\n`;
    const format = liveFormats[wanted.ending].webSocket;
    this.#open(admitted, wanted, request, { socket, format, responseHead: head, isWebSocket: true });
  }

  /** A reload: what runs goes on under the new configuration, which is in force already. */
  configure(config: Config): void {
    for (const hub of this.#hubs.values()) hub.configure(config);
    for (const client of this.registry.clients()) client.configure(config);
    this.#players.reschedule();
  }

  /** Tells those who are there, and waits for them to go: `graceMs` at most. */
  close(graceMs: number): Promise<void> {
    return this.registry.close(graceMs);
  }

  #find(request: AskedTarget): LiveRequest | undefined {
    return findLiveStream(this.#services.config(), hostOf(request), request.url ?? '/');
  }

  #open(
    admitted: HttpAdmission,
    { isHeld }: LiveRequest,
    { url = '' }: IncomingMessage,
    way: Pick<LiveClientOptions, 'socket' | 'format' | 'responseHead'> & { readonly isWebSocket?: boolean },
  ): void {
    const client = new LiveClient({
      isWebSocket: false,
      ...admitted,
      ...way,
      url,
      isHeld,
      hub: this.#hubs.get(way.format)!,
      gates: this.#gates,
      clock: this.#services.clock,
      onClosed: (closed) => {
        this.#players.leave(closed);
        this.registry.onClosed(closed);
      },
    });
    this.registry.add(client);
    this.#players.join(client);
    client.start();
  }

  /** @returns undefined when the client has left in the meantime; nothing is held then */
  async #admit(wanted: LiveRequest, request: IncomingMessage, socket: Socket): Promise<HttpAdmission | undefined> {
    const ip = plainAddress(socket.remoteAddress);
    const place = this.registry.admit(ip);
    if (place === undefined) throw new ApiError(503, 'the server has as many clients as it may have');
    const cid = this.#services.nextCid();
    const log = this.#services.log.child(cid);
    const { vhost, app, streamName } = wanted;
    const { host = '', referer = '', 'user-agent': userAgent = '' } = request.headers;
    const peer = decodeIdentityHeader(request.headers[IDENTITY_HEADER]);
    let isGone = false;
    const onGone = (): void => {
      isGone = true;
    };
    socket.once('close', onGone);
    try {
      const admitted = admitHttpClient(this.#services, {
        cid,
        ip,
        vhost: vhost.name,
        app,
        streamName,
        appParam: '',
        use: 'play',
        host,
        pageUrl: referer,
        userAgent,
        ...(peer === undefined ? {} : { server: peer }),
        place,
        log,
      });
      await admitted.hooks.begin('play', admitted.target, streamName);
      if (!isGone) return admitted;
      admitted.hooks.end();
    } catch (error) {
      this.registry.abandon(place);
      log.error(`refused HTTP client ip=${ip}: ${describeError(error)}`);
      throw refusalOf(error);
    } finally {
      socket.off('close', onGone);
    }
    this.registry.abandon(place);
    return undefined;
  }

  /** A page of another site must not make its visitors' browsers play here, unless `crossdomain` lets it. */
  #checkOrigin(request: IncomingMessage): void {
    const { origin } = request.headers;
    if (origin === undefined || this.#services.config().httpStream.crossdomain) return;
    if (!URL.canParse(origin) || new URL(origin).host !== request.headers.host)
      throw new ApiError(403, `a websocket of origin ${JSON.stringify(origin)} is refused (http_server crossdomain)`);
  }

  /** The body has no length: it ends with the connection. So all viewers get the same bytes. */
  #httpHead({ contentType }: LiveFormat, request: IncomingMessage, admitted: HttpAdmission): string {
    const cors = this.#services.config().httpStream.crossdomain ? 'Access-Control-Allow-Origin: *\r\n' : '';
    return (
      `HTTP/1.1 200 OK\r\nServer: SRS/${this.#services.version}\r\nContent-Type: ${contentType}\r\n` +
      `Cache-Control: no-cache\r\nX-Content-Type-Options: nosniff\r\n${cors}${this.#identityLine(request.socket, admitted)}Connection: close\r\n\r\n`
    );
  }

  /** A server that says who it is is told the same, as over RTMP, so that both logs name the other. */
  #identityLine(socket: Socket, { identity: { cid, server } }: HttpAdmission): string {
    if (server === undefined) return '';
    const { log, version } = this.#services;
    log.child(cid).trace(describePeer(server));
    const serverIp = plainAddress(socket.localAddress);
    return `${IDENTITY_HEADER}: ${encodeIdentityHeader({ version, serverIp, pid: process.pid, id: cid })}\r\n`;
  }
}

/** The host that the client asked for, without its port. */
export function hostOf({ headers }: Pick<AskedTarget, 'headers'>): string {
  const host = headers.host ?? '';
  const end = host.startsWith('[') ? host.indexOf(']') + 1 : host.lastIndexOf(':');
  return end > 0 ? host.slice(0, end) : host;
}
