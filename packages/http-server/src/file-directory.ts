/** A directory that is served, and the proof that an open file lies in it. */
import { realpath } from 'node:fs/promises';

/** How long it is believed where a directory really is: a deployment may switch a symbolic link. */
const BELIEVED_MS = 1000;

export class FileDirectory {
  /** Absolute. */
  readonly path: string;
  #realPath: string | undefined;
  #knownMs = Number.NEGATIVE_INFINITY;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * Whether a file is in this directory, or in one below it, and not just linked from there.
   * @param realPath of the open file, without symbolic links
   */
  async contains(realPath: string, nowMs: number): Promise<boolean> {
    if (nowMs - this.#knownMs < BELIEVED_MS && isBelow(this.#realPath, realPath)) return true;
    try {
      this.#realPath = await realpath(this.path);
      this.#knownMs = nowMs;
    } catch {
      // It is gone; what was opened in it is not served any more.
      this.#realPath = undefined;
    }
    return isBelow(this.#realPath, realPath);
  }
}

function isBelow(directory: string | undefined, path: string): boolean {
  if (directory === undefined) return false;
  return path === directory || path.startsWith(directory.endsWith('/') ? directory : `${directory}/`);
}
