/** Recordings of a whole server that go to an object store, whatever happens to the server and to the store. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { FlvReader } from '@srs/flv';
import type { FrameType } from '@srs/kernel';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { TestStore } from '../../packages/dvr/src/object-store-test-support.ts';
import { ChildProgram } from '../support/child-program.ts';
import { eventually } from '../support/deadline.ts';
import { type ServerOptions, ServerProcess, serverCommand } from '../support/server-process.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';
import { SequenceChecker } from './stamped-media-test-support.ts';

const LIMIT_MS = 20_000;

let store: TestStore;

beforeEach(async () => {
  store = await TestStore.start();
});

afterEach(() => store.close());

const upload = (more = ''): string => {
  const { endpoint, bucket, accessKey, secretKey } = store.settings();
  return `dvr_upload { enabled on; endpoint ${endpoint}; bucket ${bucket}; access_key ${accessKey}; secret_key ${secretKey}; ${more} }`;
};
const options = (more = ''): ServerOptions => ({
  vhost: ({ directory }) => `dvr { enabled on; dvr_path ${directory}/rec; ${upload(more)} }`,
});

function localFiles(directory: string): string[] {
  const root = join(directory, 'rec');
  if (!existsSync(root)) return [];
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);
}

async function waitForObjects(count: number, explain: () => string): Promise<string[]> {
  await eventually(() => store.keys().length >= count, LIMIT_MS, explain);
  return store.keys();
}

function check(key: string): SequenceChecker {
  const checker = new SequenceChecker('live/s');
  const reader = new FlvReader({
    onTag: (type, timestampMs, payload) => checker.accept(type as FrameType, timestampMs, payload),
  });
  reader.receive(store.object(key));
  reader.end();
  return checker;
}

async function publishSome(server: ServerProcess, frames: number): Promise<LivePublisher> {
  const publisher = await LivePublisher.start(server, 'live/s');
  using player = await LivePlayer.start(server, 'live/s');
  await player.waitForFrames(frames);
  return publisher;
}

it('a recording goes to the store whole, and then from the disk', async () => {
  await using server = await ServerProcess.start(options('prefix srs/; delete_after on;'));
  const publisher = await publishSome(server, 100);
  publisher.leave();
  await server.waitForLog(/dvr: .* is deleted: it has been uploaded|is uploaded/, { limitMs: LIMIT_MS });
  const [key, ...others] = await waitForObjects(1, () => server.program.tail());
  expect([others, key]).toEqual([[], expect.stringMatching(/^srs\/live\/s\.\d+\.flv$/)]);
  const checker = check(key!);
  expect([checker.complaint, checker.firstSequence, checker.nextSequence]).toEqual(['', 0, publisher.source.sequence]);
  await eventually(
    () => localFiles(server.place.directory).length === 0,
    LIMIT_MS,
    () => localFiles(server.place.directory).join(' '),
  );
});

function isWhole(key: string): boolean {
  try {
    check(key);
    return true;
  } catch {
    return false;
  }
}

it('a store that is away holds nobody up; what waits outlives the end of the server, and its being killed', async () => {
  store.fault = () => ({ status: 503 });
  const server = await ServerProcess.start(options());
  const { directory } = server.place;
  const secrets = /S3RVER/;
  try {
    (await publishSome(server, 50)).leave();
    await server.waitForLog(/dvr: upload of .*s\.\d+\.flv failed, again in \d+ ms, 1 in all wait: .* status 503/);
    // Another one is in the middle when all is killed.
    const publisher = await LivePublisher.start(server, 'live/s', { session: 2 });
    const player = await LivePlayer.start(server, 'live/s');
    await player.waitForFrames(100);
    expect(player.checker.complaint).toBe('');
    server.killAll();
    await publisher.waitForClose();
    player.close();
    publisher.close();
    expect(server.log().filter((line) => secrets.test(line))).toEqual([]);
    expect(store.keys()).toEqual([]);

    store.fault = () => undefined;
    const again = await ChildProgram.start(serverCommand, ['-c', server.configFile], { cwd: directory });
    try {
      const keys = await waitForObjects(2, () => again.tail());
      // The store shows an object while it is still being written.
      await eventually(
        () => keys.every((key) => isWhole(key)),
        LIMIT_MS,
        () => 'an object stays incomplete',
      );
      expect(keys.map((key) => check(key).complaint)).toEqual(['', '']);
      expect(keys.flatMap((key) => check(key).sessions).sort((one, other) => one - other)).toEqual([1, 2]);
      expect(store.names('PUT')).toHaveLength(2);
    } finally {
      await again.stop();
    }
  } finally {
    await server.stop().catch(() => {});
  }
});

it('a reload switches uploads on, and what is recorded at the end of the server is uploaded by the next', async () => {
  const server = await ServerProcess.start({ vhost: ({ directory }) => `dvr { enabled on; dvr_path ${directory}/rec; }` });
  try {
    const publisher = await publishSome(server, 30);
    server.writeConfig(options());
    server.signal('SIGHUP');
    await server.waitForLog(/reload config success/);
    store.fault = () => 'hang';
    await server.program.stop('SIGTERM');
    publisher.close();
    expect(localFiles(server.place.directory)).toEqual([expect.stringMatching(/^s\.\d+\.flv$/)]);
    store.fault = () => undefined;
    const again = await ChildProgram.start(serverCommand, ['-c', server.configFile], { cwd: server.place.directory });
    try {
      const [key] = await waitForObjects(1, () => again.tail());
      expect(check(key!).complaint).toBe('');
    } finally {
      await again.stop();
    }
  } finally {
    await server.stop().catch(() => {});
  }
});
