import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type LogLine, memoryLog, systemClock } from '@srs/kernel';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChildProgram } from '../../../test/support/child-program.ts';
import { TestStore } from './object-store-test-support.ts';
import { AT_ONCE, RecordingUploader, type RecordingUploaderOptions } from './recording-uploader.ts';
import { readWaiting } from './upload-journal.ts';
import type { UploadSettings } from './upload-settings.ts';
import { UploadTasks } from './upload-tasks.ts';

const MIB = 1024 * 1024;
const LIMIT_MS = 20_000;
/** A process starts, and sends a large file, on a machine that does other things too. */
const CHILD_LIMIT_MS = 60_000;
const childPath = fileURLToPath(new URL('./upload-test-child.ts', import.meta.url));

let store: TestStore;
let directory: string;
let root: string;
let stateFile: string;
let lines: LogLine[];
let settings: UploadSettings | undefined;
const opened: RecordingUploader[] = [];
const tasks = new UploadTasks(AT_ONCE);

afterAll(() => tasks.close());

beforeEach(async () => {
  store = await TestStore.start();
  directory = mkdtempSync(join(tmpdir(), 'srs-uploader-'));
  root = join(directory, 'rec');
  stateFile = join(directory, 'objs/uploads.jsonl');
  lines = [];
  settings = store.settings();
});

afterEach(async () => {
  for (const uploader of opened.splice(0)) await uploader.close(0);
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

function put(name: string, sizeBytes = 1000): string {
  const path = join(root, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, randomBytes(sizeBytes));
  return path;
}

function create(options: Partial<RecordingUploaderOptions> = {}): RecordingUploader {
  const uploader = new RecordingUploader({
    clock: systemClock,
    log: memoryLog(lines),
    random: () => 0,
    settingsOf: () => settings,
    stateFile,
    pauses: { firstMs: 10, maxMs: 80 },
    tasks,
    ...options,
  });
  opened.push(uploader);
  return uploader;
}

async function started(options: Partial<RecordingUploaderOptions> = {}): Promise<RecordingUploader> {
  const uploader = create(options);
  await uploader.start();
  return uploader;
}

const add = (uploader: RecordingUploader, path: string): void => uploader.add({ path, vhost: 'a.com', root });
const texts = (level?: string): string[] =>
  lines.filter((line) => level === undefined || line.level === level).map(({ text }) => text);
const waitForText = (pattern: RegExp): Promise<void> =>
  expect.poll(() => texts().some((text) => pattern.test(text)), { timeout: LIMIT_MS }).toBe(true);
const waitUntilDone = (uploader: RecordingUploader): Promise<void> =>
  expect.poll(() => uploader.waiting(), { timeout: LIMIT_MS }).toEqual([]);

describe('a finished recording', () => {
  it('is uploaded under its path below the directory of the recordings, and stays', async () => {
    settings = store.settings({ prefix: 'srs/' });
    const uploader = await started();
    const path = put('live/a.flv');
    add(uploader, path);
    expect(uploader.waiting()).toEqual([path]);
    await waitUntilDone(uploader);
    expect([store.keys(), existsSync(path)]).toEqual([['srs/live/a.flv'], true]);
    const place = new URL(store.endpoint).host;
    expect(texts()).toEqual([`dvr: ${path}, 1000 bytes, is uploaded: srs/live/a.flv of bucket recordings at ${place}`]);
    await uploader.close(0);
    expect(await readWaiting(stateFile)).toEqual([]);
  });

  it('is deleted when it has been uploaded, and directories that are empty then', async () => {
    settings = store.settings({ deleteAfter: true });
    const uploader = await started();
    const path = put('2026/01/a.flv');
    put('2026/b.flv');
    add(uploader, path);
    await waitForText(/a\.flv is deleted: it has been uploaded$/);
    expect([store.keys(), readdirSync(root, { recursive: true })]).toEqual([['2026/01/a.flv'], ['2026', '2026/b.flv']]);
  });

  it('is not deleted while it could not be made sure that it is there', async () => {
    settings = store.settings({ deleteAfter: true });
    store.addition = ({ name }): Record<string, string> => (name.startsWith('HEAD') ? { etag: `"${'0'.repeat(32)}"` } : {});
    const uploader = await started();
    const path = put('a.flv');
    add(uploader, path);
    await store.waitFor(({ name }) => name.startsWith('PUT'), 3);
    expect([existsSync(path), uploader.waiting()]).toEqual([true, [path]]);
    expect(texts('warn')[0]).toMatch(/its ETag 0{32} must be/);
  });

  it('of a vhost that does not upload is none of its business', async () => {
    settings = undefined;
    const uploader = await started();
    add(uploader, put('a.flv'));
    settings = store.settings();
    uploader.configure();
    expect(uploader.waiting()).toEqual([]);
  });

  it('that has gone is given up with one line', async () => {
    const uploader = create();
    const path = put('a.flv');
    add(uploader, path);
    unlinkSync(path);
    await uploader.start();
    await waitUntilDone(uploader);
    expect(texts('warn')).toEqual([`dvr: ${path} has gone before it was uploaded, and is given up`]);
    expect(store.requests).toEqual([]);
  });

  it('that comes again while it is uploaded is uploaded again if it is another one', async () => {
    const uploader = await started();
    const path = put('a.flv');
    let isFirst = true;
    store.fault = ({ name }) => {
      if (name.startsWith('PUT') && isFirst) {
        isFirst = false;
        writeFileSync(path, 'another one');
        add(uploader, path);
      }
      return undefined;
    };
    add(uploader, path);
    await waitUntilDone(uploader);
    expect(store.object('a.flv').toString()).toBe('another one');
    expect(texts('warn')).toEqual([]);
  });

  it('waits its turn: two are uploaded at once', async () => {
    const uploader = await started();
    for (let index = 0; index < 8; index++) add(uploader, put(`${index}.flv`, 200_000));
    await waitUntilDone(uploader);
    expect(store.keys()).toHaveLength(8);
    expect(store.mostBodies).toBeLessThanOrEqual(2);
  });
});

describe('a store that fails', () => {
  it('is tried with growing pauses, one line each, until it works', async () => {
    store.fault = () => ({ status: 503 });
    const uploader = await started();
    const path = put('a.flv');
    add(uploader, path);
    await store.waitFor(({ name }) => name.startsWith('HEAD'), 5);
    store.fault = () => undefined;
    await waitUntilDone(uploader);
    const failures = texts('warn');
    expect(failures.slice(0, 5).map((text) => text.replace(/: HEAD .*/, ''))).toEqual(
      [10, 20, 40, 80, 80].map((ms) => `dvr: upload of ${path} failed, again in ${ms} ms, 1 in all wait`),
    );
    expect(failures).toHaveLength(store.names('HEAD').length - 2);
    expect(texts('trace')).toHaveLength(1);
  });

  it('is asked for one file at a time, however many wait', async () => {
    store.fault = () => ({ status: 503 });
    const uploader = await started({ pauses: { firstMs: 50, maxMs: 50 } });
    for (let index = 0; index < 50; index++) add(uploader, put(`${index}.flv`));
    await store.waitFor(({ name }) => name.startsWith('HEAD'), 5);
    // The first two at once, then one after each pause, and always another one.
    expect(texts('warn').length).toBeLessThanOrEqual(store.names().length);
    expect(new Set(store.names()).size).toBe(store.names().length);
    expect(texts('warn').at(-1)).toMatch(/again in 50 ms, 50 in all wait/);
  });

  it('for one file only does not hold up the others', async () => {
    store.fault = ({ name }) => (name === 'PUT bad.flv' ? { status: 400 } : undefined);
    const uploader = await started();
    const bad = put('bad.flv');
    add(uploader, bad);
    for (let index = 0; index < 5; index++) add(uploader, put(`${index}.flv`));
    await expect.poll(() => uploader.waiting(), { timeout: LIMIT_MS }).toEqual([bad]);
    expect(store.keys()).toHaveLength(5);
    await waitForText(/bad\.flv failed, again in 20 ms/);
    for (let index = 5; index < 10; index++) {
      add(uploader, put(`${index}.flv`));
      await expect.poll(() => uploader.waiting(), { timeout: LIMIT_MS }).toEqual([bad]);
    }
    expect(store.keys()).toHaveLength(10);
  });

  it('because its settings are wrong is asked at once when a reload puts them right', async () => {
    settings = store.settings({ secretKey: 'wrong-one' });
    const uploader = await started({ pauses: { firstMs: 3_600_000, maxMs: 3_600_000 } });
    add(uploader, put('a.flv'));
    await waitForText(/status 403/);
    expect(lines.every(({ text }) => !text.includes('wrong-one') && !text.includes('S3RVER'))).toBe(true);
    settings = store.settings();
    uploader.configure();
    await waitUntilDone(uploader);
    expect(store.keys()).toEqual(['a.flv']);
  });
});

describe('what is not uploaded', () => {
  it('waits while its vhost uploads nothing', async () => {
    store.fault = () => ({ status: 503 });
    const uploader = await started();
    add(uploader, put('a.flv'));
    await waitForText(/failed/);
    settings = undefined;
    store.fault = () => undefined;
    expect(uploader.waiting()).toEqual([]);
    await uploader.close(LIMIT_MS);
    settings = store.settings();
    await waitUntilDone(await started());
    expect(store.keys()).toEqual(['a.flv']);
  });

  it('at the end of the server is uploaded by the next one, and what is sent goes on for a while', async () => {
    const [first, second] = ['1.flv', '2.flv'].map((name) => put(name)) as [string, string];
    const uploader = create();
    add(uploader, first);
    await uploader.start();
    await store.waitFor(({ name }) => name.startsWith('HEAD'));
    const closing = uploader.close(LIMIT_MS);
    add(uploader, second);
    await closing;
    expect(store.keys()).toEqual(['1.flv']);
    await waitUntilDone(await started());
    expect(store.keys()).toEqual(['1.flv', '2.flv']);
    expect(store.names('PUT')).toEqual(['PUT 1.flv', 'PUT 2.flv']);
  });

  it('in time is cut short by the end of the server; the next one removes the parts and begins anew', async () => {
    store.fault = ({ name }) => (name.includes('partNumber') && store.names('PUT').length === 1 ? 'hang' : undefined);
    const uploader = await started();
    const path = put('a.flv', 17 * MIB);
    add(uploader, path);
    await store.waitFor(({ name }) => name.includes('partNumber'), 2);
    await uploader.close(0);
    const [unfinished] = store.unfinished();
    expect(await readWaiting(stateFile)).toMatchObject([{ path, leftover: { key: 'a.flv', uploadId: unfinished } }]);
    expect(texts('warn')).toEqual([]);
    store.fault = () => undefined;
    await waitUntilDone(await started());
    expect([store.keys(), store.unfinished()]).toEqual([['a.flv'], []]);
  });

  it('by a process that is no more is taken over', async () => {
    const orphan = join(directory, 'objs/orphan.jsonl');
    const gone = create({ stateFile: orphan });
    add(gone, put('a.flv'));
    await gone.close(0);
    await waitUntilDone(await started({ orphanedFiles: [orphan, join(directory, 'none.jsonl')] }));
    expect([store.keys(), existsSync(orphan)]).toEqual([['a.flv'], false]);
  });
});

describe('a process of its own', () => {
  const run = (...paths: string[]): Promise<ChildProgram> =>
    ChildProgram.start(process.execPath, [childPath, store.endpoint, stateFile, root, ...paths], { limitMs: CHILD_LIMIT_MS });

  it(
    'that is killed in the middle loses nothing and sends nothing twice',
    async () => {
      const [small, large] = [put('small.flv'), put('large.flv', 17 * MIB)];
      store.fault = ({ name }) =>
        name.includes('partNumber') && store.requests.some((each) => each.name.includes('partNumber')) ? 'hang' : undefined;
      const child = await run(small, large);
      await child.waitForLine(/small\.flv, 1000 bytes, is uploaded/, { limitMs: CHILD_LIMIT_MS });
      await store.waitFor(({ name }) => name.includes('partNumber'), 2);
      process.kill(child.pid, 'SIGKILL');
      await child.closed;
      expect(store.unfinished()).toHaveLength(1);
      store.fault = () => undefined;
      store.requests.length = 0;
      const next = await run();
      await next.waitForLine(/^done/, { limitMs: CHILD_LIMIT_MS });
      await next.stop();
      expect([store.keys(), store.unfinished()]).toEqual([['large.flv', 'small.flv'], []]);
      expect(store.names().filter((name) => name.includes('small'))).toEqual([]);
    },
    2 * CHILD_LIMIT_MS,
  );

  it('that is killed before it could write down what it had done sends nothing again', async () => {
    const path = put('a.flv');
    const uploader = create();
    add(uploader, path);
    await uploader.close(0);
    const waiting = await readWaiting(stateFile);
    await waitUntilDone(await started());
    await Promise.all(opened.map((each) => each.close(0)));
    writeFileSync(stateFile, waiting.map((file) => `${JSON.stringify(file)}\n`).join(''));
    await waitUntilDone(await started());
    expect(store.names('PUT')).toEqual(['PUT a.flv']);
    expect(texts().at(-1)).toMatch(/was uploaded before: a\.flv/);
  });

  it(
    'takes no more memory for a large file',
    async () => {
      const memory = async (path: string): Promise<number> => {
        const child = await run(path);
        const line = await child.waitForLine(/^done \d+/, { limitMs: CHILD_LIMIT_MS });
        await child.stop();
        return Number(line.split(' ')[1]);
      };
      const small = await memory(put('small.flv'));
      const large = await memory(put('large.flv', 64 * MIB));
      // What the garbage collector leaves lying for a while differs from run to run.
      expect(large - small).toBeLessThan(40);
    },
    2 * CHILD_LIMIT_MS,
  );
});
