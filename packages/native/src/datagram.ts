/** Datagrams on unix sockets, which Node does not offer: how a service talks to systemd. */
import { SrsError } from '@srs/kernel';
import { closeFd, setCloseOnExec } from './descriptor.ts';
import { libc } from './libc.ts';
import { AF_UNIX, isDarwin, platform, SOCK_DGRAM } from './platform.ts';
import { SystemCallError } from './system-call-error.ts';

/*
 * sockaddr_un   family 2 | path, at most 108 (macOS: length 1 | family 1 | path, at most 104)
 *
 * A path ends with a zero byte. A name that is no path (Linux) begins with one and has no end but the length of the address.
 */
const PATH_OFFSET = 2;
const PATH_MAX_BYTES = isDarwin ? 103 : 107;

/**
 * Sends one datagram to the unix socket `path`, without waiting: what a receiver has no room for is not sent. A path that begins with `@` is a
 * name in the abstract space of Linux.
 * @throws SystemCallError SocketWrite with the path and the system's word when it was not sent
 */
export function sendUnixDatagram(path: string, text: string): void {
  const address = encodeAddress(path);
  const fd = libc('socket')(AF_UNIX, SOCK_DGRAM, 0);
  if (fd < 0) throw new SystemCallError('SocketCreate', 'socket', `for ${path}`);
  try {
    setCloseOnExec(fd);
    const bytes = Buffer.from(text);
    const flags = platform.MSG_DONTWAIT | platform.MSG_NOSIGNAL;
    if (libc('sendto')(fd, bytes, bytes.length, flags, address, address.length) < 0) {
      throw new SystemCallError('SocketWrite', 'sendto', path);
    }
  } finally {
    closeFd(fd);
  }
}

function encodeAddress(path: string): Buffer {
  const isAbstract = path.startsWith('@');
  const name = Buffer.from(isAbstract ? `\0${path.slice(1)}` : `${path}\0`);
  if (name.length > PATH_MAX_BYTES + 1) {
    throw new SrsError('SocketWrite', `unix socket ${path} of ${name.length} bytes must be at most ${PATH_MAX_BYTES}`);
  }
  const address = Buffer.alloc(PATH_OFFSET + name.length);
  if (isDarwin) {
    address.writeUInt8(address.length, 0);
    address.writeUInt8(AF_UNIX, 1);
  } else {
    address.writeUInt16LE(AF_UNIX, 0);
  }
  name.copy(address, PATH_OFFSET);
  return address;
}
