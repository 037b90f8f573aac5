import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { requires } from '../support/requires.ts';
import { requiresTestMachine, TestMachine } from '../support/test-machine.ts';
import { buildPackage, relabelPackage } from './installed-service-test-support.ts';

requires('dpkg-deb', 'adduser');
requiresTestMachine('none');

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'srs-test-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

it('the package is installed, upgraded, removed and purged by way of the init script', async () => {
  const older = await buildPackage(directory, '1.0~first');
  const newest = await relabelPackage(older, '1.0');
  await using machine = await TestMachine.start('none');
  const pid = async () => Number(await machine.shell('cat /run/srs/srs.pid'));
  const status = () => machine.run('/etc/init.d/srs', 'status');
  // What an init of that kind would tell.
  await machine.shell('rm /sbin/runlevel && printf "#!/bin/sh\\necho N 2\\n" >/sbin/runlevel && chmod +x /sbin/runlevel');

  await machine.output('dpkg', '--install', machine.add(older));
  expect(await status()).toMatchObject({ code: 0, stdout: `SRS(pid ${await pid()}) is running.\n` });
  expect((await machine.shell(`ps -o user= -p ${await pid()}`)).trim()).toBe('srs');
  expect(await machine.shell('ls /etc/rc2.d')).toMatch(/^S\d\dsrs$/m);

  const first = await pid();
  await machine.output('dpkg', '--install', machine.add(newest));
  expect(await status()).toMatchObject({ code: 0 });
  expect(await pid()).not.toBe(first);

  await machine.output('dpkg', '--remove', 'srs');
  expect((await machine.run('pgrep', '-u', 'srs')).stdout).toBe('');
  await machine.output('dpkg', '--purge', 'srs');
  expect(await machine.shell('ls /etc/rc2.d')).not.toContain('srs');
});
