/** TLS of any listener, whatever is spoken within: nobody may hold more of it than a handshake may. */
import type { Socket } from 'node:net';
import type { Server, TLSSocket } from 'node:tls';

/** Key and certificate, PEM. */
export interface TlsMaterial {
  readonly key: string;
  readonly cert: string;
}

/** Of one listener. */
export interface HandshakeLimits {
  /** From the connection to the end of the TLS handshake. */
  readonly timeoutMs: number;
  /** Under way at a time; who comes then is turned away. */
  readonly maxHandshakes: number;
}

export interface HandshakeListener {
  /** Nobody else hears of a connection that never became one of TLS; it is closed then. */
  onFailed?(socket: TLSSocket, error: Error): void;
  /** @param reason with the limit */
  onTurnedAway(socket: Socket, reason: string): void;
}

export const usualHandshakeLimits: HandshakeLimits = { timeoutMs: 10_000, maxHandshakes: 1_000 };

export const secureContextOf = ({ key, cert }: TlsMaterial) => ({ key, cert, minVersion: 'TLSv1.2' as const });

/** Options of a server that is given to `limitHandshakes` with the same limits. */
export const tlsServerOptions = (tls: TlsMaterial, { timeoutMs }: HandshakeLimits) => ({
  ...secureContextOf(tls),
  handshakeTimeout: timeoutMs,
});

/**
 * @param server whose listeners for `connection`, as they are now, hear no more of those who are turned away
 * @returns ends all that are under way, and tells nobody
 */
export function limitHandshakes(server: Server, { maxHandshakes }: HandshakeLimits, listener: HandshakeListener): () => void {
  let handshakes = 0;
  let areEnded = false;
  /** By the two ends of the connection: that of TLS does not say on which it is. */
  const underWay = new Map<string, Socket>();
  // Among them the server's own, by which a handshake begins.
  const beginners = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    if (handshakes >= maxHandshakes) {
      listener.onTurnedAway(socket, `${handshakes} TLS handshakes are under way, the most there may be`);
      socket.destroy();
      return;
    }
    handshakes += 1;
    const ends = endsOf(socket);
    underWay.set(ends, socket);
    socket.once('close', () => {
      if (underWay.get(ends) === socket) underWay.delete(ends);
    });
    for (const begin of beginners) begin.call(server, socket);
  });
  server.on('secureConnection', (socket) => {
    handshakes -= 1;
    underWay.delete(endsOf(socket));
  });
  // Before that of an HTTP server, which would answer a request that never came: it waits for ever to have said so.
  server.prependListener('tlsClientError', (error: Error, socket: TLSSocket) => {
    handshakes -= 1;
    if (!areEnded) listener.onFailed?.(socket, error);
    // One that has said nothing is still open when its time is over.
    socket.destroy();
  });
  return () => {
    areEnded = true;
    for (const socket of underWay.values()) socket.destroy();
  };
}

const endsOf = ({ localAddress, localPort, remoteAddress, remotePort }: Socket): string =>
  `${localAddress} ${localPort} ${remoteAddress} ${remotePort}`;
