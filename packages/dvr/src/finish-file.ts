/** Gives a finished recording its name, without ever replacing another file. */
import { link, rename, stat, unlink } from 'node:fs/promises';
import { SrsError, systemErrorCode } from '@srs/kernel';
import { numberedPath } from './recording-path.ts';

/** More files of one name mean that the template is wrong, not that a name is free behind them. */
const MAX_NUMBER = 9999;

/**
 * Renames `from` to `to`, or to `to` with the first number that is free. Both names may be there for a moment: a server that is
 * killed then leaves two names of one file, which the next call of this puts right.
 * @returns the name it has now; undefined when there is no such file any more: somebody else has given it its name
 * @throws SrsError FileWrite
 */
export async function finishFile(from: string, to: string): Promise<string | undefined> {
  try {
    for (let number = 0; number <= MAX_NUMBER; number++) {
      const path = number === 0 ? to : numberedPath(to, number);
      if (await moveToFreeName(from, path)) return path;
    }
  } catch (cause) {
    if (!(await exists(from))) return undefined;
    throw new SrsError('FileWrite', `rename ${from} to ${to}`, { cause });
  }
  throw new SrsError('FileWrite', `rename ${from} to ${to}: there are files with all numbers up to ${MAX_NUMBER}`);
}

/** @returns false when there is another file */
async function moveToFreeName(from: string, to: string): Promise<boolean> {
  try {
    // Other than a rename, a link fails when the name is taken.
    await link(from, to);
  } catch (thrown) {
    switch (systemErrorCode(thrown)) {
      case 'EEXIST':
        if (!(await isSameFile(from, to))) return false;
        break;
      // File systems without links: nothing but a process that looks for the same name at the same time can be overlooked.
      case 'EPERM':
      case 'ENOSYS':
      case 'ENOTSUP':
      case 'EOPNOTSUPP':
      case 'EMLINK':
        if (await exists(to)) return false;
        await rename(from, to);
        return true;
      default:
        throw thrown;
    }
  }
  await unlink(from);
  return true;
}

async function isSameFile(left: string, right: string): Promise<boolean> {
  const [a, b] = await Promise.all([stat(left), stat(right)]);
  return a.dev === b.dev && a.ino === b.ino;
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (thrown) {
    if (systemErrorCode(thrown) === 'ENOENT') return false;
    throw thrown;
  }
}
