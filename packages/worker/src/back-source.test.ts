import { loadConfig } from '@srs/config';
import { Channel, type DirectoryProtocol, type PublishAnswer } from '@srs/control';
import { silentLog } from '@srs/kernel';
import type { ProcessLog } from '@srs/logging';
import { MemoryArena } from '@srs/ring';
import { expect, it } from 'vitest';
import { startBackSource } from './back-source.ts';
import { LocalHub } from './local-hub.ts';

async function setUp() {
  const { config } = loadConfig('listen 1935; ring { memory 64m; }', { fileName: 'srs.conf' });
  const hub = new LocalHub({ arena: new MemoryArena(64 << 20), processLog: { log: silentLog } as unknown as ProcessLog });
  const environment = hub.environmentOf({
    role: 'back-source',
    instanceId: 'here',
    slot: 0,
    backSource: 0,
    config,
    runtimeDirectory: '',
    arenas: [],
    statusFd: -1,
    doorbellReadFd: -1,
    doorbellWriteFds: [],
    parcelFd: -1,
    listeners: [],
    privateHost: '127.0.0.1',
    privatePort: 0,
    living: [],
  });
  const role = await startBackSource(environment);
  return {
    role,
    /** A worker that has said hello. */
    worker: async (slot: number, pid: number) => {
      const channel = new Channel<DirectoryProtocol>(await environment.connectBackSource(0), {});
      await channel.request('hello', { slot, pid, leases: [], subscriptions: [], readRings: [], owed: [] });
      return {
        close: () => channel.close(),
        publish: (): Promise<PublishAnswer> =>
          channel.request('publish', {
            streamId: 'v/live/one',
            cid: 1,
            ip: '127.0.0.1',
            param: '',
            tcUrl: '',
            busy: 'reject',
            hops: [],
          }),
      };
    },
  };
}

it('takes a stream from a dead worker whose publish was read after the news of its end', async () => {
  const { role, worker } = await setUp();
  const [dead, other] = [await worker(1, 100), await worker(2, 200)];
  role.workerGone({ slot: 1, pid: 100 });
  expect(await dead.publish()).toMatchObject({ isGranted: true });
  expect(await other.publish()).toMatchObject({ isGranted: false, reason: 'busy' });
  dead.close();
  await expect.poll(() => other.publish()).toMatchObject({ isGranted: true });
  await role.stop(0);
});
