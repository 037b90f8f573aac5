import { expect, it } from 'vitest';
import { processMemory } from '../support/proc.ts';
import { ServerProcess } from '../support/server-process.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';
import { clientsOf, workersOf } from './server-view-test-support.ts';

const SLOW_PLAYERS = 5;
/** 1.2 MB for each second of media: more than the kernel's buffers hold after a few. */
const KEY_FRAME_BYTES = 100_000;
const SECONDS = 80;
/** To keep what the slow players miss would take 480 MB. Most of the limit is for garbage that has not been collected yet. */
const MEMORY_LIMIT_BYTES = 24 * 1024 * 1024;

it('players that do not read are cut to a key frame with headers, cost little memory, and disturb nobody', async () => {
  await using server = await ServerProcess.start({ vhost: 'queue_length 2;' });
  const [worker, other] = await workersOf(server, 'stream');
  const on = { onWorker: worker!.pid };
  const publisher = await LivePublisher.open(server, 'live/one', { keyFrameBytes: KEY_FRAME_BYTES, onWorker: other!.pid });
  const witness = await LivePlayer.start(server, 'live/one', on);
  const isLevel = (player: LivePlayer) => player.checker.nextSequence === publisher.source.sequence;
  /** The next seconds of the programme, as fast as a player takes them that reads all. */
  const send = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      publisher.sendPictures(25);
      await witness.waitFor('the newest frame', () => isLevel(witness));
    }
  };
  publisher.sendHeaders();
  await send(5);
  const slow = await LivePlayer.crowd(server, 'live/one', SLOW_PLAYERS, on);
  await Promise.all(slow.map((player) => player.waitFor('the newest frame', () => isLevel(player))));

  for (const player of slow) player.socket.pause();
  const before = processMemory(worker!.pid).pssBytes;
  await send(SECONDS);
  const growth = processMemory(worker!.pid).pssBytes - before;
  expect(growth).toBeLessThan(MEMORY_LIMIT_BYTES);
  const rowOf = async (player: LivePlayer) => (await clientsOf(server, worker!)).find((row) => row.id === player.peer.id);
  expect(await rowOf(slow[0]!)).toMatchObject({ isInStep: false });
  expect(await rowOf(witness)).toMatchObject({ isInStep: true, cuts: 0, droppedFrames: 0 });

  for (const player of slow) player.socket.resume();
  await send(3);
  await Promise.all(slow.map((player) => player.waitFor('the newest frame', () => isLevel(player))));
  for (const player of slow) {
    // Nothing but whole gaps: each is followed by all headers and a key frame.
    expect(player.checker.faults).toEqual([]);
    const missed = player.checker.gaps.reduce((sum, { from, to }) => sum + to - from, 0);
    expect(missed).toBeGreaterThan((SECONDS * 75) / 2);
    const row = await rowOf(player);
    expect(row?.cuts).toBe(player.checker.gaps.length);
    expect(row?.droppedFrames).toBe(missed);
  }
  await send(1);
  await Promise.all(slow.map((player) => player.waitFor('the newest frame', () => isLevel(player))));
  expect(await rowOf(slow[0]!)).toMatchObject({ isInStep: true });
  expect(witness.checker.complaint).toBe('');
  for (const client of [publisher, witness, ...slow]) client.close();
});
