/** One stream to a hundred destinations, some of which are dead and some slow. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { certificate, Files } from '../support/certificates.ts';
import { ChildProgram } from '../support/child-program.ts';
import { eventually } from '../support/deadline.ts';
import { LoopbackServer } from '../support/loopback-server.ts';
import { processMemory } from '../support/proc.ts';
import { ServerProcess } from '../support/server-process.ts';
import { ForwardReceivers } from './forward-receivers-test-support.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';
import { directoryRowOf, workersOf } from './server-view-test-support.ts';

const STREAM = 'live/one';
const GOOD = 90;
/** 0.5 MB a second: the kernel's buffers of a slow connection are full after some seconds. */
const KEY_FRAME_BYTES = 42_000;
/** Pictures and sounds from one key frame to the next. */
const GOP_FRAMES = 75;
const LIMIT_MS = 60_000;
/** A slow destination may hold one turn of 1 MiB; the rest is garbage that has not been collected yet. */
const MEMORY_LIMIT_BYTES = 32 * 1024 * 1024;

interface Push {
  readonly destination: string;
  readonly state: string;
  readonly connects: number;
  readonly sentFrames: number;
  readonly droppedFrames: number;
  readonly lastError: string;
}

/** Listens, and is stopped: connections that its queue does not take are never answered. */
async function startDeaf(): Promise<AsyncDisposable & { readonly port: number }> {
  const program = await ChildProgram.start(process.execPath, [
    '-e',
    "const s = require('node:net').createServer(); s.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log('port', s.address().port));",
  ]);
  const line = await program.waitForLine(/port \d+/);
  const port = Number(/port (\d+)/.exec(line)?.[1]);
  process.kill(program.pid, 'SIGSTOP');
  // As many as the queue takes, so that the next one is not answered.
  const fillers = Array.from({ length: 4 }, () => connect(port, '127.0.0.1').on('error', () => {}));
  await Promise.race(fillers.map((filler) => once(filler, 'connect')));
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      for (const filler of fillers) filler.destroy();
      await program.stop('SIGKILL');
    },
  };
}

it('of 100 destinations 5 are dead and 5 slow, and the others get every packet', async () => {
  using files = new Files();
  files.write('cert.pem', certificate.cert);
  await using receivers = await ForwardReceivers.start(STREAM);
  await using secure = await ForwardReceivers.start(STREAM, certificate);
  await using silent = await LoopbackServer.start({ onSocket: (socket) => void socket.resume() });
  await using deaf = await startDeaf();

  const good = [
    ...Array.from({ length: GOOD - 1 }, (_, index) => receivers.url(`good-${index}`)),
    secure.url('good-secure').replace('127.0.0.1', 'localhost'),
  ];
  const slow = Array.from({ length: 5 }, (_, index) => receivers.url(`slow-10-${index}`));
  const dead = [
    ['127.0.0.1:1', /ECONNREFUSED/],
    ['rtmp://127.0.0.1:2/live/[stream]', /ECONNREFUSED/],
    [silent.url('live/[stream]'), /not answered .*within 10000 ms/],
    [`rtmp://127.0.0.1:${deaf.port}/live/[stream]`, /no connection within 3000 ms/],
    [receivers.url('refuse-1'), /NetStream\.Publish\.BadName, not here/],
  ] as const;
  // Those that give trouble come first.
  const destinations = [...dead.map(([destination]) => destination), ...slow, ...good];
  expect(destinations).toHaveLength(100);
  await using server = await ServerProcess.start({
    env: { NODE_EXTRA_CA_CERTS: files.path('cert.pem') },
    vhost: `queue_length 1; forward ${destinations.join(' ')};`,
  });
  const [backSource] = await workersOf(server, 'back-source');
  const publisher = await LivePublisher.start(server, STREAM, { keyFrameBytes: KEY_FRAME_BYTES });
  const beside = await LivePlayer.start(server, STREAM);
  const checkersOf = (prefix: string) =>
    [...receivers.publishes, ...secure.publishes]
      .filter(({ streamName }) => streamName.startsWith(prefix))
      .map(({ checker }) => checker);
  const goodCheckers = () => checkersOf('good');
  await eventually(
    () => goodCheckers().filter(({ frames }) => frames > GOP_FRAMES).length === GOOD,
    LIMIT_MS,
    () => `${goodCheckers().length} of ${GOOD} get it`,
  );
  const before = processMemory(backSource!.pid).pssBytes;

  const pushes = async (): Promise<ReadonlyMap<string, Push>> => {
    const rows = ((await directoryRowOf(server, STREAM))?.pushes ?? []) as readonly Push[];
    return new Map(rows.map((row) => [row.destination, row]));
  };
  let rows = await pushes();
  await eventually(
    async () => {
      rows = await pushes();
      return (
        dead.every(([name, error]) => error.test(rows.get(name)!.lastError)) &&
        slow.every((url) => rows.get(url)!.droppedFrames > 0)
      );
    },
    LIMIT_MS,
    () =>
      JSON.stringify(
        [...dead.map(([name]) => name), ...slow].map((name) => rows.get(name)),
        undefined,
        1,
      ),
  );
  const growth = processMemory(backSource!.pid).pssBytes - before;
  publisher.pause();
  await eventually(
    () => goodCheckers().every(({ nextSequence }) => nextSequence === publisher.source.sequence),
    LIMIT_MS,
    () =>
      `${publisher.source.sequence} is not reached by ${goodCheckers().filter((each) => each.nextSequence !== publisher.source.sequence).length}`,
  );
  rows = await pushes();

  expect(goodCheckers()).toHaveLength(GOOD);
  for (const checker of goodCheckers()) {
    expect(checker.complaint).toBe('');
    expect(checker.sessions).toEqual([1]);
    expect(checker.firstSequence).toBeLessThanOrEqual(GOP_FRAMES);
  }
  for (const url of good)
    expect(rows.get(url)).toMatchObject({ state: 'publishing', connects: 1, droppedFrames: 0, lastError: '' });
  for (const url of slow) {
    const { state, sentFrames, lastError } = rows.get(url)!;
    // The system opens the window in steps of up to a sixteenth of its buffer: at this pace one that reads may seem to stand still.
    expect(lastError).toMatch(/^$|read ETIMEDOUT$/);
    if (lastError === '') expect(state).toBe('publishing');
    expect(sentFrames).toBeGreaterThan(0);
  }
  for (const [name] of dead) expect(rows.get(name)).toMatchObject({ connects: 0, sentFrames: 0 });
  // What came is whole, and begins again with headers and a key frame where something is missing.
  for (const checker of checkersOf('slow')) expect(checker.faults).toEqual([]);
  expect(growth).toBeLessThan(MEMORY_LIMIT_BYTES);
  expect(beside.checker.complaint).toBe('');
  expect(publisher.isOpen).toBe(true);
  for (const client of [publisher, beside]) client.leave();
});
