/** Listening sockets that a master opens and a worker accepts from. */
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { SrsError } from '@srs/kernel';
import { closeFd, setCloseOnExec, setNonBlocking } from './descriptor.ts';
import { libc } from './libc.ts';
import { AF_INET, IPPROTO_IPV6, isDarwin, platform, SOCK_STREAM } from './platform.ts';
import { SystemCallError } from './system-call-error.ts';

export interface ListenOptions {
  /** An IPv4 or IPv6 address, no name; `::` takes IPv4 connections too. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Connections the kernel keeps until they are accepted; it cuts the number to its own limit. */
  readonly backlog: number;
  /** Lets other sockets of this user listen on the same address and spreads the connections over them. */
  readonly reusePort: boolean;
}

/** A socket that listens and that nobody accepts from yet: `server.listen({ fd })` in the process that shall. */
export interface TcpListener {
  readonly fd: number;
  readonly port: number;
}

/**
 * Opens a listening socket. The caller owns the descriptor. A socket with `reusePort` does not notice another server of the
 * same user on its port: open and close one without it first to find out.
 * @throws SrsError SocketCreate, SocketReuse, SocketBind, SocketListen with the address and the system's word
 */
export function listenTcp(options: ListenOptions): TcpListener {
  const { host, port } = options;
  const where = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new SrsError('SocketBind', `bind ${where}: port ${port} must be 0..65535`);
  }
  const address = encodeAddress(host, port);
  if (address === undefined) throw new SrsError('SocketBind', `bind ${where}: host ${host} must be an IPv4 or IPv6 address`);

  const isIpv6 = address.length === SOCKADDR_IN6_BYTES;
  const fd = libc('socket')(isIpv6 ? platform.AF_INET6 : AF_INET, SOCK_STREAM, 0);
  if (fd < 0) throw new SystemCallError('SocketCreate', 'socket', `for ${where}`);
  try {
    setCloseOnExec(fd);
    setOption(fd, platform.SOL_SOCKET, platform.SO_REUSEADDR, 1, where);
    if (options.reusePort) setOption(fd, platform.SOL_SOCKET, platform.SO_REUSEPORT, 1, where);
    if (isIpv6) setOption(fd, IPPROTO_IPV6, platform.IPV6_V6ONLY, 0, where);
    if (libc('bind')(fd, address, address.length) !== 0) throw new SystemCallError('SocketBind', 'bind', where);
    if (libc('listen')(fd, options.backlog) !== 0) throw new SystemCallError('SocketListen', 'listen', where);
    return { fd, port: portOf(fd, where) };
  } catch (thrown) {
    closeFd(fd);
    throw thrown;
  }
}

/**
 * Takes the connections that the kernel has ready on a listening socket and closes the socket: nobody who has got through is
 * turned away. Who is in the middle of connecting at that moment is, unless another process holds the socket too.
 * @returns a descriptor for each connection; they belong to the caller
 * @throws SrsError SocketClosed when `fd` is not open
 */
export function closeListener(fd: number): readonly number[] {
  setNonBlocking(fd);
  const accept = libc('accept');
  const connections: number[] = [];
  for (let connection = accept(fd, null, null); connection >= 0; connection = accept(fd, null, null))
    connections.push(connection);
  closeFd(fd);
  for (const connection of connections) {
    setCloseOnExec(connection);
    setNonBlocking(connection);
  }
  return connections;
}

function setOption(fd: number, level: number, option: number, value: number, where: string): void {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  if (libc('setsockopt')(fd, level, option, bytes, bytes.length) !== 0) {
    throw new SystemCallError('SocketReuse', 'setsockopt', `${option} for ${where}`);
  }
}

/*
 * sockaddr_in    family 2 | port 2 (big-endian) | address 4 | zero 8
 * sockaddr_in6   family 2 | port 2 (big-endian) | flow info 4 | address 16 | scope id 4
 *
 * On macOS the family takes one byte and its length the byte before it.
 */
const SOCKADDR_IN_BYTES = 16;
const SOCKADDR_IN6_BYTES = 28;
const PORT_OFFSET = 2;

function encodeAddress(host: string, port: number): Buffer | undefined {
  const version = isIP(host);
  if (version === 0) return undefined;
  const isIpv6 = version === 6;
  const address = Buffer.alloc(isIpv6 ? SOCKADDR_IN6_BYTES : SOCKADDR_IN_BYTES);
  const family = isIpv6 ? platform.AF_INET6 : AF_INET;
  if (isDarwin) {
    address.writeUInt8(address.length, 0);
    address.writeUInt8(family, 1);
  } else {
    address.writeUInt16LE(family, 0);
  }
  address.writeUInt16BE(port, PORT_OFFSET);
  const [plain = host, zone] = host.split('%');
  if (zone !== undefined) {
    const scopeId = scopeOf(zone);
    if (scopeId === undefined) return undefined;
    address.writeUInt32LE(scopeId, 24);
  }
  return libc('inet_pton')(family, plain, address.subarray(isIpv6 ? 8 : 4)) === 1 ? address : undefined;
}

/** `eth0` of `fe80::1%eth0` as a number. */
function scopeOf(zone: string): number | undefined {
  if (/^\d+$/.test(zone)) return Number(zone);
  for (const each of networkInterfaces()[zone] ?? []) if (each.family === 'IPv6') return each.scopeid;
  return undefined;
}

function portOf(fd: number, where: string): number {
  const address = Buffer.alloc(128);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(address.length);
  if (libc('getsockname')(fd, address, length) !== 0) throw new SystemCallError('SocketBind', 'getsockname', where);
  return address.readUInt16BE(PORT_OFFSET);
}
