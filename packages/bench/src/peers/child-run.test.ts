import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ChildRun } from './child-run.ts';

const node = process.execPath;
/** Says so when it runs, and then waits for ever. */
const waiting = "console.log('there'); setInterval(() => {}, 1000);";

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** A program that has printed its first line. */
async function start(code: string, signal?: AbortSignal): Promise<{ readonly run: ChildRun; readonly line: string }> {
  const first = Promise.withResolvers<string>();
  const run = await ChildRun.start({
    name: 'child',
    command: [node, '-e', code],
    onLine: first.resolve,
    ...(signal === undefined ? {} : { signal }),
  });
  return { run, line: await first.promise };
}

it('a program that ends well has run', async () => {
  const lines: string[] = [];
  await ChildRun.run({ name: 'child', command: [node, '-p', '6 * 7'], onLine: (line) => lines.push(line) });
  expect(lines).toEqual(['42']);
});

it('a program that fails is told with its status and its last words', async () => {
  const command = [node, '-e', "console.error('no room'); process.exit(7)"] as const;
  await expect(ChildRun.run({ name: 'child', command })).rejects.toThrow('child ended with exit status 7; it printed:\nno room');
});

it('a program that is not there is told', async () => {
  await expect(ChildRun.start({ name: 'child', command: ['/no/such/program'] })).rejects.toThrow(/ENOENT/);
});

it('stopping ends a program, and may be done twice', async () => {
  const { run } = await start(waiting);
  await run.stop();
  expect(run.exit).toEqual({ code: null, signal: 'SIGTERM' });
  await run.stop();
  expect(isAlive(run.pid)).toBe(false);
});

it('children of a program go with it', async () => {
  const code = `const child = require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(waiting)}]);
    child.stdout.once('data', () => console.log(child.pid));
    setInterval(() => {}, 1000);`;
  const { run, line } = await start(code);
  const childPid = Number(line);
  expect(isAlive(childPid)).toBe(true);
  await run.stop();
  await expect.poll(() => isAlive(childPid)).toBe(false);
});

it('a program that takes too long is killed, and told', async () => {
  const run = await ChildRun.start({ name: 'child', command: [node, '-e', waiting], limitMs: 50 });
  await run.ended;
  expect(run.failure().message).toMatch(/^child was killed after its limit of 50 ms/);
});

it('an interruption ends what runs and lets nothing more begin', async () => {
  const interruption = new AbortController();
  const { run } = await start(waiting, interruption.signal);
  interruption.abort();
  await run.ended;
  expect(run.isRunning).toBe(false);
  await expect(start(waiting, interruption.signal)).rejects.toThrow(/aborted/);
});
