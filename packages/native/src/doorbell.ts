/** A doorbell: one process sleeps on it, any other wakes it with one byte. */
import { Socket } from 'node:net';
import { closeFd, setCloseOnExec, setNonBlocking } from './descriptor.ts';
import { libc } from './libc.ts';
import { AF_UNIX, platform, SOCK_STREAM } from './platform.ts';
import { SystemCallError } from './system-call-error.ts';

/** Both ends belong to the caller; the reader's end goes to `listenDoorbell` of one process, the writer's end to all others. */
export interface Doorbell {
  readonly readFd: number;
  readonly writeFd: number;
}

/** @throws SrsError SocketCreate */
export function createDoorbell(): Doorbell {
  const pair = new Int32Array(2);
  if (libc('socketpair')(AF_UNIX, SOCK_STREAM, 0, pair) !== 0) {
    throw new SystemCallError('SocketCreate', 'socketpair', 'for a doorbell');
  }
  const [readFd = -1, writeFd = -1] = pair;
  try {
    for (const fd of [readFd, writeFd]) {
      setCloseOnExec(fd);
      setNonBlocking(fd);
    }
  } catch (thrown) {
    closeFd(readFd);
    closeFd(writeFd);
    throw thrown;
  }
  return { readFd, writeFd };
}

const ONE_BYTE = Buffer.alloc(1);
const SEND_FLAGS = platform.MSG_DONTWAIT | platform.MSG_NOSIGNAL;
let boundSend: ReturnType<typeof libc<'send'>> | undefined;

/**
 * Wakes the process that listens. A bell that nobody has answered yet (EAGAIN) and one whose listener is gone (EPIPE) are
 * both fine: the caller learns of a dead process from its parent.
 *
 * Hot path: one system call, no allocation, never an exception.
 */
export function ringDoorbell(writeFd: number): void {
  boundSend ??= libc('send');
  boundSend(writeFd, ONE_BYTE, 1, SEND_FLAGS);
}

/**
 * Calls `onRing` whenever the bell was rung, once for any number of rings that came together. Takes over `readFd`. The
 * listener keeps its process alive.
 * @param onClosed the last writer's end was closed, or reading failed
 * @returns stops listening and closes the descriptor
 */
export function listenDoorbell(readFd: number, onRing: () => void, onClosed?: () => void): () => void {
  const socket = new Socket({
    fd: readFd,
    readable: true,
    writable: false,
    // A static buffer: no allocation for each wake-up.
    onread: {
      buffer: Buffer.alloc(512),
      callback: () => {
        onRing();
        return true;
      },
    },
  });
  let isStopped = false;
  // An error is always followed by the close.
  socket.on('error', () => {});
  socket.on('close', () => {
    if (!isStopped) onClosed?.();
  });
  return () => {
    isStopped = true;
    socket.destroy();
  };
}
