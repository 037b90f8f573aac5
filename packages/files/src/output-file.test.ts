import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SrsError } from '@srs/kernel';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OpenHandle, OutputFile, type OutputFileOptions } from './index.ts';

let directory: string;
let path: string;
let errors: SrsError[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'srs-files-'));
  path = join(directory, 'a/b/file');
  errors = [];
});
afterEach(() => rmSync(directory, { recursive: true }));

function openFile(options: Partial<OutputFileOptions> = {}): OutputFile {
  return OutputFile.open(path, { maxPendingBytes: 1000, onError: (error) => errors.push(error), ...options });
}

function text(at = path): string {
  return readFileSync(at, 'utf8');
}

/** A disk that writes when it is told to, and no more than so many bytes at once. */
class Disk {
  readonly calls: string[] = [];
  maxBytes = Number.POSITIVE_INFINITY;
  failure: Error | undefined;
  #gate = Promise.withResolvers<void>();

  readonly open: OpenHandle = async (at, flags) => {
    const { mkdir } = await import('node:fs/promises');
    await mkdir(join(directory, 'a/b'), { recursive: true });
    const handle = await open(at, flags);
    return {
      sizeBytes: 0,
      handle: {
        close: () => handle.close(),
        writev: async (buffers, position) => {
          const bytes = Buffer.concat(buffers);
          this.calls.push(`${bytes.toString()}@${position}`);
          await this.#gate.promise;
          if (this.failure !== undefined) throw this.failure;
          return await handle.write(bytes.subarray(0, this.maxBytes), 0, undefined, position);
        },
      },
    };
  };

  run(): void {
    this.#gate.resolve();
  }
}

describe('OutputFile', () => {
  it('makes the directories and writes everything in order', async () => {
    const file = openFile();
    file.write(Buffer.from('one '));
    file.write(Buffer.alloc(0));
    file.write(Buffer.from('two '));
    expect([file.sizeBytes, file.pendingBytes]).toEqual([8, 8]);
    await file.rename(path);
    expect(text()).toBe('one two ');
    file.write(Buffer.from('three'));
    await file.close();
    expect(text()).toBe('one two three');
    expect([file.sizeBytes, file.pendingBytes, errors.length]).toEqual([13, 0, 0]);
  });

  it('empties what was there', async () => {
    const old = openFile();
    old.write(Buffer.from('old and longer'));
    await old.close();
    const file = openFile();
    file.write(Buffer.from('new'));
    await file.close();
    expect(text()).toBe('new');
  });

  it('appends to what was there, and patches it', async () => {
    path = join(directory, 'file');
    writeFileSync(path, 'old ');
    const file = openFile({ append: true });
    file.write(Buffer.from('new'));
    file.patch(1, Buffer.from('LD'));
    await file.close();
    expect(text()).toBe('oLD new');
    expect(file.sizeBytes).toBe(7);
  });

  it('leaves an existing file alone and takes the next free name', async () => {
    path = join(directory, 'file');
    writeFileSync(path, 'old');
    writeFileSync(`${path}-1`, 'old');
    const file = openFile({ otherPath: (attempt) => `${path}-${attempt}` });
    file.write(Buffer.from('new'));
    await file.close();
    expect([text(), text(`${path}-1`), text(`${path}-2`), file.path]).toEqual(['old', 'old', 'new', `${path}-2`]);
  });

  it('gives up when no name is free', async () => {
    path = join(directory, 'file');
    writeFileSync(path, 'old');
    const file = openFile({ otherPath: () => undefined });
    file.write(Buffer.from('new'));
    await file.close();
    expect(text()).toBe('old');
    expect(errors.map((error) => error.message)).toEqual([`open ${path} for writing`]);
  });

  it('patches bytes between the writes before and after', async () => {
    const disk = new Disk();
    const file = openFile({ openHandle: disk.open });
    file.write(Buffer.from('head'));
    file.write(Buffer.from('body'));
    file.patch(0, Buffer.from('HE'));
    file.write(Buffer.from('tail'));
    file.patch(11, Buffer.from('L'));
    disk.run();
    await file.close();
    expect(disk.calls).toEqual(['headbody@0', 'HE@0', 'tail@8', 'L@11']);
    expect(text()).toBe('HEadbodytaiL');
  });

  it('renames in order and says where it is', async () => {
    const file = openFile();
    file.write(Buffer.from('one'));
    const renamed = file.rename(join(directory, 'c/file'));
    file.write(Buffer.from('two'));
    expect(file.path).toBe(path);
    await renamed;
    expect(existsSync(path)).toBe(false);
    await file.close();
    expect(file.path).toBe(join(directory, 'c/file'));
    expect(text(file.path)).toBe('onetwo');
  });

  it('is the bytes it was given, however they were given and however little the disk takes at once', async () => {
    const operations = fc.array(
      fc.record({ bytes: fc.uint8Array({ minLength: 1, maxLength: 20 }), patch: fc.option(fc.nat(200)), wait: fc.boolean() }),
    );
    await fc.assert(
      fc.asyncProperty(operations, fc.integer({ min: 1, max: 30 }), async (list, maxBytes) => {
        const disk = new Disk();
        disk.maxBytes = maxBytes;
        disk.run();
        const file = openFile({ openHandle: disk.open, maxPendingBytes: 100_000 });
        let expected = Buffer.alloc(0);
        for (const { bytes, patch, wait } of list) {
          if (patch === null || patch + bytes.length > expected.length) {
            file.write(Buffer.from(bytes));
            expected = Buffer.concat([expected, bytes]);
          } else {
            file.patch(patch, Buffer.from(bytes));
            expected.set(bytes, patch);
          }
          if (wait) await new Promise(setImmediate);
        }
        await file.close();
        expect(readFileSync(path)).toEqual(expected);
        expect([file.sizeBytes, file.pendingBytes]).toEqual([expected.length, 0]);
      }),
      { numRuns: 100 },
    );
    expect(errors).toEqual([]);
  });

  it('writes more buffers than the system takes at once', async () => {
    const file = openFile({ maxPendingBytes: 10_000 });
    for (let i = 0; i < 3000; i++) file.write(Buffer.from([i]));
    await file.close();
    expect(readFileSync(path)).toEqual(Buffer.from(Array.from({ length: 3000 }, (_, i) => i)));
  });

  it('is given up when more waits than may, and keeps what it had taken', async () => {
    const disk = new Disk();
    const file = openFile({ openHandle: disk.open, maxPendingBytes: 10 });
    file.write(Buffer.from('123456'));
    file.write(Buffer.from('7890'));
    expect(errors).toEqual([]);
    file.write(Buffer.from('x'));
    expect(errors.map(({ errorName, message }) => [errorName, message])).toEqual([
      ['FileWrite', `the disk is too slow for ${path}: 11 bytes wait to be written, at most 10 may`],
    ]);
    disk.run();
    file.write(Buffer.from('y'));
    file.patch(0, Buffer.from('z'));
    await expect(file.rename(`${path}2`)).rejects.toBe(errors[0]);
    file.write(Buffer.from('y'));
    await file.close();
    expect(text()).toBe('1234567890');
    expect(errors).toHaveLength(1);
  });

  it('writes nothing after a failed write, which it tells once', async () => {
    const disk = new Disk();
    disk.failure = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    const file = openFile({ openHandle: disk.open });
    file.write(Buffer.from('123'));
    file.patch(0, Buffer.from('4'));
    file.write(Buffer.from('56'));
    disk.run();
    await file.close();
    expect(disk.calls).toEqual(['123@0']);
    expect(errors.map(({ errorName, message, cause }) => [errorName, message, cause])).toEqual([
      ['FileWrite', `write 3 bytes at 0 of ${path}`, disk.failure],
    ]);
    expect(file.pendingBytes).toBe(0);
  });

  it('tells once that it cannot be opened', async () => {
    path = join(directory, 'parent/file');
    writeFileSync(join(directory, 'parent'), '');
    const file = openFile();
    file.write(Buffer.from('123'));
    await expect(file.rename(`${path}2`)).rejects.toMatchObject({ errorName: 'FileOpen' });
    await file.close();
    expect(errors.map(({ errorName, message }) => [errorName, message])).toEqual([['FileOpen', `open ${path} for writing`]]);
    expect(errors[0]!.cause).toMatchObject({ code: 'ENOTDIR' });
    expect(file.pendingBytes).toBe(0);
  });

  it('tells its caller that it cannot be renamed, and goes on', async () => {
    const file = openFile();
    await expect(file.rename(directory)).rejects.toMatchObject({
      errorName: 'FileWrite',
      message: `rename ${path} to ${directory}`,
    });
    file.write(Buffer.from('123'));
    await file.close();
    expect([text(), errors.length]).toEqual(['123', 0]);
  });

  it('drops what comes after the close', async () => {
    const file = openFile();
    file.write(Buffer.from('1'));
    const closed = file.close();
    file.write(Buffer.from('2'));
    await closed;
    await file.close();
    expect(text()).toBe('1');
  });

  it('is removed with what still waits', async () => {
    const disk = new Disk();
    const file = openFile({ openHandle: disk.open });
    file.write(Buffer.from('1'));
    file.patch(0, Buffer.from('2'));
    const discarded = file.discard();
    disk.run();
    await discarded;
    expect([existsSync(path), disk.calls.length, errors.length]).toEqual([false, 0, 0]);
  });
});
