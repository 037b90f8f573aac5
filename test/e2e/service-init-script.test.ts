import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChildProgram, type FinishedProgram } from '../support/child-program.ts';
import { eventually } from '../support/deadline.ts';
import { claimPorts, type PortBlock } from '../support/ports.ts';
import { isAlive } from '../support/proc.ts';
import { requires } from '../support/requires.ts';
import { repositoryRoot, serverCommand } from '../support/server-process.ts';

const script = join(repositoryRoot, 'deploy/init.d/srs');

let root: string;
let ports: PortBlock;

beforeEach(async () => {
  ports = await claimPorts();
  root = mkdtempSync(join(tmpdir(), 'srs-test-'));
  mkdirSync(join(root, 'bin'));
  mkdirSync(join(root, 'conf'));
  symlinkSync(serverCommand, join(root, 'bin/srs'));
  writeConfig();
});

afterEach(async () => {
  await init('stop');
  ports.release();
  rmSync(root, { recursive: true, force: true });
});

/** The configuration that the script looks for, with more directives on lines of their own. */
function writeConfig(more = 'pid ./objs/srs.pid;\nsrs_log_file ./objs/srs.log;', rtmpPort = ports.first): void {
  writeFileSync(
    join(root, 'conf/srs.conf'),
    `listen ${rtmpPort};
max_connections 100;
private_api { listen 127.0.0.1:${ports.first + 1}; }
workers { mode single; }
vhost __defaultVhost__ { }
${more}
`,
  );
}

function init(action: string, env: Readonly<Record<string, string>> = {}): Promise<FinishedProgram> {
  return ChildProgram.run(script, [action], { cwd: '/', env: { ROOT: root, DEFAULTS: '/dev/null', ...env }, limitMs: 30_000 });
}

function expectEnd(end: FinishedProgram, code: number, text: string | RegExp): void {
  expect(end.code).toBe(code);
  expect(end.stdout + end.stderr).toMatch(text);
}

const pidIn = (file: string): number => Number(readFileSync(join(root, file), 'utf8'));
const log = (): string => readFileSync(join(root, 'objs/srs.log'), 'utf8');

describe('start, status, reload, restart and stop', () => {
  it('do what they say, with the statuses of SRS', async () => {
    expect(await init('status')).toMatchObject({ code: 1, stdout: `SRS is stopped, there is no ${root}/objs/srs.pid.\n` });

    const start = await init('start');
    const pid = pidIn('objs/srs.pid');
    expect(start).toMatchObject({ code: 0, stderr: '', stdout: `Starting SRS...\nSRS(pid ${pid}) is started.\n` });
    expect(await init('status')).toMatchObject({ code: 0, stdout: `SRS(pid ${pid}) is running.\n` });
    expect(await init('start')).toMatchObject({ code: 0, stdout: `SRS(pid ${pid}) is running already.\n` });

    expect(await init('reload')).toMatchObject({ code: 0, stderr: '' });
    await eventually(
      () => log().includes('reload config success.'),
      5_000,
      () => 'the server does not reload',
    );
    expect(isAlive(pid)).toBe(true);

    expect(await init('restart')).toMatchObject({ code: 0, stderr: '' });
    const next = pidIn('objs/srs.pid');
    expect(next).not.toBe(pid);
    expect(isAlive(pid)).toBe(false);

    expect(await init('stop')).toMatchObject({ code: 0, stdout: `Stopping SRS(pid ${next})...\nSRS is stopped.\n` });
    expect(isAlive(next)).toBe(false);
    expect(() => pidIn('objs/srs.pid')).toThrow('ENOENT');
    expect(await init('stop')).toMatchObject({ code: 0, stdout: 'SRS is not running.\n' });
    expect(await init('status')).toMatchObject({ code: 1 });
    expect(await init('reload')).toMatchObject({ code: 1, stderr: 'SRS is not running.' });
  });

  it('anything else prints the usage, status 2', async () => {
    expectEnd(await init('dance'), 2, '{start|stop|restart|status|reload|reopen}');
  });

  it('reopen makes the server write to a new log file', async () => {
    await init('start');
    renameSync(join(root, 'objs/srs.log'), join(root, 'objs/srs.log.1'));
    expect(await init('reopen')).toMatchObject({ code: 0 });
    await eventually(
      () => statSync(join(root, 'objs/srs.log'), { throwIfNoEntry: false }) !== undefined,
      5_000,
      () => 'there is no new log file',
    );
  });
});

describe('the configuration', () => {
  it.each([
    ['pid ./my.pid;', 'my.pid'],
    ['  \tpid\t"./my own.pid" ; # where it is', 'my own.pid'],
    ["pid './quoted.pid';", 'quoted.pid'],
    ['work_dir ./work;\npid objs/srs.pid;', 'work/objs/srs.pid'],
    ['', 'objs/srs.pid'],
  ])('tells where the pid file is: %j', async (line, file) => {
    mkdirSync(join(root, 'work'));
    writeConfig(line);
    expect(await init('start')).toMatchObject({ code: 0, stderr: '' });
    expect(await init('status')).toMatchObject({ code: 0, stdout: `SRS(pid ${pidIn(file)}) is running.\n` });
    expectEnd(await init('stop'), 0, 'SRS is stopped.');
  });

  it('the log on the console goes to the log file, and does not keep the command from returning', async () => {
    writeConfig('srs_log_tank console;');
    expect(await init('start')).toMatchObject({ code: 0, stderr: '' });
    expect(log()).toContain('server started');
  });

  it('that is not valid does not cost the server that runs, at reload and at restart', async () => {
    await init('start');
    const pid = pidIn('objs/srs.pid');
    writeConfig('pid ./objs/srs.pid;\nnonsense on;');
    for (const action of ['reload', 'restart']) {
      const end = await init(action);
      expect(end.code).toBe(1);
      expect(end.stderr).toMatch(/srs\.conf:7: unknown directive nonsense/);
      expect(end.stderr).toContain('nothing was done');
      expect(isAlive(pid)).toBe(true);
    }
  });
});

describe('a start that fails says why', () => {
  it('a configuration that is not valid: the line, status 255', async () => {
    writeConfig('nonsense on;');
    const end = await init('start');
    expect(end.code).toBe(255);
    expect(end.stderr).toMatch(/srs\.conf:6: unknown directive nonsense/);
    expect(end.stderr).toContain('SRS start failed, status 255.');
    expect(log()).toMatch(/srs\.conf:6: unknown directive nonsense/);
  });

  it('a configuration that is not there: its name, status 18', async () => {
    const end = await init('start', { CONFIG: './conf/other.conf' });
    expect(end.code).toBe(18);
    expect(end.stderr).toContain('./conf/other.conf cannot be opened');
  });

  it('a port in use: the address, status 234', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '0.0.0.0', resolve));
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    try {
      writeConfig('', port);
      const end = await init('start');
      expect(end.code).toBe(234);
      expect(end.stderr).toContain(`0.0.0.0:${port}`);
      expect(end.stderr).toContain('EADDRINUSE');
    } finally {
      other.close();
    }
  });

  it('a tree without a server: what to set, status 5', async () => {
    const end = await init('start', { ROOT: tmpdir() });
    expectEnd(end, 5, 'set ROOT');
  });
});

describe('what is left behind', () => {
  it('the pid file of a server that was killed is not a running server', async () => {
    await init('start');
    const pid = pidIn('objs/srs.pid');
    process.kill(pid, 'SIGKILL');
    await eventually(
      () => !isAlive(pid),
      5_000,
      () => 'the server lives',
    );
    expectEnd(await init('status'), 1, /^SRS is stopped, process \d+ of /);
    expect(await init('start')).toMatchObject({ code: 0 });
  });

  it('the number of another program in the pid file is not a running server, and stop leaves that alone', async () => {
    mkdirSync(join(root, 'objs'));
    writeFileSync(join(root, 'objs/srs.pid'), String(process.pid));
    expect(await init('status')).toMatchObject({ code: 1 });
    expect(await init('stop')).toMatchObject({ code: 0, stdout: 'SRS is not running.\n' });
    expect(isAlive(process.pid)).toBe(true);
  });

  it('a server that does not stop in time is killed', async () => {
    await init('start');
    const pid = pidIn('objs/srs.pid');
    process.kill(pid, 'SIGSTOP');
    const end = await init('stop', { STOP_WAIT: '1' });
    expectEnd(end, 0, `SRS(pid ${pid}) did not stop within 1 s and was killed.`);
    await eventually(
      () => !isAlive(pid),
      5_000,
      () => 'the server lives',
    );
  });
});

describe('as root', () => {
  requires('setpriv');

  it('the server runs as the user of RUN_AS and may listen on a low port', async ({ skip }) => {
    skip(userInfo().uid !== 0, 'only root can start a server as another user');
    const port = await freeLowPort();
    writeConfig('pid ./run/srs.pid;\nsrs_log_file ./log/srs.log;', port);
    // What a temporary directory does not allow to others.
    await ChildProgram.run('/bin/chmod', ['755', root]);
    expect(await init('start', { RUN_AS: 'nobody' })).toMatchObject({ code: 0, stderr: '' });
    const { stdout } = await ChildProgram.run('/bin/ps', ['-o', 'user=', '-p', String(pidIn('run/srs.pid'))]);
    expect(stdout.trim()).toBe('nobody');
  });
});

/** A port below 1024 that nobody listens on. */
async function freeLowPort(): Promise<number> {
  for (let port = 1023; port > 900; port -= 1) {
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
  throw new Error('no port of 901..1023 is free');
}

describe('the scripts of deploy/', () => {
  requires('shellcheck');

  it('have no finding of shellcheck', async () => {
    const { stdout } = await ChildProgram.run('/usr/bin/git', ['-C', repositoryRoot, 'ls-files', 'deploy', 'test']);
    const scripts = stdout
      .split('\n')
      .filter((path) => path !== '' && readFileSync(join(repositoryRoot, path), 'utf8').startsWith('#!/bin/sh'));
    expect(scripts.length).toBeGreaterThan(5);
    const end = await ChildProgram.run('shellcheck', scripts, { cwd: repositoryRoot });
    expect(end).toMatchObject({ code: 0, stdout: '' });
  });
});
