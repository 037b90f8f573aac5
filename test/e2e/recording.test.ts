/** Recordings of a whole server: complete, whatever happens to its processes and its disk. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FlvReader } from '@srs/flv';
import type { FrameType } from '@srs/kernel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChildProgram } from '../support/child-program.ts';
import { eventually } from '../support/deadline.ts';
import { HookServer } from '../support/hook-server.ts';
import { type ServerOptions, ServerProcess } from '../support/server-process.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';
import { readyWorker, workersOf } from './server-view-test-support.ts';
import { SequenceChecker } from './stamped-media-test-support.ts';

const LIMIT_MS = 10_000;

const dvr = (directory: string, more = ''): string => `dvr { enabled on; dvr_path ${directory}/rec; ${more} }`;
/** What records is the back-source: more than one worker that serves clients would only take longer to start. */
const workers = 'mode multi; stream 1;';
const options: ServerOptions = { workers, vhost: (place) => dvr(place.directory) };

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
  } catch {
    return [];
  }
}

const recordings = (server: ServerProcess): string[] => filesIn(join(server.place.directory, 'rec'));
const finished = (server: ServerProcess): string[] => recordings(server).filter((path) => path.endsWith('.flv'));

async function waitForFiles(server: ServerProcess, count: number): Promise<string[]> {
  await eventually(
    () => finished(server).length >= count && !recordings(server).some((path) => path.endsWith('.tmp')),
    LIMIT_MS,
    () => `recordings: ${recordings(server).join(' ')}\n${server.program.tail()}`,
  );
  return finished(server);
}

/** Every frame of a recording, held to what must be true of a stream. */
function check(path: string, stream: string): SequenceChecker {
  const checker = new SequenceChecker(stream);
  const reader = new FlvReader({
    onTag: (type, timestampMs, payload) => checker.accept(type as FrameType, timestampMs, payload),
  });
  reader.receive(readFileSync(path));
  reader.end();
  return checker;
}

describe('a recording', () => {
  let server: ServerProcess;
  let hooks: HookServer;

  beforeAll(async () => {
    hooks = await HookServer.start();
    server = await ServerProcess.start({
      vhost: (place) => `${dvr(place.directory)} http_hooks { enabled on; on_dvr ${hooks.url('/dvr')}; }`,
    });
  });

  afterAll(async () => {
    await server.stop();
    await hooks.close();
  });

  it('has every frame of its publish, and its hook is called when it is complete', async () => {
    const publisher = await LivePublisher.start(server, 'live/all', { parameters: '?token=t1' });
    using player = await LivePlayer.start(server, 'live/all');
    await player.waitForFrames(150);
    publisher.leave();
    const [file] = await waitForFiles(server, 1);
    const checker = check(file!, 'live/all');
    expect(checker.complaint).toBe('');
    expect(checker.firstSequence).toBe(0);
    expect(checker.nextSequence).toBe(publisher.source.sequence);
    await hooks.waitForEvent('on_dvr');
    expect(hooks.bodies('on_dvr')[0]).toMatchObject({
      vhost: '__defaultVhost__',
      app: 'live',
      stream: 'all',
      param: '?token=t1',
      ip: '127.0.0.1',
      file,
    });
  });

  it('of each publish is a file of its own', async () => {
    const before = finished(server).length;
    for (const session of [1, 2, 3]) {
      const publisher = await LivePublisher.start(server, 'live/again', { session });
      publisher.sendPictures(30);
      using player = await LivePlayer.start(server, 'live/again');
      await player.waitForFrames(5);
      publisher.leave();
      await waitForFiles(server, before + session);
    }
    const checked = finished(server)
      .filter((path) => path.includes('again'))
      .map((path) => check(path, 'live/again'));
    expect(checked.map(({ complaint }) => complaint)).toEqual(['', '', '']);
    expect(checked.map(({ sessions }) => sessions)).toEqual([[1], [2], [3]]);
    expect(checked.map(({ firstSequence }) => firstSequence)).toEqual([0, 0, 0]);
  });

  it('begins and ends with a reload, while the stream goes on', async () => {
    const before = finished(server).length;
    using _publisher = await LivePublisher.start(server, 'live/reloaded');
    using player = await LivePlayer.start(server, 'live/reloaded');
    await player.waitForFrames(30);
    const withDvr = readFileSync(server.configFile, 'utf8');
    writeFileSync(server.configFile, withDvr.replace('dvr { enabled on;', 'dvr { enabled off;'));
    server.signal('SIGHUP');
    const files = await waitForFiles(server, before + 1);
    expect(files.filter((path) => path.includes('reloaded')).map((path) => check(path, 'live/reloaded').complaint)).toEqual(['']);
    writeFileSync(server.configFile, withDvr);
    server.signal('SIGHUP');
    await eventually(
      () => recordings(server).some((path) => path.includes('reloaded') && path.endsWith('.tmp')),
      LIMIT_MS,
      () => 'it does not record again',
    );
    await player.waitForFrames(30);
    expect(player.checker.complaint).toBe('');
  });
});

describe('a recording by request', () => {
  const recordOptions: ServerOptions = {
    workers,
    top: ({ host, httpApiPort }) => `http_api { enabled on; listen ${host}:${httpApiPort}; }`,
    vhost: ({ directory }) => `dvr { enabled off; dvr_path ${directory}/rec; }`,
  };

  async function askApi(server: ServerProcess, path: string, method = 'GET') {
    const { host, httpApiPort } = server.place;
    const response = await fetch(`http://${host}:${httpApiPort}${path}`, { method, signal: AbortSignal.timeout(LIMIT_MS) });
    return { status: response.status, body: (await response.json()) as { streams?: { id: string; name: string }[] } };
  }

  async function idOf(server: ServerProcess, name: string): Promise<string> {
    const { body } = await askApi(server, '/api/v1/streams');
    return body.streams?.find((stream) => stream.name === name)?.id ?? '';
  }

  const isRecorded = (server: ServerProcess, name: string): boolean =>
    recordings(server).some((path) => path.includes(`/${name}.`) && path.endsWith('.tmp'));
  const waitUntilRecorded = (server: ServerProcess, name: string) =>
    eventually(
      () => isRecorded(server, name),
      LIMIT_MS,
      () => server.program.tail(),
    );

  it('begins and ends as the API and the command line say, for that publish alone', async () => {
    await using server = await ServerProcess.start(recordOptions);
    const publisher = await LivePublisher.start(server, 'live/s');
    using _other = await LivePublisher.start(server, 'live/other');
    using player = await LivePlayer.start(server, 'live/s');
    await player.waitForFrames(30);
    expect(recordings(server)).toEqual([]);
    const id = await idOf(server, 's');
    expect(await askApi(server, `/api/v1/streams/${id}/record?on=true`, 'POST')).toEqual({ status: 200, body: { code: 0 } });
    await waitUntilRecorded(server, 's');
    await player.waitForFrames(60);
    const cli = join(import.meta.dirname, '../../bin/srs-cli');
    const api = `127.0.0.1:${server.place.privatePort}`;
    const off = await ChildProgram.run(cli, ['--api', api, 'record', 'live/s', 'off']);
    expect([off.code, off.stdout, off.stderr]).toEqual([0, 'live/s is not recorded until its publish ends\n', '']);
    const [first] = await waitForFiles(server, 1);
    const checker = check(first!, 'live/s');
    expect(checker.complaint).toBe('');
    expect(checker.frames).toBeGreaterThan(30);
    expect((await ChildProgram.run(cli, ['--api', api, 'record', 'live/s', 'on'])).code).toBe(0);
    await waitUntilRecorded(server, 's');
    publisher.leave();
    await waitForFiles(server, 2);
    using _next = await LivePublisher.start(server, 'live/s', { session: 2 });
    await player.waitForFrames(60);
    expect(recordings(server)).toHaveLength(2);
    expect(isRecorded(server, 'other')).toBe(false);
    expect(player.checker.complaint).toBe('');
    const nobody = await ChildProgram.run(cli, ['--api', api, 'record', 'live/gone', 'on']);
    expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringMatching(/^srs-cli: nobody publishes live\/gone; /)]);
  });

  it('outlives its back-source, whose unfinished file is completed', async () => {
    await using server = await ServerProcess.start(recordOptions);
    const publisher = await LivePublisher.start(server, 'live/s');
    using player = await LivePlayer.start(server, 'live/s');
    await player.waitForFrames(10);
    await askApi(server, `/api/v1/streams/${await idOf(server, 's')}/record?on=true`, 'POST');
    await waitUntilRecorded(server, 's');
    await player.waitForFrames(100);
    const [backSource] = await workersOf(server, 'back-source');
    process.kill(backSource!.pid, 'SIGKILL');
    await eventually(
      () => finished(server).length === 1 && isRecorded(server, 's'),
      LIMIT_MS,
      () => `recordings: ${recordings(server).join(' ')}\n${server.program.tail()}`,
    );
    await player.waitForFrames(60);
    publisher.leave();
    const files = await waitForFiles(server, 2);
    expect(files.map((path) => check(path, 'live/s').complaint)).toEqual(['', '']);
    expect(player.checker.complaint).toBe('');
  });
});

it('the end of the server completes what is being recorded', async () => {
  const server = await ServerProcess.start(options);
  const { directory } = server.place;
  mkdirSync(join(directory, 'kept'));
  const publisher = await LivePublisher.start(server, 'live/s');
  using player = await LivePlayer.start(server, 'live/s');
  await player.waitForFrames(60);
  const program = server.program.stop('SIGTERM');
  await program;
  const [file, ...others] = recordings(server);
  expect(others).toEqual([]);
  expect(file).toMatch(/\.flv$/);
  const checker = check(file!, 'live/s');
  expect(checker.complaint).toBe('');
  expect(checker.nextSequence).toBeGreaterThanOrEqual(60);
  publisher.close();
  await server.stop();
});

it('a back-source that is killed loses nothing that was written: the file is repaired, and the stream recorded on', async () => {
  await using server = await ServerProcess.start(options);
  const publisher = await LivePublisher.start(server, 'live/s');
  using player = await LivePlayer.start(server, 'live/s');
  await player.waitForFrames(150);
  const [backSource] = await workersOf(server, 'back-source');
  process.kill(backSource!.pid, 'SIGKILL');
  await eventually(
    async () => {
      const ready = await readyWorker(server, backSource!.slot);
      return ready !== undefined && ready.pid !== backSource!.pid;
    },
    LIMIT_MS,
    () => server.program.tail(),
  );
  // Two key frames later it has certainly begun anew.
  await player.waitForFrames(200);
  publisher.leave();
  const files = await waitForFiles(server, 2);
  const checked = files.map((path) => check(path, 'live/s')).sort((one, other) => one.firstSequence - other.firstSequence);
  expect(checked.map(({ complaint }) => complaint)).toEqual(['', '']);
  const [first, second] = checked as [SequenceChecker, SequenceChecker];
  expect(first.firstSequence).toBe(0);
  // A second of it may have been on its way to the disk.
  expect(first.nextSequence).toBeGreaterThan(75);
  expect(second.nextSequence).toBe(publisher.source.sequence);
  expect(player.checker.complaint).toBe('');
});

it('a server that is killed altogether repairs its recordings when it starts again', async () => {
  const server = await ServerProcess.start(options);
  const { directory } = server.place;
  const publisher = await LivePublisher.start(server, 'live/s');
  const player = await LivePlayer.start(server, 'live/s');
  await player.waitForFrames(150);
  server.killAll();
  await publisher.waitForClose();
  expect(recordings(server).map((path) => path.endsWith('.flv.tmp'))).toEqual([true]);
  player.close();
  publisher.close();
  const again = await ChildProgram.start(join(import.meta.dirname, '../../bin/srs'), ['-c', server.configFile], {
    cwd: directory,
  });
  try {
    const [file] = await waitForFiles(server, 1);
    const checker = check(file!, 'live/s');
    expect(checker.complaint).toBe('');
    expect(checker.firstSequence).toBe(0);
    expect(checker.nextSequence).toBeGreaterThan(75);
  } finally {
    await again.stop();
    await server.stop().catch(() => {});
  }
});

describe('a disk that takes nothing more', () => {
  it('is full: recording ends with one line, what was written stays whole, and play goes on', async ({ skip }) => {
    skip(process.getuid?.() !== 0, 'only root may mount a small file system');
    await using server = await ServerProcess.launch(options);
    const disk = join(server.place.directory, 'rec');
    mkdirSync(disk);
    await ChildProgram.run('/bin/mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]);
    try {
      await server.waitUntilReady();
      using publisher = await LivePublisher.start(server, 'live/s', { keyFrameBytes: 40_000 });
      using player = await LivePlayer.start(server, 'live/s');
      // In all three times of what the disk holds.
      for (let round = 0; round < 20; round += 1) {
        publisher.sendPictures(10);
        await player.waitForFrames(25);
      }
      await server.waitForLog(/dvr.*(ENOSPC|no space)/i);
      expect(player.checker.complaint).toBe('');
      expect(publisher.isOpen).toBe(true);
      const [file] = await waitForFiles(server, 1);
      const checker = check(file!, 'live/s');
      expect(checker.complaint).toBe('');
      expect(checker.frames).toBeGreaterThan(50);
      expect(server.log().filter((line) => /\[error\].*dvr/.test(line))).toHaveLength(1);
    } finally {
      await ChildProgram.run('/bin/umount', [disk]);
    }
  });

  it('cannot be written to: recording does not begin, with one line, and play goes on', async () => {
    await using server = await ServerProcess.launch(options);
    writeFileSync(join(server.place.directory, 'rec'), 'a file where the directory should be');
    await server.waitUntilReady();
    using publisher = await LivePublisher.start(server, 'live/s');
    using player = await LivePlayer.start(server, 'live/s');
    await player.waitForFrames(100);
    expect(player.checker.complaint).toBe('');
    expect(publisher.isOpen).toBe(true);
    expect(server.log().filter((line) => /\[error\].*dvr/.test(line))).toHaveLength(1);
    rmSync(join(server.place.directory, 'rec'));
  });
});
