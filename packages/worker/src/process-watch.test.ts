import { afterEach, describe, expect, it } from 'vitest';
import { ProcessWatch } from './process-watch.ts';

const BLOCK_MS = 200;

describe('ProcessWatch', () => {
  let watch: ProcessWatch;
  afterEach(() => watch.close());

  it('tells how long the event loop stood still, and what the processor did meanwhile', async () => {
    watch = new ProcessWatch();
    const before = await watch.load();
    // Late is the tick that follows one, so the first time may not count.
    await expect
      .poll(
        async () => {
          const endMs = performance.now() + BLOCK_MS;
          while (performance.now() < endMs);
          return (await watch.load()).eventLoop.maxMs;
        },
        { timeout: 10_000 },
      )
      .toBeGreaterThan(BLOCK_MS / 2);
    const after = await watch.load();
    expect(after.eventLoop.maxMs).toBeGreaterThan(before.eventLoop.maxMs);
    expect(after.eventLoop.p50Ms).toBeLessThan(after.eventLoop.maxMs);
    expect(after.eventLoop.p99Ms).toBeGreaterThanOrEqual(after.eventLoop.p50Ms);
    expect(after.cpuPercent).toBeGreaterThan(1);
  });

  it('tells the memory of this process', async () => {
    watch = new ProcessWatch();
    const { memory } = await watch.load();
    expect(memory.rssBytes).toBeGreaterThan(memory.heapUsedBytes);
    expect(memory.externalBytes).toBeGreaterThan(0);
    if (process.platform === 'linux') expect(memory.pssBytes).toBeGreaterThan(memory.heapUsedBytes / 2);
    else expect(memory.pssBytes).toBeNull();
  });
});
