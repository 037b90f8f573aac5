/** A listener that speaks TLS only, and lets nobody hold more of it than a handshake may. */
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';

/** Key and certificate, PEM. */
export interface TlsMaterial {
  readonly key: string;
  readonly cert: string;
}

export interface HandshakeLimits {
  /** From the connection to the end of the TLS handshake. */
  readonly timeoutMs: number;
  /** Under way at a time; who comes then is turned away. */
  readonly maxHandshakes: number;
}

export interface TlsListenerOptions {
  readonly tls: TlsMaterial;
  /** Of this listener alone; 10 s and 1000 unless told. */
  readonly limits?: HandshakeLimits;
  onClient(socket: TLSSocket): void;
  /** Nobody else hears of a connection that never became one of TLS. */
  onFailed(socket: TLSSocket, error: Error): void;
}

const usualLimits: HandshakeLimits = { timeoutMs: 10_000, maxHandshakes: 1_000 };

export const tlsOptions = ({ key, cert }: TlsMaterial) => ({ key, cert, minVersion: 'TLSv1.2' as const, noDelay: true });

export function createTlsListener(options: TlsListenerOptions): Server {
  const { tls, limits = usualLimits } = options;
  let handshakes = 0;
  const server = createServer({ ...tlsOptions(tls), handshakeTimeout: limits.timeoutMs }, (socket) => {
    handshakes -= 1;
    options.onClient(socket);
  });
  // Before the server's own, which begins the handshake: it tells the end of each connection that it is given, of these too.
  server.prependListener('connection', (socket: Socket) => {
    handshakes += 1;
    if (handshakes > limits.maxHandshakes) socket.destroy();
  });
  server.on('tlsClientError', (error, socket) => {
    handshakes -= 1;
    options.onFailed(socket, error);
    // One that has said nothing is still open when its time is over.
    socket.destroy();
  });
  return server;
}
