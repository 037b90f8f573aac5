/** Accepted sockets that all read into one buffer of the process. */
import { Socket } from 'node:net';
import { closeFd, descriptorOf, duplicateFd } from '@srs/native';

const READ_BUFFER_BYTES = 64 * 1024;
/** Whoever is called has taken what it needs before the next read begins. */
const readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);

/**
 * Node allocates 64 KiB for each read of an accepted socket and passes them through the machinery of a stream; only a socket that is
 * made from a descriptor can read into a buffer that is there. So the connection goes on on a descriptor of its own, and the
 * accepted socket is closed.
 *
 * @param accepted paused, nothing read yet
 * @param onBytes hot path; the bytes are valid during the call only
 * @returns the socket to use from here on: `accepted` itself where it has no descriptor, or none is left
 */
export function readStatically(accepted: Socket, onBytes: (bytes: Buffer) => void): Socket {
  const fd = duplicateFd(descriptorOf(accepted));
  const socket = fd < 0 ? undefined : openSocket(fd, onBytes);
  if (socket === undefined) {
    accepted.on('data', onBytes);
    accepted.resume();
    return accepted;
  }
  accepted.destroy();
  return socket;
}

function openSocket(fd: number, onBytes: (bytes: Buffer) => void): Socket | undefined {
  const callback = (length: number): true => {
    onBytes(readBuffer.subarray(0, length));
    return true;
  };
  try {
    return new Socket({ fd, readable: true, writable: true, onread: { buffer: readBuffer, callback } });
  } catch {
    closeFd(fd);
    return undefined;
  }
}
