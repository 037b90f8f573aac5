/** Sends on a socket's descriptor without the socket: what the kernel takes at once, and nothing else. */
import type { Server, Socket } from 'node:net';
import koffi from 'koffi';
import { lastErrorNumber, libc } from './libc.ts';
import { IPPROTO_TCP, platform } from './platform.ts';

const SEND_FLAGS = platform.MSG_DONTWAIT | platform.MSG_NOSIGNAL;
const optionValue = Buffer.alloc(4);
let boundSend: ReturnType<typeof libc<'sendFrom'>> | undefined;

/**
 * Where `bytes` lie in memory; right for as long as they are not collected. Numbers are passed to the kernel faster than buffers,
 * so whoever sends the same bytes often asks once.
 */
export function addressOf(bytes: Uint8Array): number {
  return Number(koffi.address(bytes));
}

/**
 * The descriptor of an open TCP or Unix socket, or of one that listens; -1 when it has none of its own, as a TLS socket. It is the
 * socket's: use it only while the socket is not `destroyed`, because the number is given to another one at once.
 */
export function descriptorOf(socket: Socket | Server): number {
  return fdOf(handleOf(socket));
}

/** What a socket has inside: not in the documentation, but there since the first versions; without it everything still works. */
interface Handle {
  readonly fd?: unknown;
  /** Of TLS: the connection below. */
  readonly _parent?: Handle | null;
}

const handleOf = (socket: Socket | Server): Handle | null | undefined =>
  (socket as unknown as { readonly _handle?: Handle | null })._handle;

const fdOf = (handle: Handle | null | undefined): number => (typeof handle?.fd === 'number' && handle.fd >= 0 ? handle.fd : -1);

/**
 * Sends as much as the kernel takes at once. Nothing may wait in the socket itself, or the order of bytes is lost.
 *
 * Hot path: one system call, no allocation, never an exception.
 * @param address of the first byte, see `addressOf`; keep the memory alive
 * @returns the number of bytes taken, 0 or more, or minus the error number (`-EAGAIN` when the socket is full)
 */
export function sendFrom(fd: number, address: number, lengthBytes: number): number {
  boundSend ??= libc('sendFrom');
  const sent = boundSend(fd, address, lengthBytes, SEND_FLAGS);
  return sent >= 0 ? sent : -lastErrorNumber();
}

/**
 * Lets the kernel take no more for the peer of a TCP socket than this beyond what is on its way: the system alone would hold
 * megabytes for a peer that does not read, without a word to the sender. Does nothing where that cannot be set.
 */
export function limitUnsent(fd: number, sizeBytes: number): void {
  optionValue.writeInt32LE(sizeBytes);
  libc('setsockopt')(fd, IPPROTO_TCP, platform.TCP_NOTSENT_LOWAT, optionValue, optionValue.length);
}

/**
 * Ends a connection, TLS or not, whose peer has taken nothing of what was sent for so long: the cable is cut, the machine is gone, or
 * the program there has stopped reading. The system alone repeats what it has sent for a quarter of an hour. The socket then fails with
 * ETIMEDOUT. Does nothing where that cannot be set.
 */
export function limitStandstill(socket: Socket, timeoutMs: number): void {
  const handle = handleOf(socket);
  const fd = Math.max(fdOf(handle), fdOf(handle?._parent));
  if (fd < 0 || platform.TCP_USER_TIMEOUT === 0) return;
  optionValue.writeInt32LE(timeoutMs);
  libc('setsockopt')(fd, IPPROTO_TCP, platform.TCP_USER_TIMEOUT, optionValue, optionValue.length);
}
