import { expect, it } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { ServerProcess } from '../support/server-process.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';
import { allClients, clientsOf, workersOf } from './server-view-test-support.ts';

const STREAMS = 4;
const PLAYERS_PER_STREAM = 50;
const LENGTH_MS = Number(process.env.CROWD_SECONDS ?? '20') * 1000;

it('4 streams for 50 players each over 3 stream workers: no player misses a frame', async () => {
  await using server = await ServerProcess.start({ workers: 'mode multi; stream 3;' });
  const paths = Array.from({ length: STREAMS }, (_, index) => `live/crowd-${index}`);
  const publishers = await Promise.all(paths.map((path) => LivePublisher.start(server, path)));
  const crowds = await Promise.all(paths.map((path) => LivePlayer.crowd(server, path, PLAYERS_PER_STREAM)));
  const players = crowds.flat();

  const workers = await workersOf(server, 'stream');
  const counts = await Promise.all(workers.map(async (worker) => (await clientsOf(server, worker)).length));
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(STREAMS * (PLAYERS_PER_STREAM + 1));
  expect(Math.min(...counts)).toBeGreaterThan(0);

  await Promise.all(
    players.map((player) =>
      player.waitFor('media of the whole run', () => player.checker.playedMs >= LENGTH_MS, LENGTH_MS + 30_000),
    ),
  );
  for (const publisher of publishers) publisher.pause();
  // Up to the last frame that was published.
  await Promise.all(
    crowds.flatMap((crowd, index) => {
      const wanted = publishers[index]!.source.sequence;
      return crowd.map((player) => player.waitFor(`frame ${wanted - 1}`, () => player.checker.nextSequence === wanted));
    }),
  );
  expect(players.map((player) => player.checker.complaint).filter((complaint) => complaint !== '')).toEqual([]);
  for (const player of players) {
    expect(player.checker.nextSequence - player.checker.firstSequence).toBe(player.checker.frames);
    expect(player.isOpen).toBe(true);
  }

  for (const client of [...players, ...publishers]) client.leave();
  await eventually(
    async () => (await allClients(server)).length === 0,
    10_000,
    () => 'clients that have left are still listed',
  );
});
