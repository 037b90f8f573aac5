import {
  closeSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { FileChangedError, type FileIdentity, FileWindow, openIdentical, readExactly } from './file-window.ts';
import { withWindow } from './vod-test-support.ts';

const directory = mkdtempSync(join(tmpdir(), 'srs-vod-'));
afterAll(() => rmSync(directory, { recursive: true }));
const path = join(directory, 'file');

function identityOf(): FileIdentity {
  const { dev: device, ino: inode, size: sizeBytes, mtimeMs: modifiedMs } = statSync(path);
  return { path, device, inode, sizeBytes, modifiedMs };
}

describe('a file that is opened by its path once more', () => {
  let identity: FileIdentity;
  beforeEach(() => {
    rmSync(path, { force: true });
    writeFileSync(path, 'contents');
    identity = identityOf();
  });

  it('is read when it is the same, and closed', () => {
    const fd = openIdentical(identity, (opened) => {
      const bytes = Buffer.alloc(4);
      readExactly(opened, bytes, 3);
      expect(bytes.toString()).toBe('tent');
      return opened;
    });
    expect(() => closeSync(fd)).toThrow('EBADF');
  });

  it.each([
    {
      name: 'another one',
      change: () => {
        writeFileSync(`${path}2`, 'contents');
        utimesSync(`${path}2`, identity.modifiedMs / 1000, identity.modifiedMs / 1000);
        renameSync(`${path}2`, path);
      },
    },
    { name: 'longer', change: () => truncateSync(path, 9) },
    { name: 'of another time', change: () => utimesSync(path, 1, 1) },
  ])('is not read when it is $name', ({ change }) => {
    change();
    expect(() => openIdentical(identity, () => {})).toThrow(FileChangedError);
  });

  it('is not read when it is a link, or gone', () => {
    renameSync(path, `${path}2`);
    expect(() => openIdentical(identity, () => {})).toThrow('ENOENT');
    symlinkSync(`${path}2`, path);
    expect(() => openIdentical(identity, () => {})).toThrow('ELOOP');
  });

  it('that is cut while it is read has changed', () => {
    const fd = openSync(path, 'r');
    const window = new FileWindow(fd, 8);
    truncateSync(path, 4);
    expect(() => window.read(0, 8)).toThrow(FileChangedError);
    expect(() => readExactly(fd, Buffer.alloc(5), 0)).toThrow(FileChangedError);
    closeSync(fd);
  });
});

describe('a window', () => {
  const bytes = Buffer.alloc(20_000, 'abcdefghijk');

  it('gives any part of the file, in any order', () => {
    withWindow(bytes, (_, window) => {
      for (const [position, length] of [
        [0, 10],
        [4090, 20],
        [100, 4096],
        [5, 3],
        [0, 15_000],
        [19_990, 10],
        [4096, 4096],
        [20_000, 0],
      ] as const) {
        expect(window.read(position, length)).toEqual(bytes.subarray(position, position + length));
      }
    });
  });

  it('gives nothing that goes beyond the end', () => {
    withWindow(bytes, (window) => {
      expect(window.read(19_990, 11)).toBeUndefined();
      expect(window.read(30_000, 1)).toBeUndefined();
    });
  });
});
