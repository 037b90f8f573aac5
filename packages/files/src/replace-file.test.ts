import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { replaceFile } from './index.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'srs-files-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

it('a file is made, with its directories, and replaced', async () => {
  const path = join(directory, 'a/b/list.m3u8');
  await replaceFile(path, 'one');
  expect(readFileSync(path, 'utf8')).toBe('one');
  await replaceFile(path, Buffer.from('two'));
  expect(readFileSync(path, 'utf8')).toBe('two');
  expect(readdirSync(join(directory, 'a/b'))).toEqual(['list.m3u8']);
});

it('calls for one path are done in order, and the last one stays', async () => {
  const path = join(directory, 'list');
  const order: number[] = [];
  const calls = Array.from({ length: 20 }, async (_, index) => {
    await replaceFile(path, `${index}`.repeat(10_000));
    order.push(index);
  });
  await calls[0];
  expect(readFileSync(path, 'utf8').length).toBeGreaterThanOrEqual(10_000);
  await Promise.all(calls);
  expect(order).toEqual(Array.from({ length: 20 }, (_, index) => index));
  expect(readFileSync(path, 'utf8')).toBe('19'.repeat(10_000));
  await replaceFile(path, 'later');
  expect(readFileSync(path, 'utf8')).toBe('later');
});

it('a failure names the path and leaves nothing behind; the next call works', async () => {
  const parent = join(directory, 'parent');
  writeFileSync(parent, '');
  const path = join(parent, 'list');
  const calls = [replaceFile(path, 'one'), replaceFile(path, 'two')];
  for (const call of calls) {
    await expect(call).rejects.toMatchObject({
      errorName: 'FileWrite',
      message: `replace ${path}`,
      cause: expect.objectContaining({ code: 'ENOTDIR' }) as unknown,
    });
  }
  rmSync(parent);
  await replaceFile(path, 'three');
  expect(readFileSync(path, 'utf8')).toBe('three');
});
