import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { memoryLog } from '@srs/kernel';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { RecordingWishes } from './recording-wishes.ts';

let directory: string;
let path: string;
let log: ReturnType<typeof memoryLog>;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'srs-wishes-'));
  path = join(directory, 'objs/srs.recording.0.json');
  log = memoryLog();
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const lease = (streamId: string, leaseId: string) => ({ streamId, leaseId });

async function loaded(): Promise<RecordingWishes> {
  const wishes = new RecordingWishes(path, log);
  await wishes.load();
  return wishes;
}

const written = (): unknown => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined);

it('the next process knows what was wanted of a publish that goes on, and of no other', async () => {
  const wishes = await loaded();
  expect(wishes.begin(lease('v/live/on', 'L1'))).toBeUndefined();
  wishes.set(lease('v/live/on', 'L1'), true);
  wishes.set(lease('w/live/off', 'L2'), false);
  wishes.set(lease('w/live/other', 'L3'), true);
  wishes.set(lease('w/live/back', 'L4'), true);
  wishes.set(lease('w/live/back', 'L4'), undefined);
  await expect.poll(written).toHaveLength(3);
  const next = await loaded();
  expect(Array.from(next.inheritedVhosts())).toEqual(['v', 'w']);
  const begun = ['v/live/on L1', 'w/live/off L2', 'w/live/other L9', 'w/live/back L4'].map((each) => {
    const [streamId = '', leaseId = ''] = each.split(' ');
    return next.begin(lease(streamId, leaseId));
  });
  expect(begun).toEqual([true, false, undefined, undefined]);
});

it('the end of a publish, and another one of the stream, is the end of what was wanted', async () => {
  const wishes = await loaded();
  wishes.set(lease('v/live/a', 'L1'), true);
  wishes.set(lease('v/live/b', 'L2'), true);
  expect(wishes.begin(lease('v/live/a', 'L1'))).toBe(true);
  expect(wishes.begin(lease('v/live/a', 'L3'))).toBeUndefined();
  wishes.end('v/live/b');
  expect(wishes.begin(lease('v/live/b', 'L2'))).toBeUndefined();
  await expect.poll(written).toEqual([]);
});

it('what nobody came for is forgotten at the end of the process, what somebody did stays', async () => {
  const wishes = await loaded();
  for (const name of ['a', 'b']) wishes.set(lease(`v/live/${name}`, 'L1'), true);
  await expect.poll(written).toHaveLength(2);
  const next = await loaded();
  next.begin(lease('v/live/b', 'L1'));
  await next.close();
  expect(written()).toMatchObject([{ streamId: 'v/live/b' }]);
});

it('a file that somebody else has written is passed over', async () => {
  mkdirSync(dirname(path));
  for (const text of ['7', '[null, 7, {}, {"streamId":1,"leaseId":"L","isRecorded":true}]']) {
    writeFileSync(path, text);
    expect((await loaded()).inheritedVhosts().size).toBe(0);
  }
  expect(log.lines).toEqual([]);
  writeFileSync(path, '{ half');
  expect((await loaded()).inheritedVhosts().size).toBe(0);
  expect(log.lines.map(({ level }) => level)).toEqual(['error']);
});

it('a place where nothing can be written is told of', async () => {
  writeFileSync(join(directory, 'objs'), 'a file where the directory should be');
  const wishes = new RecordingWishes(path, log);
  wishes.set(lease('v/live/a', 'L1'), true);
  await expect
    .poll(() => log.lines.map(({ text }) => text))
    .toEqual([expect.stringMatching(/^dvr: what was asked .* would be lost/)]);
  expect(wishes.begin(lease('v/live/a', 'L1'))).toBe(true);
});
