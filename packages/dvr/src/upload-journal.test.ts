import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryLog } from '@srs/kernel';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readWaiting, UploadJournal, type WaitingFile } from './upload-journal.ts';

let directory: string;
let path: string;
const log = memoryLog();

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'srs-journal-'));
  path = join(directory, 'objs/uploads.jsonl');
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const file = (name: string, more: Partial<WaitingFile> = {}): WaitingFile => ({
  path: `/rec/${name}`,
  vhost: 'a.com',
  root: '/rec',
  ...more,
});
const leftover = { key: 'a', uploadId: 'u', endpoint: 'http://s3', bucket: 'abc' };
const lines = (): number => readFileSync(path, 'utf8').trimEnd().split('\n').length;

async function loaded(): Promise<UploadJournal> {
  const journal = new UploadJournal(path, log);
  await journal.load();
  return journal;
}

it('the next process finds what waits, in its order, with what is left in the bucket', async () => {
  const journal = await loaded();
  for (const name of ['a', 'b', 'c', 'd\n"\u{1f3a5}']) journal.set(file(name));
  journal.set(file('b', { leftover }));
  journal.delete('/rec/a');
  journal.delete('/rec/never');
  await journal.flush();
  const waiting = [file('b', { leftover }), file('c'), file('d\n"\u{1f3a5}')];
  expect(await readWaiting(path)).toEqual(waiting);
  expect(Array.from((await loaded()).files.values())).toEqual(waiting);
});

it('there is nothing at the first start', async () => {
  expect(await readWaiting(path)).toEqual([]);
  expect((await loaded()).files.size).toBe(0);
});

it('what came before the file was read waits too', async () => {
  const before = await loaded();
  before.set(file('old'));
  await before.flush();
  const journal = new UploadJournal(path, log);
  journal.set(file('new'));
  await journal.load();
  await journal.flush();
  expect(await readWaiting(path)).toEqual([file('old'), file('new')]);
});

it('half a line of a killed process, and lines of others, are passed over and gone afterwards', async () => {
  const journal = await loaded();
  journal.set(file('a'));
  await journal.flush();
  const strange = [
    'null',
    '7',
    '{}',
    '{"path":1}',
    '{"path":"/x","vhost":1,"root":""}',
    '',
    '[]',
    '{"path":"/rec/z","vhost":"a.com","ro',
  ];
  appendFileSync(path, strange.join('\n'));
  const next = await loaded();
  next.set(file('b'));
  await next.flush();
  expect(await readWaiting(path)).toEqual([file('a'), file('b')]);
  expect(lines()).toBe(2);
});

it('is written anew before it grows long', async () => {
  const journal = await loaded();
  journal.set(file('stays'));
  for (let index = 0; index < 2000; index++) {
    journal.set(file(`${index}`));
    journal.delete(`/rec/${index}`);
    if (index % 100 === 0) await journal.flush();
  }
  await journal.flush();
  expect(lines()).toBeLessThan(1000);
  expect(await readWaiting(path)).toEqual([file('stays')]);
});

it('that cannot be written says so once, and is complete when it can be again', async () => {
  writeFileSync(join(directory, 'objs'), 'a file where the directory should be');
  const before = log.lines.length;
  const journal = new UploadJournal(path, log);
  for (const name of ['a', 'b', 'c']) {
    journal.set(file(name));
    await journal.flush();
  }
  expect(log.lines.slice(before).map(({ level, text }) => `${level} ${text.split(':', 2).join(':')}`)).toEqual([
    'error dvr: what waits for its upload would be lost with this process',
  ]);
  expect(existsSync(path)).toBe(false);
  rmSync(join(directory, 'objs'));
  mkdirSync(join(directory, 'objs'));
  journal.set(file('d'));
  await journal.flush();
  expect(await readWaiting(path)).toEqual(['a', 'b', 'c', 'd'].map((name) => file(name)));
});
