import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requires } from '../support/requires.ts';
import { repositoryRoot } from '../support/server-process.ts';
import { requiresTestMachine, TestMachine } from '../support/test-machine.ts';
import { buildPackage, InstalledService, relabelPackage } from './installed-service-test-support.ts';

const canBuild = requires('dpkg-deb', 'adduser');
const canBoot = requiresTestMachine('systemd');

let directory: string;
let machine: TestMachine;
let service: InstalledService;
let newer: string;
/** What bore the server's name before the first installation. */
let before: readonly string[];

/** Everything outside of the checkout that bears the server's name. */
async function named(): Promise<string[]> {
  // Other checkouts' dependencies are many files, and none of them is the package's.
  const skipped = ['/proc', '/sys', '/tmp', repositoryRoot, "'*/node_modules'"]
    .map((path) => `-path ${path} -prune -o`)
    .join(' ');
  return (await machine.shell(`find / ${skipped} -name '*srs*' -print`)).split('\n').filter(Boolean);
}

beforeAll(async () => {
  if (!canBuild || !canBoot) return;
  directory = mkdtempSync(join(tmpdir(), 'srs-test-'));
  const older = await buildPackage(directory, '1.0~first');
  const newest = await relabelPackage(older, '1.0');
  machine = await TestMachine.start('systemd');
  service = new InstalledService(machine);
  newer = machine.add(newest);
  const first = machine.add(older);
  before = await named();
  await machine.output('dpkg', '--install', first);
});

afterAll(async () => {
  await machine?.stop();
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
});

describe('the package, installed', () => {
  it('serves at once, as a user of its own, and again after a boot', async () => {
    expect(await service.property('ActiveState')).toBe('active');
    expect((await machine.run('systemctl', 'is-enabled', 'srs')).stdout.trim()).toBe('enabled');
    expect(await service.accepts(1935)).toBe(true);
    expect((await machine.shell('ps -o user= -p "$(cat /run/srs/srs.pid)"')).trim()).toBe('srs');
    expect(await machine.shell('ps -o user= -C "srs: stream 1" || ps -eo user=,args= | grep "srs: stream"')).toMatch(/^srs /m);
  });

  it('has its files where Debian wants them, unchanged', async () => {
    expect(await machine.shell('dpkg --verify srs')).toBe('');
    expect(await machine.shell('srs -v 2>&1')).toMatch(/^\d+\.\d+\.\d+/);
    expect(await machine.shell('ls /var/log/srs')).toContain('srs.log');
    expect(await machine.output('dpkg', '--status', 'srs')).toContain('/etc/srs/srs.conf');
  });
});

describe('a new version', () => {
  it('replaces the old one, restarts the service and keeps the configuration', async () => {
    const pid = await service.mainPid();
    await machine.shell('echo "# of the operator" >>/etc/srs/srs.conf');
    await machine.output('dpkg', '--install', newer);
    expect(await machine.output('dpkg', '--status', 'srs')).toMatch(/^Status: install ok installed$.*^Version: 1\.0$/ms);
    expect(await service.mainPid()).not.toBe(pid);
    expect(await service.accepts(1935)).toBe(true);
    expect(await machine.shell('cat /etc/srs/srs.conf')).toContain('# of the operator');
  });

  it('a service that the operator has stopped from starting stays so', async () => {
    await machine.shell('systemctl disable --now srs 2>&1');
    await machine.output('dpkg', '--install', newer);
    expect((await machine.run('systemctl', 'is-enabled', 'srs')).stdout.trim()).toBe('disabled');
  });
});

describe('the package, taken away', () => {
  it('remove stops the service and keeps configuration, log and recordings', async () => {
    await machine.shell('systemctl enable --now srs 2>&1 && touch /var/lib/srs/recording.flv');
    await machine.output('dpkg', '--remove', 'srs');
    expect(await service.property('ActiveState')).toBe('inactive');
    expect((await machine.run('pgrep', '-u', 'srs')).stdout).toBe('');
    expect(await machine.shell('ls -d /usr/lib/srs /usr/bin/srs /lib/systemd/system/srs.service 2>/dev/null || true')).toBe('');
    expect(await machine.shell('cat /etc/srs/srs.conf')).toContain('listen 1935;');
    expect(await machine.shell('ls /var/log/srs')).toContain('srs.log');
  });

  it('purge leaves the recordings and nothing else', async () => {
    await machine.output('dpkg', '--purge', 'srs');
    expect((await named()).filter((path) => !before.includes(path))).toEqual(['/var/lib/srs']);
    expect(await machine.shell('ls /var/lib/srs')).toBe('recording.flv\n');
  });
});
