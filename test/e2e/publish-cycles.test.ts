import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { ServerProcess } from '../support/server-process.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';
import { type Holdings, heapUsedOf, holdingsOf, ringsOf } from './server-view-test-support.ts';

const PLAYERS = 20;
const WARM_UP_CYCLES = 60;
const CYCLES = 200;
/** A second of media each. */
const PICTURES = 25;
/** Of what is alive in a process's heap: a connection, a ring reader or a player that stays behind in each cycle is more. */
const HEAP_GROWTH_LIMIT_BYTES = 1024 * 1024;
/** Of the process: what the garbage collector keeps in reserve comes and goes. */
const PSS_GROWTH_LIMIT_BYTES = 24 * 1024 * 1024;
/** A process writes a heap snapshot upon it, and collects all its garbage for that. Nothing else uses it. */
const SNAPSHOT_SIGNAL = 'SIGWINCH';

it('200 publishes of one stream under 20 players leave memory, descriptors and mappings where they were', async () => {
  const snapshots = mkdtempSync(join(tmpdir(), 'srs-test-heaps-'));
  const options = `--heapsnapshot-signal=${SNAPSHOT_SIGNAL} --diagnostic-dir=${snapshots} --max-semi-space-size=1`;
  await using server = await ServerProcess.start({ env: { NODE_OPTIONS: options } });
  const players = await LivePlayer.crowd(server, 'live/one', PLAYERS);
  let session = 0;
  const cycle = async () => {
    session += 1;
    const publisher = await LivePublisher.open(server, 'live/one', { session });
    publisher.sendHeaders();
    publisher.sendPictures(PICTURES);
    const wanted = publisher.source.sequence;
    const isDone = (player: LivePlayer) => player.checker.sessions.at(-1) === session && player.checker.nextSequence === wanted;
    await Promise.all(players.map((player) => player.waitFor(`all of session ${session}`, () => isDone(player))));
    publisher.leave();
    await publisher.waitForClose();
  };
  /** The live heap of each worker in bytes: what is left when its garbage has been collected. */
  const liveHeaps = async (): Promise<number[]> => {
    const workers = await server.workers();
    return await Promise.all(
      workers.map(async (worker) => {
        const ofWorker = () => readdirSync(snapshots).filter((name) => name.includes(`.${worker.pid}.`)).length;
        const before = ofWorker();
        process.kill(worker.pid, SNAPSHOT_SIGNAL);
        const isWritten = () => ofWorker() > before;
        await eventually(isWritten, 10_000, () => `process ${worker.pid} writes no heap snapshot`);
        // It answers again when the snapshot is complete.
        const answer = () => heapUsedOf(server, worker).catch(() => undefined);
        return await eventually(answer, 20_000, () => `process ${worker.pid} does not answer`);
      }),
    );
  };
  const measure = async (): Promise<{ readonly heaps: number[]; readonly holdings: Holdings[] }> => {
    await eventually(
      async () => (await ringsOf(server)).usedBytes === 0,
      5_000,
      () => 'shared memory stays in use',
    );
    return { heaps: await liveHeaps(), holdings: holdingsOf(server) };
  };
  try {
    for (let index = 0; index < WARM_UP_CYCLES; index++) await cycle();
    await measure();
    const before = await measure();
    for (let index = 0; index < CYCLES; index++) await cycle();
    const after = await measure();

    const counts = ({ holdings }: typeof before) =>
      holdings.map(({ pid, descriptors, mappings }) => ({ pid, descriptors, mappings }));
    expect(counts(after)).toEqual(counts(before));
    const heapGrowth = after.heaps.map((bytes, index) => bytes - before.heaps[index]!);
    expect(Math.max(...heapGrowth), `growth of the workers' heaps: ${heapGrowth.join(', ')}`).toBeLessThan(
      HEAP_GROWTH_LIMIT_BYTES,
    );
    const pssGrowth = after.holdings.map(({ pssBytes }, index) => pssBytes - before.holdings[index]!.pssBytes);
    expect(Math.max(...pssGrowth), `growth of the processes: ${pssGrowth.join(', ')}`).toBeLessThan(PSS_GROWTH_LIMIT_BYTES);
    for (const player of players) {
      expect(player.checker.complaint).toBe('');
      expect(player.checker.sessions).toHaveLength(WARM_UP_CYCLES + CYCLES);
    }
  } finally {
    rmSync(snapshots, { recursive: true, force: true });
  }
});
