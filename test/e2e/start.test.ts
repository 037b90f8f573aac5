import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChildProgram, type FinishedProgram } from '../support/child-program.ts';
import { eventually } from '../support/deadline.ts';
import { claimPorts, type PortBlock } from '../support/ports.ts';
import { isAlive } from '../support/proc.ts';
import { repositoryRoot, type ServerPlace, ServerProcess, serverCommand } from '../support/server-process.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'srs-test-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function srs(args: readonly string[], env: Readonly<Record<string, string | undefined>> = {}): Promise<FinishedProgram> {
  return ChildProgram.run(serverCommand, args, { cwd: directory, env });
}

function configFile(text: string): string {
  const path = join(directory, 'test.conf');
  writeFileSync(path, text);
  return path;
}

const smallConfig = (
  { rtmpPort, privatePort }: Pick<ServerPlace, 'rtmpPort' | 'privatePort'>,
  pid: string,
  more = '',
): string => `
listen ${rtmpPort};
pid ${pid};
max_connections 100;
private_api { listen 127.0.0.1:${privatePort}; }
${more}
workers { mode single; }
vhost __defaultVhost__ { }
`;

async function listenSomewhere(host: string): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return { server, port: address.port };
}

describe('the options', () => {
  it.each(['-v', '-V'])('%s prints the version', async (option) => {
    const end = await srs([option]);
    expect(end).toMatchObject({ code: 0, stdout: '' });
    expect(end.stderr).toMatch(/^\d+\.\d+\.\d+/);
  });

  it.each([
    ['-h', ['-h']],
    ['-?', ['-?']],
    ['none', []],
  ])('%s prints the usage', async (_, args) => {
    const end = await srs(args);
    expect(end).toMatchObject({ code: 0, stderr: '' });
    expect(end.stdout).toMatch(/^Usage: srs .*-c FILE/);
  });

  it('an unknown one is named, with status 255 and the usage', async () => {
    const end = await srs(['--nonsense']);
    expect(end.code).toBe(255);
    expect(end.stderr).toMatch(/^srs: .*--nonsense/);
    expect(end.stderr).toContain('Usage: srs ');
  });

  it('-t tells that a configuration is valid', async () => {
    const path = configFile('listen 1935; max_connections 100; vhost __defaultVhost__ { }');
    expect(await srs(['-t', '-c', path])).toMatchObject({ code: 0, stdout: `${path}: the configuration is valid\n`, stderr: '' });
  });
});

describe('a configuration that cannot be used', () => {
  it('is told with file and line, status 255', async () => {
    const path = configFile('listen 1935;\nmax_connections 100;\nchunk_size 7;\nnonsense on;\n');
    for (const args of [
      ['-t', '-c', path],
      ['-c', path],
    ]) {
      const end = await srs(args);
      expect(end.code).toBe(255);
      expect(end.stderr).toContain(`${path}:3: `);
      expect(end.stderr).toMatch(/chunk_size.*128\.\.65536/);
      expect(end.stderr).toContain(`${path}:4: `);
    }
  });

  it('that is not there ends with status 18 and its name', async () => {
    const end = await srs(['-c', join(directory, 'missing.conf')]);
    expect(end.code).toBe(18);
    expect(end.stderr).toContain(`configuration file ${join(directory, 'missing.conf')} cannot be opened`);
    expect(end.stderr).toContain('ENOENT');
  });

  it('that is a directory ends with status 18', async () => {
    const end = await srs(['-c', directory]);
    expect(end.code).toBe(18);
    expect(end.stderr).toContain('must be a regular file');
  });
});

describe('the pid file', () => {
  it('holds the number of the master, without a newline, readable for all', async () => {
    await using server = await ServerProcess.start({ workers: 'mode single;' });
    const path = join(server.place.directory, 'objs/srs.pid');
    expect(readFileSync(path, 'utf8')).toBe(String(server.program.pid));
    expect(statSync(path).mode & 0o777).toBe(0o644);
  });

  it('keeps a second server out: status 11, and it says who holds the file', async () => {
    await using server = await ServerProcess.start({ workers: 'mode single;' });
    const second = await srs(['-c', server.configFile]);
    expect(second.code).toBe(11);
    expect(second.stderr).toContain(`srs.pid is locked by process ${server.program.pid}: the server is already running`);
    expect(server.program.isRunning).toBe(true);
    expect(await server.workers()).toHaveLength(2);
  });

  it('of a server that was killed does not keep the next one out', async () => {
    await using server = await ServerProcess.start({ workers: 'mode single;' });
    server.signal('SIGKILL');
    await server.program.exited;
    const next = await ChildProgram.start(serverCommand, ['-c', server.configFile], { cwd: server.place.directory });
    await next.waitForLine('server started', { limitMs: 20_000 });
    expect(readFileSync(join(server.place.directory, 'objs/srs.pid'), 'utf8')).toBe(String(next.pid));
    expect(await next.stop()).toEqual({ code: 0, signal: null });
  });
});

describe('an address in use', () => {
  it.each(['single', 'multi'])('of RTMP ends with status 234 and the address, in %s mode; no process is left', async (mode) => {
    const { server: other, port } = await listenSomewhere('0.0.0.0');
    try {
      const server = await ServerProcess.launch({
        config: (place) =>
          smallConfig(
            { ...place, rtmpPort: port },
            'objs/srs.pid',
            `daemon off; srs_log_tank console; workers { mode ${mode}; }`,
          ),
      });
      const exit = await server.program.waitForExit(20_000);
      expect(exit.code).toBe(234);
      expect(server.log().join('\n')).toMatch(new RegExp(`srs: .*0\\.0\\.0\\.0:${port}.*EADDRINUSE`));
      await server.stop();
    } finally {
      other.close();
    }
  });
});

describe('the port of the private API in use', () => {
  it('ends with status 234 and the address', async () => {
    const { server: other, port } = await listenSomewhere('127.0.0.1');
    try {
      const server = await ServerProcess.launch({
        config: (place) => smallConfig({ ...place, privatePort: port }, 'objs/srs.pid', 'daemon off; srs_log_tank console;'),
      });
      expect((await server.program.waitForExit(20_000)).code).toBe(234);
      expect(server.log().join('\n')).toMatch(new RegExp(`srs: private_api listen 127\\.0\\.0\\.1:${port}: .*EADDRINUSE`));
      await server.stop();
    } finally {
      other.close();
    }
  });
});

describe('in the background', () => {
  let ports: PortBlock;

  beforeEach(async () => {
    ports = await claimPorts();
  });

  afterEach(() => {
    ports.release();
  });

  /** Starts `srs` as a daemon; the command has returned. */
  async function startDaemon(rtmpPort: number): Promise<{ end: FinishedProgram; pidFile: string }> {
    const pidFile = join(directory, 'objs/srs.pid');
    const path = configFile(
      smallConfig({ rtmpPort, privatePort: ports.first + 1 }, pidFile, `srs_log_file ${join(directory, 'objs/srs.log')};`),
    );
    return { end: await srs(['-c', path]), pidFile };
  }

  const pidIn = (path: string): number => Number(readFileSync(path, 'utf8'));

  function accepts(port: number): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
  }

  async function stopDaemon(pid: number): Promise<void> {
    process.kill(pid, 'SIGTERM');
    await eventually(
      () => !isAlive(pid),
      10_000,
      () => `the daemon ${pid} does not end`,
    );
  }

  it('the command returns when the server is up: its port accepts, its pid file is right', async () => {
    const rtmpPort = ports.first;
    const { end, pidFile } = await startDaemon(rtmpPort);
    const pid = pidIn(pidFile);
    try {
      expect(end).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
      expect(await accepts(rtmpPort)).toBe(true);
      expect(isAlive(pid)).toBe(true);
      expect(pid).not.toBe(process.pid);
      const log = readFileSync(join(directory, 'objs/srs.log'), 'utf8');
      expect(log).toContain('srs(simple-rtmp-server)');
      expect(log).toMatch(new RegExp(`server started, .*pid=${pid}`));
      const second = await srs(['-c', join(directory, 'test.conf')]);
      expect(second.code).toBe(11);
      expect(second.stderr).toContain(`is locked by process ${pid}`);
    } finally {
      await stopDaemon(pid);
    }
  });

  it('the command returns the reason and the status of a server that cannot start', async () => {
    const { server: other, port } = await listenSomewhere('0.0.0.0');
    try {
      const { end } = await startDaemon(port);
      expect(end.code).toBe(234);
      expect(end.stderr).toMatch(new RegExp(`0\\.0\\.0\\.0:${port}.*EADDRINUSE`));
    } finally {
      other.close();
    }
  });
});

describe('the launcher', () => {
  /** A tree with the launcher in it and no installed packages. */
  function bareTree(): string {
    const tree = join(directory, 'tree');
    mkdirSync(join(tree, 'bin'), { recursive: true });
    for (const name of ['srs', 'find-node.sh']) {
      writeFileSync(join(tree, 'bin', name), readFileSync(join(repositoryRoot, 'bin', name)), { mode: 0o755 });
    }
    return tree;
  }

  /** A directory for PATH with the few programs a shell script needs, and what else is given. */
  function pathWith(programs: Readonly<Record<string, string>>): string {
    const path = join(directory, 'path');
    mkdirSync(path);
    for (const name of ['dirname', 'readlink'])
      writeFileSync(join(path, name), `#!/bin/sh\nexec /usr/bin/${name} "$@"\n`, { mode: 0o755 });
    for (const [name, text] of Object.entries(programs)) writeFileSync(join(path, name), text, { mode: 0o755 });
    return path;
  }

  it('without any Node says what to do, status 127', async () => {
    const tree = bareTree();
    const end = await ChildProgram.run(join(tree, 'bin/srs'), ['-v'], { env: { PATH: pathWith({}) } });
    expect(end.code).toBe(127);
    expect(end.stderr).toBe(`srs: Node.js 24.18 or newer is needed and none was found; run 'npm ci' in ${tree}`);
  });

  it('with only an old Node says so, status 127', async () => {
    const tree = bareTree();
    const old = '#!/bin/sh\nif [ "$1" = --version ]; then echo v20.1.0; exit 0; fi\nexit 1\n';
    const end = await ChildProgram.run(join(tree, 'bin/srs'), ['-v'], { env: { PATH: pathWith({ node: old }) } });
    expect(end.code).toBe(127);
    expect(end.stderr).toBe(`srs: Node.js v20.1.0 is too old, 24.18 or newer is needed; run 'npm ci' in ${tree}`);
  });

  it('finds its tree through symbolic links', async () => {
    const link = join(directory, 'srs-link');
    symlinkSync(serverCommand, link);
    expect((await ChildProgram.run(link, ['-v'], { cwd: directory })).code).toBe(0);
  });
});
