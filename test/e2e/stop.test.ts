import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { commandLine, isAlive, openDescriptors } from '../support/proc.ts';
import { ServerProcess } from '../support/server-process.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';
import { allClients } from './server-view-test-support.ts';

const STOP_LIMIT_MS = 3_000;
const LIMIT_MS = 20_000;

describe('SIGTERM', () => {
  it('with 3 publishers and 30 players: all are told, the status is 0 within 3 s, nothing is left', async () => {
    await using server = await ServerProcess.start();
    const paths = ['live/one', 'live/two', 'live/three'];
    const publishers = await Promise.all(paths.map((path) => LivePublisher.start(server, path)));
    const players = (await Promise.all(paths.map((path) => LivePlayer.crowd(server, path, 10)))).flat();
    await Promise.all(players.map((player) => player.waitForFrames(10)));
    const pids = server.pids();

    const signalledMs = performance.now();
    server.signal('SIGTERM');
    expect(await server.program.waitForExit(10_000)).toEqual({ code: 0, signal: null });
    expect(performance.now() - signalledMs).toBeLessThan(STOP_LIMIT_MS);
    expect(pids.filter(isAlive)).toEqual([]);

    await Promise.all([...players, ...publishers].map((client) => client.waitForClose()));
    for (const player of players) {
      expect(player.statusCodes).toContain('NetStream.Play.Stop');
      expect(player.checker.complaint).toBe('');
    }
    for (const publisher of publishers) {
      expect(publisher.statusCodes).toContain('NetStream.Unpublish.Success');
      expect(publisher.commands).toContain('onFCUnpublish');
    }
    expect(server.log().at(-1)).toMatch(/the server has stopped$/);
    expect(server.log().filter((line) => /\]\[error\]\[/.test(line))).toEqual([]);
  });

  it('does not wait for a client that reads nothing', async () => {
    await using server = await ServerProcess.start();
    const publisher = await LivePublisher.start(server, 'live/one', { keyFrameBytes: 200_000 });
    const player = await LivePlayer.start(server, 'live/one');
    player.socket.pause();
    await eventually(
      async () => (await allClients(server)).some((client) => client.type === 'play' && client.isInStep === false),
      20_000,
      () => 'the player that does not read is still in step',
    );
    const signalledMs = performance.now();
    server.signal('SIGTERM');
    expect(await server.program.waitForExit(10_000)).toEqual({ code: 0, signal: null });
    expect(performance.now() - signalledMs).toBeLessThan(STOP_LIMIT_MS);
    publisher.close();
    player.close();
  });

  it('while the workers are being started: stops as well, and nothing is left', async () => {
    const temporary = mkdtempSync(join(tmpdir(), 'srs-test-'));
    try {
      await using server = await ServerProcess.launch({ env: { TMPDIR: temporary } });
      const pids = await eventually(
        // The launcher starts processes of its own before the master is there.
        () => server.pids().some((pid) => commandLine(pid).includes('entry-worker')) && server.pids(),
        20_000,
        () => 'no workers are started',
      );
      server.signal('SIGTERM');
      expect(await server.program.waitForExit(20_000)).toEqual({ code: 0, signal: null });
      expect(pids.filter(isAlive)).toEqual([]);
      expect(readdirSync(temporary).filter((name) => name.startsWith('srs-run-'))).toEqual([]);
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
  });
});

it.each(['SIGINT', 'SIGUSR2'] as const)('%s stops the server with status 0', async (signal) => {
  await using server = await ServerProcess.start({ workers: 'mode single;' });
  const player = await LivePlayer.start(server, 'live/one');
  server.signal(signal);
  expect(await server.program.waitForExit(10_000)).toEqual({ code: 0, signal: null });
  await player.waitForClose();
  expect(player.statusCodes).toContain('NetStream.Play.Stop');
});

it('SIGINT from a terminal reaches all processes at once and stops them as well', async () => {
  await using server = await ServerProcess.start();
  const pids = server.pids();
  process.kill(-server.program.pid, 'SIGINT');
  expect(await server.program.waitForExit(10_000)).toEqual({ code: 0, signal: null });
  expect(pids.filter(isAlive)).toEqual([]);
});

it('SIGUSR1: all processes write to a new log file after the old one was renamed', async () => {
  await using server = await ServerProcess.start({
    config: ({ rtmpPort, privatePort, directory }) => `
      listen ${rtmpPort};
      daemon off;
      pid ${directory}/objs/srs.pid;
      srs_log_file ${directory}/objs/srs.log;
      max_connections 1000;
      private_api { listen 127.0.0.1:${privatePort}; }
      workers { mode multi; stream 2; }
      vhost __defaultVhost__ { }`,
  });
  const file = join(server.place.directory, 'objs/srs.log');
  const linesOf = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : []);
  const pidsIn = (lines: readonly string[]) =>
    new Set(lines.map((line) => Number(/^\[[^\]]*\]\[\w+\]\[(\d+)\]/.exec(line)?.[1])));
  expect(linesOf(file).some((line) => line.includes('server started'))).toBe(true);
  const writersOf = (path: string): number[] =>
    server.pids().filter((pid) => openDescriptors(pid).some(({ target }) => target === path));
  const writers = writersOf(file);
  expect(writers).toHaveLength(4);
  renameSync(file, `${file}.1`);
  server.signal('SIGUSR1');
  await eventually(
    () => isDeepStrictEqual(writersOf(file), writers) && writersOf(`${file}.1`).length === 0,
    LIMIT_MS,
    () => `of ${writers.join(', ')} only ${writersOf(file).join(', ')} write to the new log file`,
  );
  const streamPids = (await server.workers()).filter((worker) => worker.role === 'stream').map((worker) => worker.pid);
  const oldLines = linesOf(`${file}.1`).length;
  const players = await Promise.all(streamPids.map((pid) => LivePlayer.start(server, 'live/one', { onWorker: pid })));
  for (const player of players) player.leave();
  await eventually(
    () => streamPids.every((pid) => pidsIn(linesOf(file)).has(pid)),
    LIMIT_MS,
    () => `in the new log file are only lines of ${[...pidsIn(linesOf(file))].join(', ')}`,
  );
  expect(linesOf(`${file}.1`)).toHaveLength(oldLines);
  await server.stop();
});
