/** The RTMP server of one process: its listeners and its clients. */

import { createServer, type ListenOptions, type Server, Socket, type SocketConstructorOpts } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import {
  ClientRegistry,
  limitHandshakes,
  PithyPrint,
  PlayHub,
  plainAddress,
  secureContextOf,
  type TlsMaterial,
  tlsServerOptions,
  usualHandshakeLimits,
} from '@srs/clients';
import type { Config } from '@srs/config';
import { describeError } from '@srs/kernel';
import { closeListener, descriptorOf, duplicateFd } from '@srs/native';
import { type ConnectionHost, RtmpConnection } from './rtmp-connection.ts';
import { rtmpFormat } from './rtmp-frame-encoder.ts';
import type { RtmpServices } from './services.ts';

export class RtmpServer {
  readonly hub: PlayHub;
  readonly #services: RtmpServices;
  /** By the names that `listen` was given. */
  readonly #servers = new Map<string, Server | TlsServer>();
  /** Of TLS listeners that have connections still, closed or not. */
  readonly #endHandshakes = new Map<TlsServer, () => void>();
  readonly clients: ClientRegistry<RtmpConnection>;
  readonly #host: ConnectionHost;

  constructor(services: RtmpServices) {
    this.#services = services;
    this.hub = new PlayHub({ ...services, format: rtmpFormat });
    this.clients = new ClientRegistry({ ...services, maxConnections: () => services.config().maxConnections });
    this.#host = {
      services,
      hub: this.hub,
      publishers: new PithyPrint(() => services.config().pithyPrint.publishMs),
      players: new PithyPrint(() => services.config().pithyPrint.playMs),
      onClosed: (connection) => this.clients.onClosed(connection),
    };
  }

  /**
   * Accepts clients on one more socket.
   * @param name for `unlisten`
   * @param target host and port, or the descriptor of a socket that listens already
   * @param tls for a listener that speaks TLS only
   * @throws the system's error
   */
  async listen(name: string, target: ListenOptions & { readonly fd?: number }, tls?: TlsMaterial): Promise<void> {
    const server =
      tls === undefined
        ? createServer({ pauseOnConnect: true }, (socket) => this.#onAccepted(socket))
        : this.#createTlsServer(tls);
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

  /** New connections of all TLS listeners get this certificate; those there keep theirs. */
  useTls(tls: TlsMaterial): void {
    for (const server of this.#servers.values()) if ('setSecureContext' in server) server.setSecureContext(secureContextOf(tls));
  }

  /** Closes that socket. Clients whom the kernel has let in already are served, as are all who are there. */
  unlisten(name: string): void {
    const server = this.#servers.get(name);
    if (server === undefined) return;
    this.#servers.delete(name);
    const fd = duplicateFd(descriptorOf(server));
    server.close();
    if (fd < 0) return;
    const isTls = 'setSecureContext' in server;
    for (const connection of closeListener(fd)) {
      if (isTls) server.emit('connection', new Socket({ fd: connection, readable: true, writable: true }));
      else this.#onAccepted(pausedSocket(connection));
    }
  }

  /** A reload: what runs goes on under the new configuration, which is in force already. */
  configure(previous: Config, config: Config): void {
    this.hub.configure(config);
    for (const connection of this.clients.clients()) connection.configure(config);
    if (config.pithyPrint === previous.pithyPrint) return;
    this.#host.publishers.reschedule();
    this.#host.players.reschedule();
  }

  /** Accepts nobody any more; who is there may stay. */
  stopAccepting(): void {
    for (const name of Array.from(this.#servers.keys())) this.unlisten(name);
  }

  /** Accepts nobody any more, tells those who are there, and waits for them to go: `graceMs` at most. */
  async close(graceMs: number): Promise<void> {
    this.stopAccepting();
    for (const endHandshakes of this.#endHandshakes.values()) endHandshakes();
    await this.clients.close(graceMs);
  }

  #createTlsServer(tls: TlsMaterial): TlsServer {
    const limits = usualHandshakeLimits;
    const server = createTlsServer({ ...tlsServerOptions(tls, limits), noDelay: true }, (socket) => this.#onAccepted(socket));
    const endHandshakes = limitHandshakes(server, limits, {
      onFailed: (socket, error) => {
        const ip = plainAddress(socket.remoteAddress);
        this.#services.log.warn(`RTMPS client ip=${ip}: no TLS: ${describeError(error)}`);
      },
      onTurnedAway: (socket, reason) => this.clients.turnAway(`${plainAddress(socket.remoteAddress)}: ${reason}`),
    });
    this.#endHandshakes.set(server, endHandshakes);
    server.once('close', () => this.#endHandshakes.delete(server));
    return server;
  }

  /** Who is one too many costs no more than this. */
  #onAccepted(socket: Socket): void {
    const place = this.clients.admit(plainAddress(socket.remoteAddress));
    if (place === undefined) socket.destroy();
    else this.clients.add(new RtmpConnection(socket, place, this.#host));
  }
}

/** As a listener gives it when it was told `pauseOnConnect`. */
function pausedSocket(fd: number): Socket {
  // Node knows the option for descriptors too; its types do not.
  const options: SocketConstructorOpts & { readonly pauseOnCreate: boolean } = { fd, pauseOnCreate: true };
  return new Socket(options);
}
