import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { ServerProcess } from '../support/server-process.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';
import { heapUsedOf, workersOf } from './server-view-test-support.ts';

/** Compiled code, grown tables and the first page of everything come with these. */
const FIRST_PLAYERS = 150;
const ADDED_PLAYERS = 500;
/** Of the live heap, for each player added. */
const HEAP_BUDGET_BYTES = 7_000;
/** A process writes a heap snapshot upon it, and collects all its garbage for that. Nothing else uses it. */
const SNAPSHOT_SIGNAL = 'SIGWINCH';

it(`each of ${ADDED_PLAYERS} players added to a stream costs its worker little memory`, async () => {
  const snapshots = mkdtempSync(join(tmpdir(), 'srs-test-heaps-'));
  const options = `--heapsnapshot-signal=${SNAPSHOT_SIGNAL} --diagnostic-dir=${snapshots}`;
  try {
    await using server = await ServerProcess.start({ workers: 'mode multi; stream 1;', env: { NODE_OPTIONS: options } });
    const [worker] = await workersOf(server, 'stream');
    const { pid } = worker!;
    const publisher = await LivePublisher.start(server, 'live/one');
    const players: LivePlayer[] = [];
    const add = async (count: number): Promise<void> => {
      players.push(...(await LivePlayer.crowd(server, 'live/one', count)));
      await Promise.all(players.map((player) => player.waitFor('media', () => player.checker.frames > 0)));
    };
    let snapshotCount = 0;
    const measure = async (): Promise<number> => {
      const written = () => readdirSync(snapshots).filter((name) => name.includes(`.${pid}.`));
      snapshotCount += 1;
      process.kill(pid, SNAPSHOT_SIGNAL);
      await eventually(
        () => written().length === snapshotCount,
        20_000,
        () => 'the worker writes no heap snapshot',
      );
      // It answers again when the snapshot is complete.
      const answer = () => heapUsedOf(server, worker!).catch(() => undefined);
      await eventually(answer, 20_000, () => 'the worker does not answer');
      return liveBytes(join(snapshots, written().sort().at(-1)!));
    };
    await add(FIRST_PLAYERS);
    const before = await measure();
    await add(ADDED_PLAYERS);
    const after = await measure();

    const perPlayer = Math.round((after - before) / ADDED_PLAYERS);
    expect(perPlayer, 'bytes of live heap per player').toBeLessThan(HEAP_BUDGET_BYTES);
    // A third of the budget is certain: less would say that the players are not there.
    expect(perPlayer, 'bytes of live heap per player').toBeGreaterThan(HEAP_BUDGET_BYTES / 3);
    for (const client of [...players, publisher]) client.leave();
  } finally {
    rmSync(snapshots, { recursive: true, force: true });
  }
});

/** The parts of a heap snapshot that are needed here: nodes are rows of numbers, one after the other. */
interface HeapSnapshot {
  readonly snapshot: {
    readonly meta: { readonly node_fields: readonly string[]; readonly node_types: readonly [readonly string[], ...unknown[]] };
  };
  readonly nodes: readonly number[];
}

/** What is alive, compiled code apart: that comes and goes as the engine sees fit. */
function liveBytes(file: string): number {
  const { snapshot, nodes } = JSON.parse(readFileSync(file, 'utf8')) as HeapSnapshot;
  const { node_fields: fields, node_types: types } = snapshot.meta;
  const typeAt = fields.indexOf('type');
  const sizeAt = fields.indexOf('self_size');
  const code = types[0].indexOf('code');
  let sum = 0;
  for (let row = 0; row < nodes.length; row += fields.length) {
    if (nodes[row + typeAt] !== code) sum += nodes[row + sizeAt]!;
  }
  return sum;
}
