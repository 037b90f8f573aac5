import { type Config, loadConfig } from '@srs/config';
import { Channel, linkPair } from '@srs/control';
import { memoryLog } from '@srs/kernel';
import { closeFd, listenTcp } from '@srs/native';
import type { MasterProtocol, WorkerConfigure, WorkerStart } from '@srs/worker';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Fleet } from './fleet.ts';
import { ListeningSockets } from './listening-sockets.ts';
import type { Spawner } from './spawner.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** What a worker is told, written down as one word each. */
class TestWorker {
  readonly handle: WorkerHandle;
  readonly told: WorkerConfigure[] = [];
  isDeaf = false;
  problem: string | null = null;
  readonly #ended = Promise.withResolvers<string>();

  constructor(options: Parameters<Spawner['spawn']>[0], pid: number, steps: string[]) {
    const name = `${options.slot.role} ${options.slot.slot}`;
    const [near, far] = linkPair();
    new Channel<MasterProtocol>(far, {
      requests: {
        start: () => {
          steps.push(`${name} starts`);
          return { privatePort: 5000 + pid };
        },
        ping: () => null,
        configure: (request) => {
          if (this.isDeaf) return new Promise(() => {});
          this.told.push(request);
          steps.push(`${name} is told`);
          return { problem: this.problem };
        },
        stop: () => {
          steps.push(`${name} stops`);
          this.#ended.resolve('exit code 0');
          return null;
        },
      },
    });
    this.handle = {
      pid,
      channel: new Channel<MasterProtocol>(near, {}),
      ended: this.#ended.promise,
      kill: () => this.#ended.resolve('signal SIGKILL'),
      passDescriptors: (fds) => fds.length,
    };
  }

  /** The slots whose sockets it has been told to have. */
  get slots(): number[] {
    return Array.from(new Set(this.told.at(-1)?.listeners.map(({ slot }) => slot)));
  }
}

const freePort = (): number => {
  const { fd, port } = listenTcp({ host: '127.0.0.1', port: 0, backlog: 1, reusePort: false });
  closeFd(fd);
  return port;
};

const port = freePort();
const config = (workers: string, more = ''): Config =>
  loadConfig(`listen 127.0.0.1:${port}; workers { ${workers} } ${more}`, { fileName: 'srs.conf' }).config;

const sockets = new ListeningSockets(true);
afterEach(() => {
  vi.useRealTimers();
  sockets.close();
});

async function start(workers: string) {
  const steps: string[] = [];
  const spawned: TestWorker[] = [];
  const connections = new Map<number, number>();
  const bells = new Set<number>();
  const spawner: Spawner = {
    spawn: (options) => {
      const worker = new TestWorker(options, spawned.length, steps);
      spawned.push(worker);
      return { handle: worker.handle, start: {} as WorkerStart };
    },
    addBell: (slot) => void bells.add(slot),
    bells: () => Array.from(bells, (slot) => ({ slot, writeFd: 0 })),
    onGone: () => {},
    connectionCount: (slot) => connections.get(slot ?? -1) ?? 0,
    close: () => {},
  };
  const fleet = new Fleet({ config: config(workers), log: memoryLog(), spawner, sockets });
  await fleet.start();
  steps.length = 0;
  const states = (): string =>
    fleet
      .reports()
      .map(({ slot, state }) => `${slot} ${state}`)
      .join(', ');
  return { fleet, steps, spawned, connections, states };
}

describe('Fleet', () => {
  it('tells those who are there of the bells of new workers before these start', async () => {
    const { fleet, steps, spawned } = await start('stream 1;');
    const report = await fleet.prepare(config('stream 2;')).apply();
    expect(steps).toEqual(['back-source 0 is told', 'stream 1 is told', 'stream 2 starts']);
    expect(spawned[0]!.told[0]!.doorbells.map(({ slot }) => slot)).toEqual([2]);
    expect(report.map(({ slot, detail }) => [slot, detail])).toEqual([
      [0, null],
      [1, null],
      [2, 'is new'],
    ]);
    await fleet.stop(0);
  });

  it('a worker that is too much keeps its clients and loses its sockets, then its slot', async () => {
    const { fleet, steps, spawned, connections, states } = await start('stream 2;');
    connections.set(2, 7);
    const report = await fleet.prepare(config('stream 1; drain_timeout 30;')).apply();
    expect(report[2]?.detail).toBe('ends when its 7 clients have left, in 30 s at the latest');
    expect([spawned[2]!.slots, spawned[1]!.slots]).toEqual([[], [1]]);
    expect(states()).toBe('0 ready, 1 ready, 2 draining');
    expect(sockets.of(2)).toEqual([]);
    expect(steps).not.toContain('stream 2 stops');
    connections.set(2, 0);
    await vi.waitFor(() => expect(states()).toBe('0 ready, 1 ready'));
    expect(steps.at(-1)).toBe('stream 2 stops');
    await fleet.stop(0);
  });

  it('who is drained lends its sockets to a neighbour and has them back in its next life', async () => {
    const { fleet, spawned, connections, states } = await start('stream 2;');
    connections.set(2, 1);
    await fleet.drain(2);
    expect([spawned[2]!.slots, spawned[1]!.slots]).toEqual([[], [1, 2]]);
    await expect(fleet.drain(2)).rejects.toThrow('stream worker in slot 2 is draining, it must be ready to be drained');
    await expect(fleet.drain(1)).rejects.toThrow('slot 1 is the only stream worker');
    connections.set(2, 0);
    await vi.waitFor(() => expect(spawned).toHaveLength(4));
    await vi.waitFor(() => expect(spawned[1]!.slots).toEqual([1]));
    expect(states()).toBe('0 ready, 1 ready, 2 ready');
    await fleet.stop(0);
  });

  it('a worker that does not hear is named, and told again when it answers', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const { fleet, spawned } = await start('stream 1;');
    spawned[1]!.isDeaf = true;
    const applying = fleet.prepare(config('stream 1;', 'max_connections 7;')).apply();
    await vi.advanceTimersByTimeAsync(5_000);
    const report = await applying;
    expect(report[1]).toMatchObject({ slot: 1, isApplied: false, detail: 'control request configure: no answer within 5000 ms' });
    spawned[1]!.isDeaf = false;
    await vi.advanceTimersByTimeAsync(2_100);
    await vi.waitFor(() => expect(spawned[1]!.told.at(-1)?.config.maxConnections).toBe(7));
    const count = spawned[1]!.told.length;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(spawned[1]!.told).toHaveLength(count);
    await fleet.stop(0);
  });

  it('a worker that died meanwhile starts with what counts now', async () => {
    const { fleet, spawned } = await start('stream 1;');
    spawned[1]!.handle.kill();
    await spawned[1]!.handle.ended;
    const report = await fleet.prepare(config('stream 1;', 'max_connections 7;')).apply();
    expect(report[1]).toMatchObject({ isApplied: true, detail: 'is being started, with the new configuration' });
    await vi.waitFor(() => expect(spawned).toHaveLength(3));
    expect(spawned[2]!.told).toEqual([]);
    await fleet.stop(0);
  });

  it('what a worker could not do is told', async () => {
    const { fleet, spawned } = await start('stream 1;');
    spawned[0]!.problem = 'log file x cannot be opened';
    const report = await fleet.prepare(config('stream 1;', 'max_connections 7;')).apply();
    expect(report[0]).toMatchObject({ isApplied: false, detail: 'log file x cannot be opened' });
    await fleet.stop(0);
  });

  it('a server that ends takes no new configuration', async () => {
    const { fleet } = await start('stream 1;');
    fleet.stopAccepting();
    expect(() => fleet.prepare(config('stream 2;'))).toThrow('the server is about to end');
    await fleet.stop(0);
  });
});
