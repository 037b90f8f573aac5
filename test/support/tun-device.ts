/** Network devices whose cable is this process: what a host sends is read here, what is written here arrives there. */
import { closeSync, constants, openSync } from 'node:fs';
import koffi from 'koffi';

const TUNSETIFF = 0x400454ca;
/** Packets as they are, no head before them. */
const IFF_TUN_NO_PI = 0x1001;
/** struct ifreq: name 16 | flags 2 | ... */
const IFREQ_BYTES = 40;
const FLAGS_OFFSET = 16;
export const POLLIN = 1;
/** struct pollfd: fd 4 | events 2 | revents 2 */
export const POLLFD_BYTES = 8;

const library = koffi.load(null);
const ioctl = library.func('int ioctl(int fd, unsigned long request, ...)');
export const poll = library.func('int poll(void *fds, unsigned long count, int timeout)') as (
  fds: Uint8Array,
  count: number,
  timeoutMs: number,
) => number;
/** Less than 0 when nothing is there. */
export const readPacket = library.func('intptr_t read(int fd, void *bytes, size_t length)') as (
  fd: number,
  bytes: Uint8Array,
  length: number,
) => number;
/** What the device does not take is lost, as on a cable. */
export const writePacket = library.func('intptr_t write(int fd, const void *bytes, size_t length)') as (
  fd: number,
  bytes: Uint8Array,
  length: number,
) => number;

/**
 * Makes a device, which is gone when the descriptor is closed, in whatever name space it is then.
 *
 * @param name 15 letters at most
 * @throws Error where that is not allowed
 */
export function openTunDevice(name: string): number {
  const fd = openSync('/dev/net/tun', constants.O_RDWR | constants.O_NONBLOCK);
  const request = Buffer.alloc(IFREQ_BYTES);
  request.write(name, 'latin1');
  request.writeUInt16LE(IFF_TUN_NO_PI, FLAGS_OFFSET);
  if (ioctl(fd, TUNSETIFF, 'void *', request) === 0) return fd;
  const error = koffi.errno();
  closeSync(fd);
  throw new Error(`no network device ${name} can be made: error ${error}`);
}
