import { Channel, linkPair, type WorkerReady } from '@srs/control';
import { memoryLog } from '@srs/kernel';
import type { MasterProtocol, WorkerStart } from '@srs/worker';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SlotSupervisor } from './slot-supervisor.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** A worker that does what the test tells it. */
class TestWorker {
  readonly handle: WorkerHandle;
  readonly started = Promise.withResolvers<WorkerReady>();
  readonly stopped: number[] = [];
  isDeaf = false;
  isHung = false;
  pings = 0;
  wasKilled = false;
  readonly #ended = Promise.withResolvers<string>();

  constructor(pid: number) {
    const [near, far] = linkPair();
    new Channel<MasterProtocol>(far, {
      requests: {
        start: () => this.started.promise,
        ping: () => {
          this.pings += 1;
          return this.isHung ? new Promise<null>(() => {}) : null;
        },
        stop: ({ graceMs }) => {
          this.stopped.push(graceMs);
          if (!this.isDeaf) this.die('exit code 0');
          return null;
        },
      },
    });
    this.handle = {
      pid,
      channel: new Channel<MasterProtocol>(near, {}),
      ended: this.#ended.promise,
      kill: () => {
        this.wasKilled = true;
        this.die('signal SIGKILL');
      },
    };
  }

  die(reason: string): void {
    this.#ended.resolve(reason);
  }
}

function setUp() {
  const log = memoryLog();
  const workers: TestWorker[] = [];
  const gone: number[] = [];
  let onSpawn: (worker: TestWorker) => void = () => {};
  const slot = new SlotSupervisor(
    { slot: 1, role: 'stream', index: 0 },
    {
      log,
      spawn: () => {
        const worker = new TestWorker(100 + workers.length);
        workers.push(worker);
        onSpawn(worker);
        return { handle: worker.handle, start: {} as WorkerStart };
      },
      onGone: (_slot, pid) => gone.push(pid),
      onAlive: () => {},
    },
  );
  const readyAtOnce = (): void => {
    onSpawn = (worker) => worker.started.resolve({ privatePort: 5000 + workers.length });
  };
  return { log, workers, gone, slot, readyAtOnce };
}

/** Lets messages between the two ends of a link pass; they take a turn of the loop each. */
const pass = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('SlotSupervisor', () => {
  it('reports a worker that serves, with the port of its private API', async () => {
    const { slot, readyAtOnce } = setUp();
    readyAtOnce();
    const start = slot.start();
    await pass();
    await start;
    expect(slot.report()).toMatchObject({ state: 'ready', pid: 100, port: 5001, restarts: 0 });
  });

  it('does not start when its worker dies before it serves, and says why', async () => {
    const { slot, workers, gone } = setUp();
    const start = expect(slot.start()).rejects.toThrow('stream worker in slot 1 ended while starting: exit code 3');
    await pass();
    workers[0]!.die('exit code 3');
    await start;
    expect(gone).toEqual([100]);
    expect(workers).toHaveLength(1);
  });

  it('starts a worker again that died, with growing delays, and gives back what it held', async () => {
    const { slot, workers, gone, readyAtOnce, log } = setUp();
    readyAtOnce();
    void slot.start();
    await pass();
    for (const delayMs of [100, 200, 400]) {
      workers.at(-1)!.die('signal SIGKILL');
      await pass();
      const before = workers.length;
      expect(slot.report().state).toBe('waiting');
      await vi.advanceTimersByTimeAsync(delayMs - 1);
      expect(workers).toHaveLength(before);
      await vi.advanceTimersByTimeAsync(1);
      await pass();
      expect(workers).toHaveLength(before + 1);
      expect(slot.report()).toMatchObject({ state: 'ready', lastEnd: 'signal SIGKILL' });
    }
    expect(gone).toEqual([100, 101, 102]);
    expect(slot.report().restarts).toBe(3);
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(3);
  });

  it('begins with the shortest delay again after a worker that lived long', async () => {
    const { slot, workers, readyAtOnce } = setUp();
    readyAtOnce();
    void slot.start();
    await pass();
    workers[0]!.die('signal SIGKILL');
    await vi.advanceTimersByTimeAsync(100);
    await pass();
    await vi.advanceTimersByTimeAsync(20_000);
    workers[1]!.die('signal SIGKILL');
    await vi.advanceTimersByTimeAsync(100);
    await pass();
    expect(workers).toHaveLength(3);
  });

  it('keeps trying when a restarted worker does not come up', async () => {
    const { slot, workers } = setUp();
    void slot.start();
    workers[0]!.started.resolve({ privatePort: 1 });
    await pass();
    workers[0]!.die('signal SIGKILL');
    await vi.advanceTimersByTimeAsync(100);
    await pass();
    workers[1]!.started.reject(new Error('address in use'));
    await pass();
    expect(slot.report().state).toBe('waiting');
    await vi.advanceTimersByTimeAsync(200);
    await pass();
    workers[2]!.started.resolve({ privatePort: 2 });
    await pass();
    expect(slot.report()).toMatchObject({ state: 'ready', restarts: 2 });
  });

  it('ends a worker in good order and does not start it again', async () => {
    const { slot, workers, readyAtOnce } = setUp();
    readyAtOnce();
    void slot.start();
    await pass();
    const stop = slot.stop(1000);
    await pass();
    await stop;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(workers[0]!.stopped).toEqual([1000]);
    expect(workers).toHaveLength(1);
    expect(slot.report().state).toBe('stopped');
  });

  it('kills a worker that does not listen', async () => {
    const { slot, workers, readyAtOnce } = setUp();
    readyAtOnce();
    void slot.start();
    await pass();
    workers[0]!.isDeaf = true;
    const stop = slot.stop(1000);
    await vi.advanceTimersByTimeAsync(1999);
    expect(workers[0]!.wasKilled).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await stop;
    expect(workers[0]!.wasKilled).toBe(true);
  });

  it('kills a worker that does not answer for 15 s, and starts it again', async () => {
    const { slot, workers, readyAtOnce, log } = setUp();
    readyAtOnce();
    void slot.start();
    await pass();
    for (let round = 1; round <= 3; round += 1) {
      await vi.advanceTimersByTimeAsync(2_000);
      await pass();
      expect(workers[0]!.pings).toBe(round);
    }
    workers[0]!.isHung = true;
    await vi.advanceTimersByTimeAsync(2_000);
    await pass();
    await vi.advanceTimersByTimeAsync(12_000);
    await pass();
    await vi.advanceTimersByTimeAsync(2_999);
    expect(workers[0]!.wasKilled).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await pass();
    expect(workers[0]!.wasKilled).toBe(true);
    expect(log.lines.map(({ text }) => text)).toContainEqual(expect.stringContaining('hangs (pid=100)'));
    await vi.advanceTimersByTimeAsync(100);
    await pass();
    expect(slot.report()).toMatchObject({ state: 'ready', pid: 101, restarts: 1 });
  });

  it('asks once more before it kills: the master itself may have been stopped', async () => {
    const { slot, workers, readyAtOnce } = setUp();
    readyAtOnce();
    void slot.start();
    await pass();
    workers[0]!.isHung = true;
    await vi.advanceTimersByTimeAsync(2_000);
    await pass();
    workers[0]!.isHung = false;
    await vi.advanceTimersByTimeAsync(12_000);
    await pass();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(workers[0]!.wasKilled).toBe(false);
    expect(workers[0]!.pings).toBeGreaterThan(2);
  });

  it('asks no more once it is told to stop', async () => {
    const { slot, workers, readyAtOnce } = setUp();
    readyAtOnce();
    void slot.start();
    await pass();
    workers[0]!.isDeaf = true;
    void slot.stop(60_000);
    await pass();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(workers[0]!.pings).toBe(0);
    expect(workers[0]!.wasKilled).toBe(false);
  });

  it('does not start a worker that was waiting when the server stops', async () => {
    const { slot, workers, readyAtOnce } = setUp();
    readyAtOnce();
    void slot.start();
    await pass();
    workers[0]!.die('signal SIGKILL');
    await pass();
    await slot.stop(1000);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(workers).toHaveLength(1);
  });
});
