import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { WriteCounters } from './peer.ts';
import { WriteWatch } from './write-watch.ts';

async function watchOf(samples: readonly (WriteCounters | Error)[]): Promise<WriteWatch> {
  const answers = [...samples];
  const watch = new WriteWatch({
    writeCounters: async () => {
      const answer = answers.shift();
      if (answer === undefined || answer instanceof Error) throw answer ?? new Error('no more');
      return answer;
    },
  });
  for (const _ of samples) {
    watch.look();
    await setImmediate();
  }
  return watch;
}

describe('the batch that players get', () => {
  it('is what the counters grew by, per player', async () => {
    // 100 players, 10 writes for each in every second, 500 bytes each time.
    const at = (second: number): WriteCounters => ({
      atMs: second * 1_000,
      writes: second * 1_000,
      bytes: second * 500_000,
      players: 100,
    });
    const watch = await watchOf([at(0), at(1), at(2), at(3)]);
    expect(watch.batch(10)).toEqual({ intervalMs: 100, bytes: 500 });
  });

  it('is of the last seconds only', async () => {
    const watch = await watchOf([
      { atMs: 0, writes: 0, bytes: 0, players: 1 },
      { atMs: 10_000, writes: 9_000, bytes: 9_000, players: 10 },
      { atMs: 11_000, writes: 9_100, bytes: 19_000, players: 10 },
    ]);
    expect(watch.batch(1)).toEqual({ intervalMs: 100, bytes: 100 });
  });

  it('misses a second in which the server did not answer, and goes on', async () => {
    const watch = await watchOf([
      { atMs: 0, writes: 0, bytes: 0, players: 1 },
      new Error('too late'),
      { atMs: 2_000, writes: 20, bytes: 40, players: 1 },
    ]);
    expect(watch.batch(10)).toEqual({ intervalMs: 100, bytes: 2 });
  });

  it.each<[string, (WriteCounters | Error)[]]>([
    ['nothing was asked', []],
    ['it was asked once', [{ atMs: 0, writes: 5, bytes: 5, players: 1 }]],
    ['nothing was written', [0, 1].map((second) => ({ atMs: second * 1_000, writes: 5, bytes: 5, players: 1 }))],
  ])('is not known when %s', async (_name, samples) => {
    expect((await watchOf(samples)).batch(10)).toBeUndefined();
  });

  it('is not known of a server that does not tell', () => {
    const watch = new WriteWatch({});
    watch.look();
    expect(watch.batch(10)).toBeUndefined();
  });
});
