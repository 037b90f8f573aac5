import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { ChildProgram } from './child-program.ts';
import { eventually } from './deadline.ts';
import { isAlive, mappings, openDescriptors, processCpuMs, processMemory, processTree } from './proc.ts';
import { ServerProcess } from './server-process.ts';

const command = join(import.meta.dirname, 'fixtures/fake-server.ts');

describe('ServerProcess', () => {
  it('is ready once all workers are, and leaves nothing behind', async () => {
    const server = await ServerProcess.start({ command });
    const [worker] = await server.workers();
    expect(worker).toMatchObject({ role: 'stream', state: 'ready' });
    expect(server.pids()).toEqual([server.program.pid, worker!.pid]);
    expect(server.log()).toContain('the fake server listens');
    const stopping = server.waitForLog(/fake server stops$/);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    expect(await stopping).toBe('the fake server stops');
    expect(isAlive(worker!.pid)).toBe(false);
    expect(existsSync(server.place.directory)).toBe(false);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });

  it('two servers have different ports', async () => {
    await using one = await ServerProcess.start({ command });
    await using two = await ServerProcess.start({ command });
    expect(one.place.rtmpPort).not.toBe(two.place.rtmpPort);
  });

  it('a server that dies while it starts is an error with its last lines', async () => {
    await expect(ServerProcess.start({ command, env: { FAKE_FAULT: 'dies' } })).rejects.toThrow(
      /ended while it started[\s\S]*the fake server dies/,
    );
  });

  it('a server whose workers never get ready is an error that names them', async () => {
    const starting = ServerProcess.start({ command, env: { FAKE_FAULT: 'never-ready' }, readyLimitMs: 1000 });
    await expect(starting).rejects.toThrow(/stream 0 is starting.* within 1000 ms/);
  });

  it('a server that ignores SIGTERM is killed and reported', async () => {
    const server = await ServerProcess.start({ command, env: { FAKE_FAULT: 'deaf' } });
    const pids = server.pids();
    await expect(server.stop('SIGTERM', 300)).rejects.toThrow(/did not end within 300 ms after SIGTERM/);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it('a process that outlives its server is killed and reported', async () => {
    const server = await ServerProcess.start({ command, env: { FAKE_FAULT: 'orphan' } });
    const pids = server.pids();
    await expect(server.stop('SIGTERM', 500)).rejects.toThrow(/left behind: \d+ sleep 600/);
    // A killed process may be listed for a moment more.
    await eventually(
      () => !pids.some(isAlive),
      5_000,
      () => `processes ${pids.filter(isAlive).join(', ')} are alive`,
    );
  });
});

describe('ChildProgram', () => {
  it('runs a program to its end', async () => {
    const end = await ChildProgram.run('sh', ['-c', 'echo out; echo err >&2; exit 7']);
    expect(end).toEqual({ code: 7, signal: null, stdout: 'out\n', stderr: 'err' });
  });

  it('a program that cannot be started is an error', async () => {
    await expect(ChildProgram.start('/no/such/program', [])).rejects.toThrow(/ENOENT/);
  });

  it('a program past its limit is killed with its children', async () => {
    const program = await ChildProgram.start('sh', ['-c', 'sleep 600 & echo started; wait'], { limitMs: 500 });
    await program.waitForLine('started');
    const pids = program.pids();
    expect(pids).toHaveLength(2);
    await expect(program.waitForExit()).rejects.toThrow(/killed after its limit of 500 ms/);
    await program.closed;
    // A killed process closes its pipes a moment before the kernel lists it as dead.
    await eventually(
      () => !pids.some(isAlive),
      5_000,
      () => `processes ${pids.filter(isAlive).join(', ')} are alive`,
    );
  });

  it('waiting for a line ends with the program', async () => {
    const program = await ChildProgram.start('sh', ['-c', 'echo one; printf "two\\rthree"']);
    await expect(program.waitForLine('four')).rejects.toThrow(/exit status 0.*without a line four/);
    expect(program.lines()).toEqual(['one', 'two', 'three']);
    expect(await program.waitForLine(/^t/, { from: 2 })).toBe('three');
  });
});

describe('the kernel tells of a process', () => {
  beforeEach((context) => context.skip(process.platform !== 'linux', 'only Linux has /proc'));

  it('its memory, descriptors, mappings and processor time', () => {
    const { rssBytes, pssBytes } = processMemory(process.pid);
    expect(pssBytes).toBeGreaterThan(1_000_000);
    expect(rssBytes).toBeGreaterThanOrEqual(pssBytes * 0.9);
    expect(openDescriptors(process.pid).map((one) => one.fd)).toContain(0);
    expect(mappings(process.pid).some((one) => one.name.endsWith('/node'))).toBe(true);
    expect(processCpuMs(process.pid)).toBeGreaterThan(0);
  });

  it('nothing of one that has ended', async () => {
    const program = await ChildProgram.start('true', []);
    await program.exited;
    expect(processTree(program.pid)).toEqual([]);
    expect(processMemory(program.pid)).toEqual({ rssBytes: 0, pssBytes: 0, sharedBytes: 0 });
    expect(openDescriptors(program.pid)).toEqual([]);
  });

  it('never the tree of everything', () => {
    expect(() => processTree(0)).toThrow(RangeError);
    expect(() => processTree(1)).toThrow(RangeError);
  });
});
