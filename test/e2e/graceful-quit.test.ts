import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { isAlive } from '../support/proc.ts';
import { ServerProcess } from '../support/server-process.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';

const times = (startMs: number, clientMs: number, finalMs: number) =>
  `grace_start_wait ${startMs}; grace_client_wait ${clientMs}; grace_final_wait ${finalMs};`;

function accepts(server: ServerProcess): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(server.place.rtmpPort, server.place.host, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

describe.each(['multi', 'single'])('SIGQUIT in %s mode', (mode) => {
  const workers = mode === 'multi' ? 'mode multi; stream 2;' : 'mode single;';

  it('lets nobody in any more, keeps who is there until they leave, and ends', async () => {
    await using server = await ServerProcess.start({ workers, top: times(0, 60_000, 0) });
    const publisher = await LivePublisher.start(server, 'live/one');
    const players = await LivePlayer.crowd(server, 'live/one', 4);
    await Promise.all(players.map((player) => player.waitForFrames(10)));
    const pids = server.pids();

    server.signal('SIGQUIT');
    await server.waitForLog(/SIGQUIT: nobody is let in any more, 5 clients may stay for 60000 ms$/);
    await eventually(
      async () => !(await accepts(server)),
      5_000,
      () => 'the server lets clients in',
    );
    await Promise.all(players.map((player) => player.waitForFrames(20)));
    for (const player of players) expect(player.checker.complaint).toBe('');
    expect(server.program.isRunning).toBe(true);

    for (const player of players) player.leave();
    publisher.close();
    await server.waitForLog(/SIGQUIT: all clients have left/);
    expect(await server.program.waitForExit(10_000)).toEqual({ code: 0, signal: null });
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it('dismisses who stays longer than grace_client_wait', async () => {
    await using server = await ServerProcess.start({ workers, top: times(0, 500, 60_000) });
    const player = await LivePlayer.start(server, 'live/one');
    server.signal('SIGQUIT');
    await server.waitForLog(/SIGQUIT: 1 client did not leave, dismissed$/);
    expect(await server.program.waitForExit(10_000)).toEqual({ code: 0, signal: null });
    await player.waitForClose();
    expect(player.statusCodes).toContain('NetStream.Play.Stop');
  });
});

it('goes on accepting for grace_start_wait', async () => {
  await using server = await ServerProcess.start({ workers: 'mode single;', top: times(60_000, 1_000, 0) });
  server.signal('SIGQUIT');
  await server.waitForLog(/SIGQUIT: accepting for 60000 ms more$/);
  expect(await accepts(server)).toBe(true);
});

it('a SIGTERM ends the wait at once', async () => {
  await using server = await ServerProcess.start({ top: times(0, 60_000, 60_000) });
  const player = await LivePlayer.start(server, 'live/one');
  server.signal('SIGQUIT');
  await server.waitForLog(/nobody is let in any more/);
  server.signal('SIGTERM');
  expect(await server.program.waitForExit(10_000)).toEqual({ code: 0, signal: null });
  await player.waitForClose();
});

it('a worker that dies meanwhile is not replaced', async () => {
  await using server = await ServerProcess.start({ top: times(0, 60_000, 0) });
  const [worker] = (await server.workers()).filter(({ role }) => role === 'stream');
  const player = await LivePlayer.start(server, 'live/one', { onWorker: worker!.pid });
  server.signal('SIGQUIT');
  await server.waitForLog(/nobody is let in any more/);
  process.kill(worker!.pid, 'SIGKILL');
  await server.waitForLog(/died .* while the server leaves/);
  await player.waitForClose();
  expect(await server.program.waitForExit(10_000)).toEqual({ code: 0, signal: null });
});

it('force_grace_quit takes SIGTERM for SIGQUIT, and a second SIGTERM ends the wait', async () => {
  await using server = await ServerProcess.start({
    workers: 'mode single;',
    top: `${times(0, 60_000, 60_000)} force_grace_quit on;`,
  });
  server.signal('SIGTERM');
  await server.waitForLog(/SIGTERM: all clients have left, ending in 60000 ms$/);
  server.signal('SIGTERM');
  expect(await server.program.waitForExit(10_000)).toEqual({ code: 0, signal: null });
});
