/** Reads from a socket's descriptor without the socket, at a time of the reader's choosing. */
import { lastErrorNumber, libc } from './libc.ts';
import { platform } from './platform.ts';

let boundReceive: ReturnType<typeof libc<'receiveTo'>> | undefined;

/**
 * Takes what the kernel has for this descriptor. The socket itself must not read at the same time (`pause`), or the order of bytes is
 * lost.
 *
 * Hot path: one system call, no allocation, never an exception.
 * @param fd see `descriptorOf`
 * @param address of the first byte of the target, see `addressOf`; keep the memory alive
 * @returns the number of bytes read; 0 at the end of the stream; or minus the error number (`-EAGAIN` when nothing has come)
 */
export function receiveTo(fd: number, address: number, lengthBytes: number): number {
  boundReceive ??= libc('receiveTo');
  const received = boundReceive(fd, address, lengthBytes, platform.MSG_DONTWAIT);
  return received >= 0 ? received : -lastErrorNumber();
}
