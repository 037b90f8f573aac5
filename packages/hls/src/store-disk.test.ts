import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SrsError } from '@srs/kernel';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { diskStore } from './store-disk.ts';

let directory: string;
const errors: SrsError[] = [];
const onError = (error: SrsError): void => {
  errors.push(error);
};

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'srs-hls-store-'));
  errors.length = 0;
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

it('a segment has another name until it is complete', async () => {
  const path = join(directory, 'a/b/s-0.ts');
  const segment = diskStore.openSegment(path, onError);
  segment.write(Buffer.from('one '));
  segment.write(Buffer.from('two'));
  await segment.commit(join(directory, 'a/c/s-0.ts'));
  expect(existsSync(path)).toBe(false);
  expect(await readFile(join(directory, 'a/c/s-0.ts'), 'utf8')).toBe('one two');
  expect(await readdir(join(directory, 'a/b'))).toEqual([]);
});

it('a segment that is given up does not take the next one of its name with it', async () => {
  const path = join(directory, 's-0.ts');
  const first = diskStore.openSegment(path, onError);
  first.write(Buffer.from('first'));
  const gone = first.discard();
  const second = diskStore.openSegment(path, onError);
  second.write(Buffer.from('second'));
  await gone;
  await second.commit(path);
  expect([await readdir(directory), await readFile(path, 'utf8'), errors]).toEqual([['s-0.ts'], 'second', []]);
});

it('a directory that cannot be written to is told once, and to whoever finishes the segment', async () => {
  await writeFile(join(directory, 'live'), 'a file in the place of a directory');
  const segment = diskStore.openSegment(join(directory, 'live/s-0.ts'), onError);
  segment.write(Buffer.from('lost'));
  await expect(segment.commit(join(directory, 'live/s-0.ts'))).rejects.toMatchObject({ errorName: 'FileOpen' });
  await segment.discard();
  expect(errors.map((error) => error.errorName)).toEqual(['FileOpen']);
});

it('a playlist that is not there is no error, one that cannot be read is', async () => {
  const path = join(directory, 's.m3u8');
  expect(await diskStore.readPlaylist(path)).toBeUndefined();
  await diskStore.replace(path, '#EXTM3U\n');
  expect(await diskStore.readPlaylist(path)).toBe('#EXTM3U\n');
  await writeFile(path, Buffer.alloc(9 * 1024 * 1024));
  await expect(diskStore.readPlaylist(path)).rejects.toMatchObject({ errorName: 'FileRead' });
  await expect(diskStore.readPlaylist(directory)).rejects.toMatchObject({ errorName: 'FileRead' });
});

it('tells what is there, and removes what is there', async () => {
  const [here, gone] = [join(directory, 'a'), join(directory, 'b')];
  await writeFile(here, '');
  expect(await diskStore.present([here, gone])).toEqual(new Set([here]));
  await diskStore.remove([here, gone]);
  expect(await readdir(directory)).toEqual([]);
  await expect(diskStore.remove([directory])).rejects.toMatchObject({ errorName: 'FileWrite' });
});

it('removes leftovers only', async () => {
  await Promise.all(['a-1.ts.tmp', 'b-1.ts.tmp', 'a-1.ts'].map((name) => writeFile(join(directory, name), '')));
  await diskStore.removeLeftovers(directory, (name) => name.startsWith('a') && name.endsWith('.tmp'));
  expect((await readdir(directory)).sort()).toEqual(['a-1.ts', 'b-1.ts.tmp']);
  await diskStore.removeLeftovers(join(directory, 'missing'), () => true);
});
