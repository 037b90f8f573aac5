/** The lock on a pid file: it says which process serves, and keeps a second one out. */
import { closeSync, constants, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { SrsError } from '@srs/kernel';
import { lastErrorNumber, libc } from './libc.ts';
import { isDarwin, platform } from './platform.ts';
import { SystemCallError } from './system-call-error.ts';

/**
 * A lock this process holds. The kernel ties it to the process: it ends with it, children do not inherit it, and it is lost when the
 * process closes *any* descriptor of the file. So nobody else in this process may open and close the file.
 */
export interface FileLock {
  readonly fd: number;
  /** Replaces the content by the decimal number, without a newline. */
  writePid(pid: number): void;
  /** Unlocks; the file stays. */
  release(): void;
}

/** Another process holds the lock. */
export class FileLockedError extends SrsError {
  /** The holder; 0 when it lives in another pid namespace and has not written its number. */
  readonly pid: number;

  constructor(path: string, pid: number) {
    super('AlreadyRunning', `${path} is locked by process ${pid === 0 ? '(unknown)' : pid}: the server is already running`);
    this.pid = pid;
  }
}

/**
 * Opens `path` (mode 0644, created when missing) and takes an fcntl write lock on it, without waiting. The daemon itself must
 * call this, not the process that starts it.
 * @throws FileLockedError AlreadyRunning when another process holds it
 * @throws SrsError PidFile when the file cannot be opened or locked
 */
export function lockFile(path: string): FileLock {
  const fd = openPidFile(path, constants.O_RDWR | constants.O_CREAT);
  try {
    if (libc('fcntlPointer')(fd, platform.F_SETLK, 'void *', encodeFlock(platform.F_WRLCK)) !== 0) {
      const errorNumber = lastErrorNumber();
      const pid = holderOf(fd);
      if (pid !== undefined) throw new FileLockedError(path, pid);
      throw new SystemCallError('PidFile', 'fcntl', `lock ${path}`, errorNumber);
    }
  } catch (thrown) {
    closeSync(fd);
    throw thrown;
  }
  let isHeld = true;
  return {
    fd,
    writePid: (pid) => {
      try {
        ftruncateSync(fd, 0);
        writeSync(fd, String(pid), 0);
      } catch (cause) {
        throw new SrsError('PidFile', `write process number ${pid} to ${path}`, { cause });
      }
    },
    release: () => {
      if (!isHeld) return;
      isHeld = false;
      closeSync(fd);
    },
  };
}

/**
 * The process that holds the lock on `path`; undefined when nobody does or the file is missing. Must not be asked by the holder itself: it would
 * lose its lock.
 * @throws SrsError PidFile when the file cannot be read
 */
export function lockHolder(path: string): number | undefined {
  let fd: number;
  try {
    fd = openPidFile(path, constants.O_RDONLY);
  } catch (thrown) {
    if (thrown instanceof SrsError && isMissing(thrown.cause)) return undefined;
    throw thrown;
  }
  try {
    return holderOf(fd);
  } finally {
    closeSync(fd);
  }
}

function openPidFile(path: string, flags: number): number {
  try {
    return openSync(path, flags, 0o644);
  } catch (cause) {
    throw new SrsError('PidFile', `open pid file ${path}`, { cause });
  }
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
}

/*
 * struct flock   Linux   type 2 | whence 2 | - 4 | start 8 | length 8 | pid 4 | - 4
 *                macOS   start 8 | length 8 | pid 4 | type 2 | whence 2
 *
 * Whence, start and length 0: the whole file.
 */
const FLOCK_BYTES = 32;
const TYPE_OFFSET = isDarwin ? 20 : 0;
const PID_OFFSET = isDarwin ? 16 : 24;

function encodeFlock(type: number): Buffer {
  const lock = Buffer.alloc(FLOCK_BYTES);
  lock.writeInt16LE(type, TYPE_OFFSET);
  return lock;
}

function holderOf(fd: number): number | undefined {
  const lock = encodeFlock(platform.F_WRLCK);
  if (libc('fcntlPointer')(fd, platform.F_GETLK, 'void *', lock) !== 0) return undefined;
  if (lock.readInt16LE(TYPE_OFFSET) === platform.F_UNLCK) return undefined;
  const pid = lock.readInt32LE(PID_OFFSET);
  return pid > 0 ? pid : writtenPid(fd);
}

function writtenPid(fd: number): number {
  const text = Buffer.alloc(16);
  const pid = Number.parseInt(text.toString('latin1', 0, readSync(fd, text, 0, text.length, 0)), 10);
  return Number.isInteger(pid) && pid > 0 ? pid : 0;
}
