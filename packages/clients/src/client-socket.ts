/** Accepted sockets that all read into one buffer of the process, and whose descriptor may be used beside them. */
import { Socket, type SocketConstructorOpts } from 'node:net';
import { TLSSocket } from 'node:tls';
import { closeFd, descriptorOf, duplicateFd, limitStandstill } from '@srs/native';

const READ_BUFFER_BYTES = 64 * 1024;
/** A client that has taken nothing of what was sent to it for so long is gone, whatever its machine has failed to say. */
const STANDSTILL_MS = 30_000;
/** Whoever is called has taken what it needs before the next read begins. */
const readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);

export interface ClientSocketHandler {
  /** Hot path; the bytes are valid during the call only. */
  onBytes(bytes: Buffer): void;
  /** The last moment at which the descriptor is the socket's own: it is closed next, and its number given to another connection. */
  onClosing(): void;
}

export interface ClientSocket {
  readonly socket: Socket;
  /** What the connection can be written to past the socket; -1 for nothing. */
  readonly descriptor: number;
}

/**
 * Node allocates 64 KiB for each read of an accepted socket and passes them through the machinery of a stream; only a socket that is
 * made from a descriptor can read into a buffer that is there. So the connection goes on on a descriptor of its own, and the
 * accepted socket is closed.
 *
 * @param accepted paused, nothing read yet
 * @returns the socket to use from here on: `accepted` itself, without a descriptor, where it has none of its own, speaks TLS, or none is left
 */
export function adoptSocket(accepted: Socket, handler: ClientSocketHandler): ClientSocket {
  limitStandstill(accepted, STANDSTILL_MS);
  const descriptor = accepted instanceof TLSSocket ? -1 : duplicateFd(descriptorOf(accepted));
  const socket = descriptor < 0 ? undefined : openSocket(descriptor, handler);
  if (socket === undefined) {
    accepted.on('data', (bytes: Buffer) => handler.onBytes(bytes));
    accepted.resume();
    return { socket: accepted, descriptor: -1 };
  }
  accepted.destroy();
  return { socket, descriptor };
}

function openSocket(fd: number, handler: ClientSocketHandler): Socket | undefined {
  const callback = (length: number): true => {
    handler.onBytes(readBuffer.subarray(0, length));
    return true;
  };
  try {
    return new AnnouncedSocket({ fd, readable: true, writable: true, onread: { buffer: readBuffer, callback } }, handler);
  } catch {
    closeFd(fd);
    return undefined;
  }
}

/** Tells before its descriptor is closed: `close` and `error` come after that. */
class AnnouncedSocket extends Socket {
  readonly #handler: ClientSocketHandler;

  constructor(options: SocketConstructorOpts, handler: ClientSocketHandler) {
    super(options);
    this.#handler = handler;
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#handler.onClosing();
    super._destroy(error, callback);
  }
}
