import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ChildProgram, type FinishedProgram } from '../support/child-program.ts';
import { isAlive } from '../support/proc.ts';
import { requires } from '../support/requires.ts';
import { repositoryRoot } from '../support/server-process.ts';
import { requiresNamespaces } from '../support/test-machine.ts';

const hasPrograms = requires('unshare', 'nsenter', 'setpriv', 'ip');
const isAllowed = requiresNamespaces();

const dockerfile = readFileSync(join(repositoryRoot, 'deploy/docker/Dockerfile'), 'utf8');
const userOfImage = /^USER (\d+:\d+)$/m.exec(dockerfile)?.[1] ?? '';
const enterAs = `setpriv --no-new-privs chroot --userspec=${userOfImage} --groups=`;

/** What a container engine does with an image, as far as a program notices; read-only, as in `compose.yaml`. */
const runImage = `
  set -e
  root=$1
  shift
  mkdir -p "$root/proc" "$root/dev"
  mount --bind "$root" "$root"
  mount -o remount,bind,ro "$root"
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
  mount -t tmpfs -o mode=1777 tmpfs "$root/data"
  ip link set lo up
  exec ${enterAs} "$root" "$@"`;

/** Only what the image says: nothing of this machine's environment. */
const imageEnv = Object.fromEntries(Object.keys(process.env).map((name) => [name, undefined]));

let directory: string;
let root: string;

beforeAll(async () => {
  if (!hasPrograms || !isAllowed) return;
  directory = mkdtempSync(join(tmpdir(), 'srs-test-'));
  root = join(directory, 'image');
  const end = await ChildProgram.run(join(repositoryRoot, 'deploy/docker/build-root.sh'), [root]);
  expect(end).toMatchObject({ code: 0, stderr: '' });
});

afterAll(() => {
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
});

/** The command behind the beginning of a line of the Dockerfile. */
function words(beginning: string): string[] {
  const text = new RegExp(`^${beginning} (\\[.*\\])$`, 'm').exec(dockerfile)?.[1];
  if (text === undefined) throw new Error(`no ${beginning} in the Dockerfile`);
  return JSON.parse(text) as string[];
}

/** Runs the entry point of the image with these arguments. */
function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<ChildProgram> {
  const namespaces = ['--mount', '--pid', '--net', '--ipc', '--fork', '--kill-child'];
  const command = [...words('ENTRYPOINT'), ...args];
  return ChildProgram.start('unshare', [...namespaces, '/bin/sh', '-c', runImage, 'container', root, ...command], {
    env: { ...imageEnv, PATH: process.env.PATH, NODE_COMPILE_CACHE: '/tmp/compile-cache', ...env },
  });
}

/** The first process of the container, as this machine numbers it. */
function firstProcess(container: ChildProgram): number {
  return Number(readFileSync(`/proc/${container.pid}/task/${container.pid}/children`, 'utf8'));
}

/** Runs one more program in the container. */
function execute(container: ChildProgram, command: readonly string[]): Promise<FinishedProgram> {
  const target = ['--target', String(firstProcess(container)), '--mount', '--pid', '--net', '--ipc'];
  return ChildProgram.run('nsenter', [...target, ...enterAs.split(' '), root, ...command], {
    env: { ...imageEnv, PATH: process.env.PATH },
    limitMs: 20_000,
  });
}

it('the image runs as its user on a read-only root, is healthy, and ends with SIGTERM in good order', async () => {
  // The process of a container must not go to the background, whatever the configuration says.
  const container = await start(words('CMD'), { SRS_DAEMON: 'on' });
  try {
    await container.waitForLine(/server started, listen=0\.0\.0\.0:1935, workers=\d+, pid=1$/, { limitMs: 30_000 });
    const pids = container.pids().filter((pid) => pid !== container.pid);
    expect(pids.length).toBeGreaterThan(2);
    for (const pid of pids) {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      expect(/^Uid:\s+(\d+)/m.exec(status)?.[1]).toBe(userOfImage.split(':')[0]);
      expect(/^CapEff:\s+(\w+)/m.exec(status)?.[1]).toBe('0000000000000000');
    }
    // HEALTHCHECK
    expect(await execute(container, words('  CMD'))).toMatchObject({ code: 0, stderr: '' });
    process.kill(firstProcess(container), 'SIGTERM');
    expect(await container.waitForExit(10_000)).toEqual({ code: 0, signal: null });
    expect(pids.filter(isAlive)).toEqual([]);
  } finally {
    await container.stop();
  }
});

it('the image says what is wrong with a configuration, with the status of the server', async () => {
  const container = await start(['-t', '-c', '/etc/srs/missing.conf']);
  expect(await container.waitForExit(20_000)).toMatchObject({ code: 18 });
  expect(container.lines().join('\n')).toContain('/etc/srs/missing.conf cannot be opened');
});

it('its own configuration is valid', async () => {
  const container = await start(['-t', ...words('CMD')]);
  expect(await container.waitForExit(20_000)).toMatchObject({ code: 0 });
});
