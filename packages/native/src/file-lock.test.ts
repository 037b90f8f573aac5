import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SrsError } from '@srs/kernel';
import { afterAll, describe, expect, it } from 'vitest';
import { FileLockedError, lockFile, lockHolder, openFilesLimit } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'file-lock-'));
afterAll(() => rmSync(directory, { recursive: true }));

function child(...args: string[]): ChildProcess {
  return fork(fileURLToPath(new URL('./test-child.ts', import.meta.url)), args, { execArgv: [] });
}

async function holderOf(path: string): Promise<ChildProcess> {
  const holder = child('lock', path);
  await once(holder, 'message');
  return holder;
}

function caught(action: () => unknown): unknown {
  try {
    action();
  } catch (thrown) {
    return thrown;
  }
  throw new Error('nothing was thrown');
}

describe('lockFile', () => {
  it('writes the decimal process number without a newline into a file of mode 0644', () => {
    const path = join(directory, 'own.pid');
    writeFileSync(path, '123456789 and more');
    const lock = lockFile(path);
    lock.writePid(4321);
    expect(readFileSync(lock.fd, 'latin1')).toBe('4321');
    lock.release();
    lock.release();
    expect(readFileSync(path, 'latin1')).toBe('4321');
    const fresh = join(directory, 'fresh.pid');
    lockFile(fresh).release();
    expect(statSync(fresh).mode & 0o777).toBe(0o644 & ~process.umask());
  });

  it('is refused with 1035 and the number of the process that holds it', async () => {
    const path = join(directory, 'held.pid');
    const holder = await holderOf(path);
    expect(lockHolder(path)).toBe(holder.pid);
    const error = caught(() => lockFile(path));
    expect(error).toBeInstanceOf(FileLockedError);
    expect(error).toMatchObject({
      errorName: 'AlreadyRunning',
      code: 1035,
      pid: holder.pid,
      message: `${path} is locked by process ${holder.pid}: the server is already running`,
    });
    holder.send('end');
    await once(holder, 'exit');
  });

  it('is free again when its holder was killed', async () => {
    const path = join(directory, 'killed.pid');
    const holder = await holderOf(path);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    expect(readFileSync(path, 'latin1')).toBe(String(holder.pid));
    expect(lockHolder(path)).toBeUndefined();
    lockFile(path).release();
  });

  it('tells of a path that cannot be opened', () => {
    const path = join(directory, 'missing', 'x.pid');
    const error = caught(() => lockFile(path));
    expect(error).toBeInstanceOf(SrsError);
    expect(error).toMatchObject({ errorName: 'PidFile', message: `open pid file ${path}` });
    expect(lockHolder(path)).toBeUndefined();
    expect(caught(() => lockHolder(directory) ?? lockFile(directory))).toMatchObject({ errorName: 'PidFile' });
  });
});

describe('openFilesLimit', () => {
  it('is a number that allows for more than a few connections', () => {
    expect(openFilesLimit()).toBeGreaterThanOrEqual(256);
  });
});
