/** Starts players that take nothing, in a process of their own. */
import { join } from 'node:path';
import { ChildRun } from './child-run.ts';
import type { Workbench } from './workbench.ts';

/** Starting, and then each player; a machine with much else to do is slow. */
const LIMIT_MS = 60_000;
const LIMIT_PER_PLAYER_MS = 10;
/** Longer than any measurement with players that stay. */
const STAY_LIMIT_MS = 900_000;

/** Players that stay until they are stopped; returns when all are there. */
export async function startStanding(bench: Workbench, mode: 'paused' | 'waiting', url: string, count: number): Promise<ChildRun> {
  const ready = Promise.withResolvers<void>();
  const run = await ChildRun.start({
    ...commandOf(bench, mode, url, count),
    onLine: (line) => {
      if (line === 'ready') ready.resolve();
    },
  });
  if ((await Promise.race([ready.promise, run.ended])) !== undefined) throw run.failure();
  return run;
}

/** Players that come, each for a stream of its own, and leave; returns when all were there. */
export async function passBy(bench: Workbench, url: string, count: number): Promise<void> {
  await ChildRun.run(commandOf(bench, 'passing', url, count));
}

function commandOf(bench: Workbench, mode: string, url: string, count: number) {
  return {
    name: `${mode} players`,
    command: [bench.node, join(bench.root, 'packages/bench/src/entry-standing-players.ts'), mode, url, String(count)],
    cores: bench.testerCores,
    signal: bench.signal,
    limitMs: mode === 'passing' ? LIMIT_MS + count * LIMIT_PER_PLAYER_MS : STAY_LIMIT_MS,
  } as const satisfies Partial<Parameters<typeof ChildRun.start>[0]>;
}
