import { expect, it } from 'vitest';
import { keyFrame, metadata, readFlv, type TestFrame, useBench, videoHeader } from './dvr-test-support.ts';

const DAY_MS = 86_400_000;
const GOP_MS = 2000;
const bench = useBench();

/** Pictures as small as they can be. */
function* keyFrames(fromMs: number, toMs: number): Iterable<TestFrame> {
  for (let ms = fromMs; ms < toMs; ms += GOP_MS) yield keyFrame(ms, 5);
}

it('a recording of a day has an index of all of it, also when it was interrupted and gone on with', async () => {
  const options = 'dvr_plan append; dvr_path PATH/show.flv; time_jitter off;';
  const first = bench().publish(options);
  first.send([metadata, videoHeader, ...keyFrames(0, DAY_MS / 2)]);
  await first.end();
  const halfDay = readFlv(bench().path('show.flv'));
  expect(gapsOf(halfDay.keyFrames)).toEqual([4000]);

  const second = bench().publish(options);
  second.send([metadata, videoHeader, ...keyFrames(DAY_MS / 2, DAY_MS)]);
  await second.end();
  expect(bench().files()).toEqual(['show.flv']);
  const day = readFlv(bench().path('show.flv'));
  expect(gapsOf(day.keyFrames)).toEqual([8000]);
  expect([day.keyFrames[0]![0], day.keyFrames.at(-1)![0]]).toEqual([0, DAY_MS - 8000]);
  const tagAt = new Map(day.positions.map((position, at) => [position, day.tags[at]!]));
  expect(day.keyFrames.every(([timeMs, position]) => tagAt.get(position)?.timestampMs === timeMs)).toBe(true);
  expect(day.durationMs).toBe(DAY_MS - GOP_MS);
});

/** Distances between entries, each once. */
function gapsOf(entries: readonly (readonly [timeMs: number, position: number])[]): readonly number[] {
  return [...new Set(entries.slice(1).map(([timeMs], at) => timeMs - entries[at]![0]))];
}
