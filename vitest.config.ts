import { defineConfig } from 'vitest/config';

// Whole servers and foreign programs: one file at a time, after the unit tests, so that two cores are enough and timings mean
// something.
const wholeProcesses = { testTimeout: 120_000, hookTimeout: 60_000, fileParallelism: false };

export default defineConfig({
  test: {
    reporters: ['default', './test/support/summary-reporter.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'test/architecture/**/*.test.ts', 'test/support/**/*.test.ts'],
          testTimeout: 20_000,
          sequence: { groupOrder: 1 },
        },
      },
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], ...wholeProcesses, sequence: { groupOrder: 2 } } },
      { test: { name: 'interop', include: ['test/interop/**/*.test.ts'], ...wholeProcesses, sequence: { groupOrder: 3 } } },
    ],
  },
});
