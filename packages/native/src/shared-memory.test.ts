import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, ftruncateSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { failureText } from '../../../test/support/failure.ts';
import { closeFd, createSharedMemory, openSharedArena } from './index.ts';

const PAGE = 4096;

describe('shared memory', () => {
  it('reads as zeros, keeps what was written and shows it through a second mapping', () => {
    const fd = createSharedMemory('test-memory', 64 * PAGE);
    const one = openSharedArena(fd, 64 * PAGE);
    const two = openSharedArena(fd, 64 * PAGE);
    expect(one.region(0, 64 * PAGE).every((byte) => byte === 0)).toBe(true);
    one.region(8, 5).write('hello');
    expect(two.region(8, 5).toString()).toBe('hello');
    const words = new Int32Array(two.region(PAGE, PAGE).buffer, PAGE, 4);
    expect(Atomics.add(words, 1, 5)).toBe(0);
    expect(one.region(PAGE, PAGE).readInt32LE(4)).toBe(5);
  });

  it('gives discarded pages back and they read as zeros in every mapping', () => {
    const fd = createSharedMemory('test-memory', 64 * PAGE);
    const one = openSharedArena(fd, 64 * PAGE);
    const two = openSharedArena(fd, 64 * PAGE);
    one.region(0, 64 * PAGE).fill(7);
    two.discard(PAGE, 2 * PAGE);
    const after = one.region(0, 64 * PAGE);
    expect([after[PAGE - 1], after[PAGE], after[3 * PAGE - 1], after[3 * PAGE]]).toEqual([7, 0, 0, 7]);
  });

  it('is mapped in windows, each at its own place of the file', () => {
    const fd = createSharedMemory('test-memory', 5 * PAGE);
    const windowed = openSharedArena(fd, 5 * PAGE, { windowBytes: 2 * PAGE });
    const whole = openSharedArena(fd, 5 * PAGE);
    for (let page = 0; page < 5; page++) windowed.region(page * PAGE, PAGE).fill(page + 1);
    for (let page = 0; page < 5; page++) expect(whole.region(page * PAGE, PAGE)[PAGE - 1]).toBe(page + 1);
    windowed.discard(PAGE, 3 * PAGE);
    expect(whole.region(0, 5 * PAGE).filter((byte) => byte !== 0).length).toBe(2 * PAGE);
    expect(failureText(() => windowed.region(PAGE, 2 * PAGE))).toContain('SharedMemory: 8192 bytes at 4096 cross a window');
  });

  it('cannot shrink under a mapping', () => {
    const fd = createSharedMemory('test-memory', 4 * PAGE);
    expect(() => ftruncateSync(fd, PAGE)).toThrow('EPERM');
    closeFd(fd);
  });

  it('refuses sizes, ranges and descriptors that cannot be', () => {
    const fd = createSharedMemory('test-memory', 4 * PAGE);
    const arena = openSharedArena(fd, 4 * PAGE);
    expect(failureText(() => createSharedMemory('test-memory', 5000))).toContain('size 5000 must be a multiple of 4096');
    expect(failureText(() => createSharedMemory('test-memory', 2 ** 60))).toContain('SharedMemory');
    expect(failureText(() => openSharedArena(fd, 8 * PAGE))).toContain('holds 16384 bytes, fewer than the 32768');
    expect(failureText(() => openSharedArena(4_000_000, PAGE))).toContain('descriptor 4000000 is not open');
    expect(failureText(() => openSharedArena(fd, PAGE, { windowBytes: 5000 }))).toContain('must be a power of two');
    for (const [offset, size] of [
      [-8, 8],
      [0, -8],
      [0, 4 * PAGE + 8],
      [4, 8],
      [Number.NaN, 8],
      [0, Number.NaN],
      [2 ** 50, 8],
    ] as const) {
      expect(
        failureText(() => arena.region(offset, size)),
        `${offset}, ${size}`,
      ).toContain('SharedMemory');
    }
    expect(failureText(() => arena.discard(8, PAGE))).toContain('SharedMemory');
    closeSync(fd);
  });

  it('is inherited by a child that it is given to, and not by what that child starts', async () => {
    const fd = createSharedMemory('test-memory', PAGE);
    const child = fork(fileURLToPath(new URL('./test-child.ts', import.meta.url)), ['start-another'], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', fd],
      execArgv: [],
    });
    const [told] = (await once(child, 'message')) as [{ own: string; started: string }];
    expect(told.own).toContain('memfd:test-memory');
    expect(told.started).toContain('/dev/null');
    expect(told.started).not.toContain('memfd');
    closeFd(fd);
  });

  it('costs a process with gigabytes of mapped windows no further garbage collections and lets it exit', async () => {
    const size = 2 ** 36;
    const fd = createSharedMemory('test-memory', size);
    const child = fork(fileURLToPath(new URL('./test-child.ts', import.meta.url)), ['map', String(size)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', fd],
      execArgv: [],
    });
    const [told, exit] = await Promise.all([
      new Promise<{ windows: number; majorCollections: number }>((resolve) =>
        child.once('message', (value) => resolve(value as never)),
      ),
      new Promise<string>((resolve) => child.once('exit', (code, signal) => resolve(`${code} ${signal}`))),
    ]);
    closeFd(fd);
    expect(told.windows).toBe(64);
    expect(told.majorCollections).toBeLessThanOrEqual(2);
    expect(exit).toBe('0 null');
  });
});
