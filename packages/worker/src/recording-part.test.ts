import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '@srs/config';
import type { RecordedFile } from '@srs/dvr';
import { memoryLog } from '@srs/kernel';
import { MemoryArena } from '@srs/ring';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { WorkerEnvironment } from './environment.ts';
import { RecordingPart } from './recording-part.ts';

const LIMIT_MS = 10_000;
/** Nobody listens there. */
const upload = 'dvr_upload { enabled on; endpoint http://127.0.0.1:1; bucket recordings; access_key k; secret_key s; }';

let directory: string;
let log: ReturnType<typeof memoryLog>;
let part: RecordingPart | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'srs-part-'));
  mkdirSync(join(directory, 'objs'));
  log = memoryLog();
});

afterEach(async () => {
  await part?.close(0);
  part = undefined;
  rmSync(directory, { recursive: true, force: true });
});

/** @param vhosts `DIR` is the directory */
async function start(vhosts: string, asked: readonly string[] = []): Promise<WorkerEnvironment> {
  const text = `listen 1935; pid DIR/objs/srs.pid; ${vhosts}`.replaceAll('DIR', directory);
  const { config } = loadConfig(text, { fileName: 'srs.conf', env: {} });
  const environment = { config, log, backSource: 0, arenas: [new MemoryArena(4096)] } as unknown as WorkerEnvironment;
  part = new RecordingPart(environment, new Set(asked));
  await part.configure();
  return environment;
}

const journal = (number = 0): string => join(directory, `objs/srs.uploads.${number}.jsonl`);
const waitingIn = (path: string): string[] =>
  existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .flatMap((line) => (line === '' ? [] : [(JSON.parse(line) as { path: string }).path]))
    : [];

/** Of a server that was killed: two pictures of FLV. */
function putUnfinished(file: string): string {
  const path = join(directory, file);
  mkdirSync(join(path, '..'), { recursive: true });
  const pictures = ['000000', '000028'].map((at) => `09000005${at}00000000170200000000000010`);
  writeFileSync(`${path}.tmp`, Buffer.from(`464c5601010000000900000000${pictures.join('')}`, 'hex'));
  return path;
}

it('a finished recording is written down before it is uploaded, by the name of its vhost', async () => {
  const environment = await start(`vhost a { dvr { enabled on; dvr_path DIR/rec; ${upload} } } vhost b { dvr { enabled on; } }`);
  const file = (vhost: string) =>
    ({
      path: join(directory, 'rec/live/x.1.flv'),
      stream: { vhost: environment.config.vhosts.get(vhost) },
    }) as unknown as RecordedFile;
  part?.onRecorded(file('b'));
  part?.onRecorded(file('a'));
  await part?.close(0);
  expect(JSON.parse(readFileSync(journal(), 'utf8'))).toEqual({
    path: join(directory, 'rec/live/x.1.flv'),
    vhost: 'a',
    root: join(directory, 'rec'),
  });
});

it('a recording that was interrupted is uploaded when it is clear whose it is', async () => {
  const path = putUnfinished('rec/a/x.flv');
  await start(
    `vhost a { dvr { enabled on; dvr_path DIR/rec/[vhost]/[stream].flv; ${upload} } } vhost b { dvr { enabled on; dvr_path DIR/rec/[vhost]/[stream].flv; } }`,
  );
  await expect.poll(() => waitingIn(journal()), { timeout: LIMIT_MS }).toContain(path);
  expect(existsSync(path)).toBe(true);
});

it('a recording that was interrupted and may be of a vhost that does not upload stays', async () => {
  const path = putUnfinished('rec/live/x.1.flv');
  await start(`vhost a { dvr { enabled on; dvr_path DIR/rec; ${upload} } } vhost b { dvr { enabled on; dvr_path DIR/rec; } }`);
  const warning = `dvr: ${path} was interrupted and is not uploaded: it may be of vhost a or b`;
  await expect.poll(() => log.lines.map(({ text }) => text), { timeout: LIMIT_MS }).toContain(warning);
  expect(waitingIn(journal())).toEqual([]);
});

it('a recording that was asked for is repaired though its vhost records nothing', async () => {
  const path = putUnfinished('rec/live/x.1.flv');
  await start('vhost a { dvr { enabled off; dvr_path DIR/rec; } } vhost b { }', ['a']);
  await expect.poll(() => existsSync(path), { timeout: LIMIT_MS }).toBe(true);
});

it('what back-sources that are no more have left is taken over; others keep theirs', async () => {
  const line = (name: string): string => `${JSON.stringify({ path: join(directory, name), vhost: 'a', root: directory })}\n`;
  writeFileSync(journal(0), line('0.flv'));
  writeFileSync(journal(12), line('12.flv'));
  writeFileSync(join(directory, 'objs/other.uploads.7.jsonl'), line('7.flv'));
  for (const name of ['0.flv', '12.flv', '7.flv']) writeFileSync(join(directory, name), 'x');
  await start(`vhost a { dvr { enabled on; dvr_path DIR/rec; ${upload} } }`);
  await part?.close(0);
  expect(waitingIn(journal()).sort()).toEqual([join(directory, '0.flv'), join(directory, '12.flv')]);
  expect([existsSync(journal(12)), existsSync(join(directory, 'objs/other.uploads.7.jsonl'))]).toEqual([false, true]);
});

it('nothing is loaded or written where nobody records', async () => {
  await start('vhost a { }');
  await part?.close(0);
  expect([existsSync(journal()), log.lines]).toEqual([false, []]);
});
