/** Clients that come in masses, leave without a word or never read, against the running server. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { AmfObject } from '@srs/amf';
import { encodeCommand, encodeMessage, MEDIA_STREAM_ID, messageTypes } from '@srs/rtmp';
import { expect, it } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { openDescriptors, processMemory } from '../support/proc.ts';
import { RawRtmp } from '../support/raw-rtmp.ts';
import { type ServerPlace, ServerProcess } from '../support/server-process.ts';
import { BesiegedServer } from './bad-input-test-support.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';

const MIB = 1024 * 1024;

/** Only warnings in the log: what floods would write there is not what is tested. */
const quiet = (place: ServerPlace, maxConnections: number): string => `
listen ${place.rtmpPort};
daemon off;
pid ${place.directory}/objs/srs.pid;
max_connections ${maxConnections};
srs_log_tank console;
srs_log_level warn;
private_api { listen ${place.host}:${place.privatePort}; }
workers { mode multi; stream 1; }
vhost __defaultVhost__ { }
`;

/** All that a player says to be served, in one piece: it need not read an answer for that. */
function wholePlay(place: ServerPlace, streamName: string): Buffer {
  const command = (name: string, id: number, object: AmfObject | null, ...args: string[]) =>
    encodeMessage(3, messageTypes.amf0Command, 0, MEDIA_STREAM_ID, encodeCommand(name, id, object, ...args), 128);
  return Buffer.concat([
    Buffer.of(3),
    Buffer.alloc(2 * 1536),
    command('connect', 1, AmfObject.object({ tcUrl: `rtmp://${place.host}/live` })),
    command('createStream', 2, null),
    command('play', 3, null, streamName),
  ]);
}

interface Tally {
  readonly streams: number;
  readonly clients: number;
  readonly memoryBytes: number;
  readonly descriptors: number;
}

/** Bytes that processes have for themselves. */
const memoryOf = (pids: readonly number[]): number =>
  pids.map(processMemory).reduce((sum, { rssBytes, sharedBytes }) => sum + rssBytes - sharedBytes, 0);

/** Streams and clients that the server knows, and what its workers hold of the machine. */
async function tally(server: ServerProcess): Promise<Tally> {
  let sum: Tally = { streams: 0, clients: 0, memoryBytes: 0, descriptors: 0 };
  for (const { pid, port } of await server.workers()) {
    const answer = (await server.privateApi('/api/v1/summary', { port })) as { data: { streams: number; clients: number } };
    sum = {
      streams: sum.streams + answer.data.streams,
      clients: sum.clients + answer.data.clients,
      memoryBytes: sum.memoryBytes + memoryOf([pid]),
      descriptors: sum.descriptors + openDescriptors(pid).length,
    };
  }
  return sum;
}

it('100,000 stream names played and never published: nothing of them stays', async () => {
  await using server = await ServerProcess.start({ config: (place) => quiet(place, 1000) });
  const CLIENTS = 10;
  const NAMES_PER_CLIENT = 250;
  let names = 0;

  /** One client plays one name after the other, and goes away in the middle of the last. */
  async function playSome(): Promise<void> {
    using client = await RawRtmp.connect(server.place.rtmpPort);
    await client.connectApp('live');
    client.socket.cork();
    for (let index = 0; index < NAMES_PER_CLIENT; index++) {
      client.sendCommand('play', null, [`never-published-${names++}`], { messageStreamId: MEDIA_STREAM_ID });
    }
    const answer = client.waitForAnswer(client.sendCommand('createStream'), 30_000);
    client.socket.uncork();
    await answer;
  }

  async function playNames(count: number): Promise<void> {
    for (let played = 0; played < count; played += CLIENTS * NAMES_PER_CLIENT) {
      await Promise.all(Array.from({ length: CLIENTS }, playSome));
    }
    await eventually(
      async () => (await tally(server)).clients === 0,
      10_000,
      () => 'clients that have left are still listed',
    );
  }

  const start = await tally(server);
  // What a process allocates for its first load is not given back: the second load must find it enough.
  await playNames(100_000);
  const first = await tally(server);
  expect([first.streams, first.descriptors]).toEqual([start.streams, start.descriptors]);
  await playNames(100_000);
  const second = await tally(server);
  expect([second.streams, second.descriptors]).toEqual([start.streams, start.descriptors]);
  // What the load has left behind is given back when the process is calm, within two windows of ten seconds. Nobody may ask it
  // meanwhile: that is work, too.
  const pids = (await server.workers()).map(({ pid }) => pid);
  await eventually(
    () => memoryOf(pids) < first.memoryBytes * 1.05,
    60_000,
    () => `${second.memoryBytes} bytes after the second load, ${first.memoryBytes} after the first`,
  );
});

it('more clients than max_connections: the rest is refused at once, those inside go on, and freed places can be used', async () => {
  const LIMIT = 100;
  const ATTACKERS = 500;
  const siege = await BesiegedServer.start({ config: (place) => quiet(place, LIMIT) });
  await using _siege = siege;
  const { server } = siege;
  const before = siege.holdings();
  const sockets = Array.from({ length: ATTACKERS }, () => {
    const socket = connect(server.place.rtmpPort, server.place.host);
    socket.on('error', () => {});
    return socket;
  });
  let closed = 0;
  for (const socket of sockets) socket.once('close', () => closed++);
  // The publisher and the two players of the peaceful stream are inside already.
  const refused = ATTACKERS - (LIMIT - 3);
  await eventually(
    () => closed >= refused,
    15_000,
    () => `${closed} of ${refused} were refused`,
  );
  expect(closed).toBe(refused);
  const lines = () => server.log().filter((line) => line.includes(`refused: max_connections ${LIMIT} are in use`)).length;
  // The log may come later than the close that it tells of.
  await eventually(
    () => lines() >= refused,
    5_000,
    () => `${lines()} of ${refused} refusals are in the log`,
  );
  expect(lines()).toBe(refused);
  for (const socket of sockets) socket.destroy();
  await eventually(
    () => siege.holdings().descriptors === before.descriptors,
    10_000,
    () => `${siege.holdings().descriptors} descriptors are open, ${before.descriptors} were before`,
  );
  const player = await LivePlayer.start(server, 'live/peace');
  await player.waitForFrames(10);
  player.close();
  await siege.expectPeace();
});

it('5000 clients that connect and go with a reset, at every stage: nothing of them stays', async () => {
  await using siege = await BesiegedServer.start({ config: (place) => quiet(place, 1000) });
  const { server } = siege;
  const play = wholePlay(server.place, 'peace');

  async function comeAndGo(count: number): Promise<void> {
    for (let done = 0; done < count; done += 100) {
      await Promise.all(
        Array.from({ length: 100 }, async (_, index) => {
          const socket = connect(server.place.rtmpPort, server.place.host);
          socket.on('error', () => {});
          await once(socket, 'connect');
          const length = Math.floor((play.length * index) / 99);
          await new Promise<void>((resolve) => void socket.write(play.subarray(0, length), () => resolve()));
          socket.resetAndDestroy();
        }),
      );
    }
    await eventually(
      async () => (await tally(server)).clients === 3,
      15_000,
      () => 'clients that have left are still listed',
    );
  }

  await comeAndGo(5000);
  const first = siege.holdings();
  await comeAndGo(5000);
  const second = siege.holdings();
  expect(second.descriptors).toBe(first.descriptors);
  expect((second.memoryBytes - first.memoryBytes) / 5000).toBeLessThan(8 * 1024);
  await siege.expectPeace();
});

/** Reads one byte a second from the kernel, and so holds what the server sends there and before. */
function dripReader(place: ServerPlace, streamName: string): Socket {
  const options = {
    port: place.rtmpPort,
    host: place.host,
    onread: {
      buffer: Buffer.alloc(1),
      callback: () => {
        setTimeout(() => socket.resume(), 1000);
        socket.pause();
        return false;
      },
    },
  };
  const socket = connect(options);
  socket.on('error', () => {});
  socket.write(wholePlay(place, streamName));
  return socket;
}

it('readers at one byte a second: what waits for them stays in the ring, and others miss nothing', async () => {
  const READERS = 50;
  await using siege = await BesiegedServer.start();
  const { server } = siege;
  const publisher = await LivePublisher.start(server, 'live/heavy', { keyFrameBytes: 40_000 });
  const player = await LivePlayer.start(server, 'live/heavy');
  const before = siege.holdings();
  const readers = Array.from({ length: READERS }, () => dripReader(server.place, 'heavy'));
  await eventually(
    async () => (await tally(server)).clients === READERS + 5,
    15_000,
    () => 'not all readers are served',
  );
  // Each of them would have to hold 40 MB: far more than the kernel takes.
  for (let second = 0; second < 80; second++) {
    publisher.sendPictures(25);
    const wanted = publisher.source.sequence;
    await player.waitFor(`frame ${wanted - 1}`, () => player.checker.nextSequence >= wanted);
  }
  const { memoryBytes } = siege.holdings();
  expect((memoryBytes - before.memoryBytes) / READERS).toBeLessThan(1 * MIB);
  expect(player.checker.complaint).toBe('');
  expect(readers.every((socket) => !socket.destroyed)).toBe(true);
  await siege.expectPeace();
  for (const socket of readers) socket.destroy();
  for (const client of [publisher, player]) client.close();
  await eventually(
    async () => (await tally(server)).clients === 3,
    15_000,
    () => 'readers that have left are still listed',
  );
});

it('a reader that has ended its own direction and never reads is let go', async () => {
  await using siege = await BesiegedServer.start();
  const { server } = siege;
  const publisher = await LivePublisher.start(server, 'live/heavy', { keyFrameBytes: 40_000 });
  const player = await LivePlayer.start(server, 'live/heavy');
  using attacker = await siege.connectToApp();
  await attacker.rtmp.play('heavy');
  attacker.rtmp.socket.pause();
  // Until the kernel takes no more for it, and the server has to wait.
  for (let second = 0; second < 40; second++) {
    publisher.sendPictures(25);
    const wanted = publisher.source.sequence;
    await player.waitFor(`frame ${wanted - 1}`, () => player.checker.nextSequence >= wanted);
  }
  attacker.rtmp.socket.end();
  await server.waitForLog(new RegExp(`\\[${attacker.cid}\\] client finished\\.`), { limitMs: 10_000 });
  expect(attacker.loudLines).toEqual([expect.stringMatching(/client closed the connection/)]);
  for (const client of [publisher, player]) client.close();
});
