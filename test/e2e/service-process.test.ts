import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChildProgram } from '../support/child-program.ts';
import { eventually } from '../support/deadline.ts';
import { claimPorts, type PortBlock } from '../support/ports.ts';
import { isAlive } from '../support/proc.ts';
import { requires } from '../support/requires.ts';
import { serverCommand } from '../support/server-process.ts';

const START_LIMIT_MS = 20_000;

let directory: string;
let ports: PortBlock;

beforeEach(async () => {
  ports = await claimPorts();
  directory = mkdtempSync(join(tmpdir(), 'srs-test-'));
});

afterEach(() => {
  ports.release();
  rmSync(directory, { recursive: true, force: true });
});

/** A small server with its log on the console, and more directives. @returns the name of its configuration, in `directory` */
function writeConfig(more: string): string {
  const text = `listen ${ports.first}; max_connections 100; private_api { listen 127.0.0.1:${ports.first + 1}; }
workers { mode single; } vhost __defaultVhost__ { }
srs_log_tank console; ${more}\n`;
  writeFileSync(join(directory, 'srs.conf'), text);
  return 'srs.conf';
}

const pidFile = (): string => join(directory, 'objs/srs.pid');
const startHere = (command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<ChildProgram> =>
  ChildProgram.start(command, args, { cwd: directory, env });

describe('asprocess', () => {
  it('ends the server when the process that started it is gone', async () => {
    const config = writeConfig('daemon off; asprocess on;');
    const parent = await startHere('/bin/sh', ['-c', '"$0" -c "$1" & wait', serverCommand, config]);
    await parent.waitForLine('server started', { limitMs: START_LIMIT_MS });
    const pid = Number(readFileSync(pidFile(), 'utf8'));
    expect(isAlive(pid)).toBe(true);
    try {
      process.kill(parent.pid, 'SIGKILL');
      await parent.waitForLine(`the parent process ${parent.pid} is gone: the server stops`, { limitMs: START_LIMIT_MS });
      await parent.closed;
      // What it wrote to is closed a moment before it is gone.
      await eventually(
        () => !isAlive(pid),
        5_000,
        () => `process ${pid} goes on`,
      );
    } finally {
      if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    }
  });

  it('is refused without daemon off, status 255', async () => {
    const end = await ChildProgram.run(serverCommand, ['-c', writeConfig('asprocess on;')], { cwd: directory });
    expect(end).toMatchObject({ code: 255, stderr: 'srs: asprocess on needs daemon off: a daemon has no parent process' });
  });
});

describe('work_dir', () => {
  it('is where relative paths count from; the configuration is found from where it was named, also at a reload', async () => {
    mkdirSync(join(directory, 'work'));
    const server = await startHere(serverCommand, ['-c', writeConfig('daemon off; work_dir work;')]);
    try {
      await server.waitForLine('server started', { limitMs: START_LIMIT_MS });
      expect(readFileSync(join(directory, 'work/objs/srs.pid'), 'utf8')).toBe(String(server.pid));
      expect(existsSync(join(directory, 'objs'))).toBe(false);
      writeConfig('daemon off; work_dir work; chunk_size 4096;');
      server.signal('SIGHUP');
      expect(await server.waitForLine('reload config success.')).toContain('changed chunk_size');
    } finally {
      await server.stop();
    }
  });

  it('that cannot be entered ends the start with its name', async () => {
    const end = await ChildProgram.run(serverCommand, ['-c', writeConfig('daemon off; work_dir ./missing;')], { cwd: directory });
    expect(end.code).not.toBe(0);
    expect(end.stderr).toMatch(/work_dir \.\/missing cannot be entered: .*ENOENT/);
  });
});

it('utc_time makes the log bear UTC', async () => {
  const server = await startHere(serverCommand, ['-c', writeConfig('daemon off; utc_time on;')], { TZ: 'Pacific/Kiritimati' });
  try {
    const line = await server.waitForLine('server started', { limitMs: START_LIMIT_MS });
    const loggedMs = Date.parse(`${line.slice(1, 24).replace(' ', 'T')}Z`);
    expect(Math.abs(Date.now() - loggedMs)).toBeLessThan(60_000);
  } finally {
    await server.stop();
  }
});

describe('the command that starts a server in the background', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('ended by %s while it waits, leaves no server', async (signal) => {
    const command = await startHere(serverCommand, ['-c', writeConfig('daemon on;')]);
    await eventually(
      () => existsSync(pidFile()) && readFileSync(pidFile(), 'utf8') !== '',
      START_LIMIT_MS,
      () => 'the server does not begin to start',
    );
    const pid = Number(readFileSync(pidFile(), 'utf8'));
    command.signal(signal);
    const exit = await command.waitForExit(START_LIMIT_MS);
    // Who is told too late has a server, and says so by its status.
    if (exit.code === 0) process.kill(pid, 'SIGTERM');
    else expect(exit).toEqual({ code: 1, signal: null });
    await eventually(
      () => !isAlive(pid),
      START_LIMIT_MS,
      () => `the server ${pid} is still there`,
    );
  });
});

describe('a service manager', () => {
  requires('python3');

  /** Listens as systemd does, and prints each datagram as one line. */
  const receiver = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('listening', flush=True)
while True:
    print(s.recv(4096).decode().replace('\\n', ' '), flush=True)
`;

  it('hears when clients can connect, that the server lives, that it reloads and that it ends', async () => {
    const socket = join(directory, 'notify');
    const manager = await startHere('python3', ['-c', receiver, socket]);
    await manager.waitForLine('listening');
    const env = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '400000' };
    const server = await startHere(
      serverCommand,
      ['-c', writeConfig('daemon off; grace_start_wait 0; grace_final_wait 0;')],
      env,
    );
    try {
      const ready = await manager.waitForLine(/^READY=1 STATUS=listen=/, { limitMs: START_LIMIT_MS });
      expect(ready).toContain(`0.0.0.0:${ports.first}`);
      await manager.waitForLine('WATCHDOG=1');
      const before = manager.lines().length;
      server.signal('SIGHUP');
      await manager.waitForLine(/^RELOADING=1 MONOTONIC_USEC=\d+$/, { from: before });
      await manager.waitForLine(/^READY=1 /, { from: before });
      server.signal('SIGQUIT');
      await manager.waitForLine(/^STOPPING=1 STATUS=.* EXTEND_TIMEOUT_USEC=\d+$/);
      expect(await server.waitForExit(10_000)).toEqual({ code: 0, signal: null });
      // No process of the server may speak in its name.
      expect(manager.lines().filter((line) => line.startsWith('READY=1'))).toHaveLength(2);
    } finally {
      await server.stop();
      await manager.stop();
    }
  });
});
