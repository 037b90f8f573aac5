/** The pid file: says which process serves, and keeps a second one out. */
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Config } from '@srs/config';
import { type FileLock, lockFile } from '@srs/native';
import type { PreparedPart, ReloadPart } from './reload.ts';

export class PidFile implements ReloadPart {
  #path: string;
  #lock: FileLock;

  /** @throws SrsError AlreadyRunning or PidFile */
  constructor(path: string) {
    this.#path = path;
    this.#lock = open(path);
    this.#lock.writePid(process.pid);
  }

  prepare(_previous: Config, next: Config): PreparedPart {
    const path = next.pid;
    // A second look at the file that is locked already would cost the lock.
    if (isSameFile(path, this.#path)) return { apply: () => undefined, undo: () => {} };
    const isNew = !existsSync(path);
    const lock = open(path);
    const undo = (): void => {
      lock.release();
      if (isNew) rmSync(path, { force: true });
    };
    try {
      lock.writePid(process.pid);
    } catch (error) {
      undo();
      throw error;
    }
    return {
      undo,
      apply: () => {
        this.#lock.release();
        this.#lock = lock;
        this.#path = path;
        return undefined;
      },
    };
  }

  /** The file stays. */
  close(): void {
    this.#lock.release();
  }
}

function open(path: string): FileLock {
  mkdirSync(dirname(path), { recursive: true });
  return lockFile(path);
}

function isSameFile(one: string, other: string): boolean {
  if (resolve(one) === resolve(other)) return true;
  const [first, second] = [one, other].map((path) => statSync(path, { throwIfNoEntry: false }));
  return first !== undefined && second !== undefined && first.dev === second.dev && first.ino === second.ino;
}
