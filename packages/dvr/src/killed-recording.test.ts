import { expect, it } from 'vitest';
import { ChildProgram } from '../../../test/support/child-program.ts';
import { contentOf, media, readFlv, useBench } from './dvr-test-support.ts';
import { repairMp4 } from './mp4-repair.ts';
import type { RepairedFile } from './repair-recordings.ts';

const bench = useBench();
const HEADERS = 3;
const MAX_MP4_LOSS_MS = 2000;

/** Kills a process in the middle of a recording. @returns how many frames it had said to be in the file */
async function killRecorder(ending: string): Promise<number> {
  const child = await ChildProgram.start(
    process.execPath,
    [new URL('./recording-test-child.ts', import.meta.url).pathname, bench().directory, ending],
    { limitMs: 20_000 },
  );
  await child.waitForLine(/^written [1-9]\d{3}/);
  process.kill(child.pid, 'SIGKILL');
  await child.closed;
  expect(bench().files()).toEqual([`show${ending}.tmp`]);
  return Number(child.lines().at(-1)!.split(' ')[1]);
}

const repairAll = (ending: string): Promise<readonly RepairedFile[]> => bench().repair(bench().path(`[stream]${ending}`));

it('nothing that was written is lost when the server is killed', async () => {
  const written = await killRecorder('.flv');
  const [repaired] = await repairAll('.flv');
  expect(bench().files()).toEqual(['show.flv']);
  const { tags, durationMs, sizeBytes } = readFlv(repaired!.path);
  expect(tags.length).toBeGreaterThanOrEqual(written);
  const recorded = contentOf(tags.slice(HEADERS));
  expect(recorded).toEqual(contentOf(media({ toMs: durationMs + 1000 }).slice(0, recorded.length)));
  expect(repaired).toMatchObject({ durationMs, sizeBytes });
});

it('an MP4 loses no more than its last fragment', async () => {
  const written = await killRecorder('.mp4');
  const lastMs = media({ toMs: 1_000_000 })[written - HEADERS - 1]!.timestampMs;
  const [repaired] = await repairAll('.mp4');
  expect(repairMp4(repaired!.path)?.cutBytes).toBe(0);
  expect(repaired!.durationMs).toBeGreaterThan(lastMs - MAX_MP4_LOSS_MS);
});
