import { defineConfig } from 'vitest/config';

/** They load both cores, or measure time or memory: nothing may run beside them. */
const alone = [
  'all-outputs',
  'bad-input-floods',
  'browser-latency',
  'crashes',
  'crowd',
  'edge-chain',
  'forward-many',
  'player-memory',
  'publish-cycles',
  'reload-under-load',
  'ring-two-processes',
  'slow-player',
  'srs-bench',
].map((name) => `test/e2e/${name}.test.ts`);

// Whole servers and foreign programs, after the unit tests. Most of the time they wait for something, so three files share two cores.
const wholeProcesses = { testTimeout: 120_000, hookTimeout: 60_000 };
const threeAtATime = { ...wholeProcesses, maxWorkers: 3, sequence: { groupOrder: 2 } };
const oneByOne = { ...wholeProcesses, fileParallelism: false, sequence: { groupOrder: 3 } };

export default defineConfig({
  test: {
    reporters: ['default', './test/support/summary-reporter.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'test/architecture/**/*.test.ts', 'test/support/**/*.test.ts'],
          testTimeout: 20_000,
          // Left out it is one core fewer than there are.
          maxWorkers: '100%',
          sequence: { groupOrder: 1 },
        },
      },
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], exclude: alone, ...threeAtATime } },
      { test: { name: 'interop', include: ['test/interop/**/*.test.ts'], ...threeAtATime } },
      { test: { name: 'e2e-alone', include: alone, ...oneByOne } },
    ],
  },
});
