/** The load tester when something ends its test: it says what, and ends with a status of its own. */
import { expect, it } from 'vitest';
import { ChildProgram } from '../support/child-program.ts';
import { within } from '../support/deadline.ts';
import { claimPorts } from '../support/ports.ts';
import { ServerProcess } from '../support/server-process.ts';
import { argumentsOf, bench, command, documentsIn, httpServer, statusOfFine } from './srs-bench-test-support.ts';

it('a stream that is refused over HTTP is a failure with the status', async () => {
  await using server = await ServerProcess.start({ workers: 'mode single;', top: httpServer });
  const { host, httpServerPort } = server.place;
  const { code, summary } = await bench('play', `http://${host}:${httpServerPort}/live/bench.flv`, '--players 3 --duration 1');
  expect(code).toBe(1);
  expect(summary.players).toMatchObject({ failed: 3, failures: { 'the server answered 404 Not Found': 3 } });
});

it('a server that dies in the middle is a loss of all players, told by its reason', async () => {
  await using server = await ServerProcess.start({ workers: 'mode multi; stream 1;' });
  const program = await ChildProgram.start(
    command,
    argumentsOf('play', server.url('live/bench'), '--publish --players 20 --duration 60 --warmup 0'),
  );
  await program.waitForLine('"phase":"measuring"', { limitMs: 20_000 });
  server.signal('SIGTERM');
  const exit = await within(program.closed, 30_000, () => `it went on\n${program.tail()}`);
  const { summary } = documentsIn(program.lines());
  expect(exit.code).toBe(1);
  expect(summary.players).toMatchObject({ wanted: 20, connected: 20, failed: 0, lost: 20 });
  const counted = Object.values(summary.players.failures).reduce((total, count) => total + count, 0);
  expect(counted).toBe(20);
  expect(summary.seconds).toBeLessThan(30);
});

it('SIGINT ends a test early, with its report', async () => {
  await using server = await ServerProcess.start({ workers: 'mode single;' });
  const program = await ChildProgram.start(
    command,
    argumentsOf('play', server.url('live/bench'), '--publish --players 5 --duration 600 --warmup 0'),
  );
  await program.waitForLine('"phase":"measuring"', { limitMs: 20_000 });
  program.signal('SIGINT');
  const exit = await within(program.closed, 20_000, () => `it went on\n${program.tail()}`);
  const { summary } = documentsIn(program.lines());
  expect(exit.code).toBe(statusOfFine(summary));
  expect(summary.players).toMatchObject({ connected: 5, lost: 0 });
  expect(program.pids()).toEqual([]);
});

it('an address where nobody listens is a failure with its reason', async () => {
  const ports = await claimPorts();
  const where = `127.0.0.1:${ports.first}`;
  const { code, summary } = await bench('play', `rtmp://${where}/live/bench`, '--players 3 --duration 30');
  ports.release();
  expect(code).toBe(1);
  const failures = { [`connect ECONNREFUSED ${where}`]: 3 };
  expect(summary.players).toMatchObject({ wanted: 3, connected: 0, failed: 3, failures });
});

it.each([
  [
    'a server on another machine is not loaded by accident',
    ['play', 'rtmp://192.0.2.1/live/bench'],
    'rtmp://192.0.2.1/live/bench is not on this machine: load only servers that are yours, then say --allow-remote',
  ],
  [
    'no address',
    ['play', 'ftp://127.0.0.1/live/bench'],
    'address "ftp://127.0.0.1/live/bench" must be rtmp://host[:port]/app/stream, or the same with rtmps',
  ],
  ['a clip that is none', ['publish', '--file', '/nowhere/clip.flv'], 'clip /nowhere/clip.flv cannot be opened'],
])('%s', async (_name, args, message) => {
  const { code, stdout, stderr } = await ChildProgram.run(command, args);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr.split('\n')[0]).toContain(`srs-bench: ${message}`);
});
