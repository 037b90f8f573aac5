import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { FileDirectory } from './file-directory.ts';

it('where a directory really is counts for a second at most', async () => {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'srs-directory-')));
  onTestFinished(() => rmSync(base, { recursive: true }));
  const [old, recent, link] = ['old', 'recent', 'link'].map((name) => join(base, name)) as [string, string, string];
  for (const path of [old, recent]) mkdirSync(path);
  symlinkSync(old, link);
  const directory = new FileDirectory(link);
  expect(await directory.contains(join(old, 'a'), 0)).toBe(true);
  expect(await directory.contains(`${old}er/a`, 0)).toBe(false);
  unlinkSync(link);
  symlinkSync(recent, link);
  expect(await directory.contains(join(old, 'a'), 999)).toBe(true);
  expect(await directory.contains(join(old, 'a'), 1000)).toBe(false);
  expect(await directory.contains(join(recent, 'a'), 1000)).toBe(true);
  unlinkSync(link);
  // A file that is still where it was believed to be, and one that is not.
  expect(await directory.contains(join(recent, 'a'), 1001)).toBe(true);
  expect(await directory.contains(join(old, 'a'), 1001)).toBe(false);
  expect(await directory.contains(join(recent, 'a'), 1002)).toBe(false);
});

it('the root of the system may be served', async () => {
  expect(await new FileDirectory('/').contains('/etc/passwd', 0)).toBe(true);
});
