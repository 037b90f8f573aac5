import { afterEach, expect, it, vi } from 'vitest';
import { comparePeers } from './peers-run.ts';
import { Workbench } from './workbench.ts';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

it('a server that this machine lacks is named with the reason, and nothing is measured in its place', async () => {
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  vi.stubEnv('PATH', '/no/such/folder');
  using bench = new Workbench();
  const plan = { players: [10], servers: ['floor'], rounds: 1, seconds: 1, kbps: 500, readEveryMs: 0, port: 1 } as const;
  const document = await comparePeers(bench, plan, 'npm run bench:peers');
  expect(document.skipped).toEqual([{ name: 'floor', reason: 'there is no C compiler (cc, gcc, clang)' }]);
  expect(document.servers).toEqual([]);
  expect(document.runs).toEqual([]);
  expect(document.environment).toMatchObject({ commit: 'unknown', isPinned: false });
});
