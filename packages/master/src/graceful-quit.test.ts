import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { leaveGracefully } from './graceful-quit.ts';

const times = { startWaitMs: 2_000, clientWaitMs: 20_000, finalWaitMs: 3_000 };
let clientCount = 0;
let isAccepting = true;
let told: { text: string; restMs: number }[] = [];
const quick = { controller: new AbortController() };

beforeEach(() => {
  vi.useFakeTimers();
  clientCount = 0;
  isAccepting = true;
  told = [];
  quick.controller = new AbortController();
});

afterEach(() => {
  vi.useRealTimers();
});

function leave(): { isOver(): boolean } {
  let isOver = false;
  const server = {
    clientCount: () => clientCount,
    stopAccepting: () => {
      isAccepting = false;
    },
  };
  void leaveGracefully(server, {
    times,
    signal: quick.controller.signal,
    tell: (text, restMs) => void told.push({ text, restMs }),
  }).then(() => {
    isOver = true;
  });
  return { isOver: () => isOver };
}

it('accepts for the start wait, then lets nobody in, then ends after the final wait', async () => {
  const leaving = leave();
  await vi.advanceTimersByTimeAsync(1_999);
  expect(isAccepting).toBe(true);
  await vi.advanceTimersByTimeAsync(1);
  expect(isAccepting).toBe(false);
  await vi.advanceTimersByTimeAsync(2_999);
  expect(leaving.isOver()).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(leaving.isOver()).toBe(true);
  expect(told).toEqual([
    { text: 'accepting for 2000 ms more', restMs: 25_000 },
    { text: 'nobody is let in any more, 0 clients may stay for 20000 ms', restMs: 23_000 },
    { text: 'all clients have left, ending in 3000 ms', restMs: 3_000 },
  ]);
});

it('waits for the last client and no longer', async () => {
  clientCount = 2;
  const leaving = leave();
  await vi.advanceTimersByTimeAsync(10_000);
  clientCount = 1;
  await vi.advanceTimersByTimeAsync(5_000);
  expect(told.map(({ text }) => text)).not.toContain('all clients have left, ending in 3000 ms');
  clientCount = 0;
  await vi.advanceTimersByTimeAsync(100);
  expect(told.at(-1)?.text).toBe('all clients have left, ending in 3000 ms');
  await vi.advanceTimersByTimeAsync(3_000);
  expect(leaving.isOver()).toBe(true);
});

it('ends when the time of the clients is up, and says how many are dismissed', async () => {
  clientCount = 1;
  const leaving = leave();
  await vi.advanceTimersByTimeAsync(21_900);
  expect(leaving.isOver()).toBe(false);
  await vi.advanceTimersByTimeAsync(200);
  expect(leaving.isOver()).toBe(true);
  expect(told.at(-1)).toEqual({ text: '1 client did not leave, dismissed', restMs: 3_000 });
});

it.each([
  [500, true],
  [5_000, false],
])('a second signal after %d ms ends the wait at once', async (afterMs, wasAccepting) => {
  clientCount = 1;
  const leaving = leave();
  await vi.advanceTimersByTimeAsync(afterMs);
  quick.controller.abort();
  await vi.advanceTimersByTimeAsync(0);
  expect(leaving.isOver()).toBe(true);
  expect(isAccepting).toBe(wasAccepting);
  expect(vi.getTimerCount()).toBe(0);
});
