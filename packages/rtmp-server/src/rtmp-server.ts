/** The RTMP server of one process: its listeners and its clients. */
import { createServer, type ListenOptions, type Server, Socket, type SocketConstructorOpts } from 'node:net';
import { AddressPlace } from '@srs/access';
import type { Config } from '@srs/config';
import { describeError, type Kbps, RateMeter } from '@srs/kernel';
import { closeListener, descriptorOf, duplicateFd } from '@srs/native';
import { plainAddress } from './client-identity.ts';
import { type Departure, Departures } from './departures.ts';
import { PithyPrint } from './pithy-print.ts';
import { PlayHub } from './play-hub.ts';
import { type ConnectionHost, RtmpConnection } from './rtmp-connection.ts';
import type { RtmpServices } from './services.ts';
import { type StreamTraffic, StreamTraffics } from './stream-traffic.ts';
import { TurnedAway } from './turned-away.ts';

/** Bytes of all clients since the start, those that have left included. */
export interface Traffic {
  readonly recvBytes: number;
  readonly sendBytes: number;
  readonly recvKbps: Kbps;
  readonly sendKbps: Kbps;
}

/** Connections since the start. */
export interface ConnectionCounts {
  readonly accepted: number;
  /** Closed at once because there were too many. */
  readonly turnedAway: number;
  /** Ended by the server because of an error or a refusal; those who just leave are none. */
  readonly failed: number;
}

/** How often the rates of all connections are measured. */
const RATE_SAMPLE_MS = 5_000;

export class RtmpServer {
  readonly hub: PlayHub;
  readonly #services: RtmpServices;
  /** By the names that `listen` was given. */
  readonly #servers = new Map<string, Server>();
  readonly #connections = new Set<RtmpConnection>();
  readonly #host: ConnectionHost;
  readonly #turnedAway: TurnedAway;
  readonly #departures: Departures;
  readonly #streams: StreamTraffics;
  readonly #rateTimer: NodeJS.Timeout;
  readonly #recvRate: RateMeter;
  readonly #sendRate: RateMeter;
  /** Bytes of clients that have left. */
  #goneRecvBytes = 0;
  #goneSendBytes = 0;
  #acceptedCount = 0;
  #turnedAwayCount = 0;
  #failedCount = 0;
  #onEmpty: (() => void) | undefined;

  constructor(services: RtmpServices) {
    this.#services = services;
    this.hub = new PlayHub(services);
    this.#host = {
      services,
      hub: this.hub,
      publishers: new PithyPrint(() => services.config().pithyPrint.publishMs),
      players: new PithyPrint(() => services.config().pithyPrint.playMs),
      onClosed: (connection) => this.#onClosed(connection),
    };
    this.#turnedAway = new TurnedAway(services.log, services.clock);
    this.#departures = new Departures(services.clock);
    this.#streams = new StreamTraffics(services.clock);
    this.#recvRate = new RateMeter(services.clock);
    this.#sendRate = new RateMeter(services.clock);
    this.#rateTimer = setInterval(() => {
      for (const connection of this.#connections) connection.traffic.sample();
      this.#streams.sample(this.#connections);
      this.traffic();
    }, RATE_SAMPLE_MS);
  }

  /**
   * Accepts clients on one more socket.
   * @param name for `unlisten`
   * @param target host and port, or the descriptor of a socket that listens already
   * @throws the system's error
   */
  async listen(name: string, target: ListenOptions & { readonly fd?: number }): Promise<void> {
    const server = createServer({ pauseOnConnect: true }, (socket) => this.#onAccepted(socket));
    server.on('error', (error) => this.#services.log.error(`RTMP listener: ${describeError(error)}`));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(target, () => {
        server.off('error', reject);
        resolve();
      });
    });
    this.#servers.set(name, server);
  }

  /** Closes that socket. Clients whom the kernel has let in already are served, as are all who are there. */
  unlisten(name: string): void {
    const server = this.#servers.get(name);
    if (server === undefined) return;
    this.#servers.delete(name);
    const fd = duplicateFd(descriptorOf(server));
    server.close();
    if (fd < 0) return;
    for (const connection of closeListener(fd)) this.#onAccepted(pausedSocket(connection));
  }

  /** A reload: what runs goes on under the new configuration, which is in force already. */
  configure(previous: Config, config: Config): void {
    this.hub.configure(config);
    for (const connection of this.#connections) connection.configure(config);
    if (config.pithyPrint === previous.pithyPrint) return;
    this.#host.publishers.reschedule();
    this.#host.players.reschedule();
  }

  connections(): ReadonlySet<RtmpConnection> {
    return this.#connections;
  }

  traffic(): Traffic {
    let recvBytes = this.#goneRecvBytes;
    let sendBytes = this.#goneSendBytes;
    for (const connection of this.#connections) {
      recvBytes += connection.traffic.recvBytes;
      sendBytes += connection.traffic.sendBytes;
    }
    return { recvBytes, sendBytes, recvKbps: this.#recvRate.sample(recvBytes), sendKbps: this.#sendRate.sample(sendBytes) };
  }

  /** Clients that have left, the newest first; only the last ones are known. */
  departures(): readonly Departure[] {
    return this.#departures.list();
  }

  counts(): ConnectionCounts {
    return { accepted: this.#acceptedCount, turnedAway: this.#turnedAwayCount, failed: this.#failedCount };
  }

  /** What the clients of each stream have moved, by stream id. */
  streamTraffic(): ReadonlyMap<string, StreamTraffic> {
    return this.#streams.statistics(this.#connections);
  }

  /** Accepts nobody any more; who is there may stay. */
  stopAccepting(): void {
    for (const name of Array.from(this.#servers.keys())) this.unlisten(name);
  }

  /** Accepts nobody any more, tells those who are there, and waits for them to go: `graceMs` at most. */
  async close(graceMs: number): Promise<void> {
    clearInterval(this.#rateTimer);
    this.stopAccepting();
    for (const connection of this.#connections) connection.dismiss('the server stops');
    if (this.#connections.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, graceMs);
      this.#onEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    for (const connection of this.#connections) connection.destroy();
  }

  /** Who is one too many costs no more than this. */
  #onAccepted(socket: Socket): void {
    const { addresses, log } = this.#services;
    const ip = plainAddress(socket.remoteAddress);
    const place = addresses.connect(ip);
    if (!(place instanceof AddressPlace)) {
      this.#turnedAway.add(place.text);
      this.#turnedAwayCount += 1;
      socket.destroy();
      return;
    }
    if (!this.#services.claimConnection()) {
      place.leave();
      log.error(`client ${ip} refused: max_connections ${this.#services.config().maxConnections} are in use`);
      this.#turnedAwayCount += 1;
      socket.destroy();
      return;
    }
    this.#acceptedCount += 1;
    this.#connections.add(new RtmpConnection(socket, place, this.#host));
  }

  #onClosed(connection: RtmpConnection): void {
    this.#connections.delete(connection);
    this.#departures.add(connection.departure());
    connection.place.leave();
    if (connection.hasFailed) this.#failedCount += 1;
    this.#goneRecvBytes += connection.traffic.recvBytes;
    this.#goneSendBytes += connection.traffic.sendBytes;
    this.#streams.onClosed(connection);
    this.#services.releaseConnection();
    if (this.#connections.size === 0) this.#onEmpty?.();
  }
}

/** As a listener gives it when it was told `pauseOnConnect`. */
function pausedSocket(fd: number): Socket {
  // Node knows the option for descriptors too; its types do not.
  const options: SocketConstructorOpts & { readonly pauseOnCreate: boolean } = { fd, pauseOnCreate: true };
  return new Socket(options);
}
