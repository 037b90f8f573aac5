import type { DrainOrder } from '@srs/control';
import { memoryLog } from '@srs/kernel';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ServerDrain, type ServerDrainOptions } from './server-drain.ts';

const to = 'rtmp://b.test';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function drained(clients: number, options: Partial<ServerDrainOptions> = {}) {
  const log = memoryLog();
  const server = {
    clients,
    orders: [] as (DrainOrder | null)[],
    /** Of those who are told to go. */
    dismissed: 0,
    clientCount: async () => server.clients,
    setDrain: async (order: DrainOrder | null) => {
      server.orders.push(order);
      return order?.isOver === true
        ? { redirected: server.clients - server.dismissed, dismissed: server.dismissed }
        : { redirected: 0, dismissed: 0 };
    },
  };
  const onEmpty = vi.fn();
  const drain = new ServerDrain({ server, clients, to, withinMs: 60_000, isStopping: false, log, onEmpty, ...options });
  return { server, drain, log, onEmpty };
}

it('clients leave by themselves, and the server is empty with the last', async () => {
  const { server, drain, log, onEmpty } = drained(3);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(server.orders).toEqual([{ to, isOver: false }]);
  server.clients = 1;
  await vi.advanceTimersByTimeAsync(100);
  expect(drain.summary).toMatchObject({ state: 'waiting', clientsBefore: 3, clients: 1, left: 2, remainingSeconds: 59 });
  expect(onEmpty).not.toHaveBeenCalled();
  server.clients = 0;
  await vi.advanceTimersByTimeAsync(200);
  expect(onEmpty).toHaveBeenCalledOnce();
  expect(drain.summary).toMatchObject({ state: 'empty', elapsedSeconds: 1, left: 3, redirected: 0, dismissed: 0, clients: 0 });
  expect(log.lines.at(-1)?.text).toContain('empty after 1 s: 3 left by themselves, 0 redirected, 0 dismissed');
});

it('those who stay are told to go when the time is over, and counted by how they went', async () => {
  const { server, drain, onEmpty } = drained(6, { withinMs: 10_000 });
  server.clients = 3;
  server.dismissed = 1;
  await vi.advanceTimersByTimeAsync(10_200);
  expect(server.orders).toEqual([
    { to, isOver: false },
    { to, isOver: true },
  ]);
  expect(drain.summary).toMatchObject({
    state: 'leaving',
    left: 3,
    redirected: 2,
    dismissed: 1,
    clients: 3,
    remainingSeconds: 0,
  });
  server.clients = 0;
  await vi.advanceTimersByTimeAsync(200);
  expect(onEmpty).toHaveBeenCalledOnce();
  expect(drain.summary).toMatchObject({ state: 'empty', left: 3, redirected: 2, dismissed: 1 });
});

it('without time they are told at once, and no order goes before that', async () => {
  const { server } = drained(2, { withinMs: 0, to: null });
  await vi.advanceTimersByTimeAsync(0);
  expect(server.orders).toEqual([{ to: null, isOver: true }]);
});

it('a server without clients is empty at once, and takes nobody all the same', async () => {
  const { server, drain } = drained(0, { withinMs: 0 });
  await vi.advanceTimersByTimeAsync(0);
  expect(drain.summary.state).toBe('empty');
  expect(server.orders).toEqual([{ to, isOver: false }]);
});

it('a cancelled one takes clients again and never says that it is empty', async () => {
  const { server, drain, onEmpty } = drained(2);
  await vi.advanceTimersByTimeAsync(500);
  await drain.cancel();
  server.clients = 0;
  await vi.advanceTimersByTimeAsync(120_000);
  expect(server.orders).toEqual([{ to, isOver: false }, null]);
  expect(onEmpty).not.toHaveBeenCalled();
});
