/** File descriptors: closing them, and keeping them out of programs that are started later. */
import { closeSync } from 'node:fs';
import { SrsError } from '@srs/kernel';
import { libc } from './libc.ts';
import { F_GETFD, F_GETFL, F_SETFD, F_SETFL, FD_CLOEXEC, platform } from './platform.ts';
import { SystemCallError } from './system-call-error.ts';

/** @throws SrsError SocketClosed when `fd` is not open */
export function closeFd(fd: number): void {
  try {
    closeSync(fd);
  } catch (cause) {
    throw new SrsError('SocketClosed', `close descriptor ${fd}`, { cause });
  }
}

/**
 * Marks `fd` to be closed in every program this process starts, unless it is passed on through `stdio`. Otherwise an
 * ffmpeg child would hold the server's ports and memory open. (Node marks what it inherited, but only up to the first gap
 * in the numbers.)
 * @throws SystemCallError SocketClosed when `fd` is not open
 */
export function setCloseOnExec(fd: number): void {
  const fcntl = libc('fcntlNumber');
  const flags = fcntl(fd, F_GETFD, 'int', 0);
  if (flags < 0 || fcntl(fd, F_SETFD, 'int', flags | FD_CLOEXEC) < 0) {
    throw new SystemCallError('SocketClosed', 'fcntl', `close-on-exec of descriptor ${fd}`);
  }
}

/** @throws SystemCallError SocketClosed when `fd` is not open */
export function setNonBlocking(fd: number): void {
  const fcntl = libc('fcntlNumber');
  const flags = fcntl(fd, F_GETFL, 'int', 0);
  if (flags < 0 || fcntl(fd, F_SETFL, 'int', flags | platform.O_NONBLOCK) < 0) {
    throw new SystemCallError('SocketClosed', 'fcntl', `non-blocking mode of descriptor ${fd}`);
  }
}

/** Another descriptor of the same open file or socket, closed in programs that are started later; -1 when there can be none. */
export function duplicateFd(fd: number): number {
  return fd < 0 ? -1 : libc('fcntlNumber')(fd, platform.F_DUPFD_CLOEXEC, 'int', 0);
}
