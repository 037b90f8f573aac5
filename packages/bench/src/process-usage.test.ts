import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { processMemory, processTimes, processTitle, processTree } from './process-usage.ts';
import { ServerWatch } from './server-watch.ts';

/** One that no process has: above the kernel's limit. */
const NOBODY = 2 ** 23;

it('this process has used time and memory', () => {
  const before = processTimes(process.pid)!;
  const untilMs = performance.now() + 60;
  while (performance.now() < untilMs) Math.sqrt(2);
  const after = processTimes(process.pid)!;
  expect(after.userMs + after.systemMs - before.userMs - before.systemMs).toBeGreaterThanOrEqual(20);
  const { rssKb, pssKb, dataKb } = processMemory(process.pid);
  expect(pssKb).toBeGreaterThan(10_000);
  expect(pssKb).toBeLessThanOrEqual(rssKb * 1.1);
  expect(dataKb).toBeGreaterThan(5_000);
  expect(dataKb).toBeLessThan(pssKb);
});

it('a process that is not there has nothing', () => {
  expect(processTimes(NOBODY)).toBeUndefined();
  expect(processMemory(NOBODY)).toEqual({ rssKb: 0, pssKb: 0, dataKb: 0 });
  expect([processTitle(NOBODY), processTree(NOBODY)]).toEqual(['', []]);
});

it('a tree is a process and all that descend from it', async () => {
  const child = spawn(process.execPath, ['-e', "process.title = 'a (strange) title'; process.stdin.resume(); console.log('up')"]);
  await once(child.stdout, 'data');
  try {
    expect(processTree(process.pid)).toEqual(expect.arrayContaining([process.pid, child.pid]));
    expect(processTree(child.pid!)).toEqual([child.pid]);
    const watch = new ServerWatch([{ pid: process.pid, label: 'own' }], [child.pid!, NOBODY]);
    const { processes } = watch.figures();
    expect(processes.map(({ pid, label }) => [pid, label])).toEqual([
      [process.pid, 'own'],
      [child.pid, 'a (strange) title'],
    ]);
    child.stdin.end();
    await once(child, 'exit');
    expect(watch.figures().processes[1]).toMatchObject({ cpuPercent: 0, rssKb: 0, pssKb: 0 });
  } finally {
    child.kill('SIGKILL');
  }
});
