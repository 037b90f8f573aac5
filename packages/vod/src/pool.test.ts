import { describe, expect, it } from 'vitest';
import type { FileIdentity } from './file-window.ts';
import type { SegmentBytes } from './jobs.ts';
import { VodPool, type VodPoolLimits } from './pool.ts';
import { newSoundClockState } from './sound-clock.ts';

const entry = import.meta.resolve('./pool-test-child.ts');

class TestPool implements AsyncDisposable {
  readonly pool: VodPool;

  constructor(limits: VodPoolLimits = { threads: 1, queue: 10, jobMs: 20_000 }) {
    this.pool = new VodPool(limits, entry);
  }

  run(path: string): Promise<SegmentBytes> {
    const file: FileIdentity = { path, device: 1, inode: 1, sizeBytes: 1, modifiedMs: 1 };
    return this.pool.run('slice-flv', file, {
      cut: { position: 0, timeMs: 0, rawMs: null, videoHeader: undefined, audioHeader: undefined, sound: newSoundClockState() },
      end: 1,
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.pool.close();
  }
}

const busy = (message: string): unknown => expect.objectContaining({ errorName: 'VodBusy', message });

it('what a thread says of a file is told as an error', async () => {
  await using pool = new TestPool();
  await expect(pool.run('changed')).rejects.toEqual(busy('"changed" changes while it is read'));
  await expect(pool.run('gone')).rejects.toMatchObject({ message: 'no such file', code: 'ENOENT' });
  await expect(pool.run('broken')).rejects.toMatchObject({ errorName: 'FlvHeader', message: 'flv is none' });
});

it('a job that hangs is given up, and those behind it are done', async () => {
  const limits = { threads: 1, queue: 10, jobMs: 300 };
  await using pool = new TestPool(limits);
  const slow = busy('recordings are read too slowly: no answer within 300 ms');
  // The second is told so while it waits.
  const given = [pool.run('hang'), pool.run('film')].map((job) => expect(job).rejects.toEqual(slow));
  limits.jobMs = 20_000;
  const behind = pool.run('film');
  await Promise.all(given);
  await expect(behind).resolves.toMatchObject({ leftOut: 0 });
});

it('a thread that dies takes its job along, and those behind it are done', async () => {
  await using pool = new TestPool();
  const [dead, behind] = await Promise.allSettled([pool.run('die'), pool.run('film')]);
  expect(dead).toMatchObject({ status: 'rejected' });
  expect(behind).toMatchObject({ status: 'fulfilled' });
});

it('who comes when too many wait is told to come again', async () => {
  await using pool = new TestPool({ threads: 1, queue: 1, jobMs: 20_000 });
  const jobs = [pool.run('film'), pool.run('film')];
  await expect(pool.run('film')).rejects.toEqual(busy('too many recordings are asked for at once'));
  await Promise.all(jobs);
});

describe('a pool that is closed', () => {
  it('gives up what is done and what waits', async () => {
    const pool = new TestPool();
    const jobs = [pool.run('wait'), pool.run('film')];
    const told = Promise.allSettled(jobs);
    await pool.pool.close();
    const error = busy('recordings are not played any more: the server stops');
    expect(await told).toEqual([
      { status: 'rejected', reason: error },
      { status: 'rejected', reason: error },
    ]);
  });

  it('does nothing any more', async () => {
    const pool = new TestPool();
    await pool.pool.close();
    await expect(pool.run('film')).rejects.toMatchObject({ errorName: 'VodBusy' });
  });
});
