import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requires } from '../support/requires.ts';
import { requiresTestMachine, TestMachine } from '../support/test-machine.ts';
import { buildPackage, InstalledService } from './installed-service-test-support.ts';

const canBuild = requires('dpkg-deb', 'adduser');
const canBoot = requiresTestMachine('systemd');

let directory: string;
let machine: TestMachine;
let service: InstalledService;

beforeAll(async () => {
  if (!canBuild || !canBoot) return;
  directory = mkdtempSync(join(tmpdir(), 'srs-test-'));
  machine = await TestMachine.start('systemd');
  service = new InstalledService(machine);
  await machine.output('dpkg', '--install', machine.add(await buildPackage(directory, '1.0')));
});

afterAll(async () => {
  await machine?.stop();
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
});

it('the server is locked away from what it has no need of', async () => {
  const pid = await service.mainPid();
  expect(await machine.shell(`grep NoNewPrivs /proc/${pid}/status`)).toMatch(/\t1$/m);
  // Binding to low ports, capability 10, and nothing else.
  expect(await machine.shell(`grep CapEff /proc/${pid}/status`)).toMatch(/\t0000000000000400$/m);
  expect(await machine.shell('systemd-analyze security srs.service --no-pager | tail -n 1')).toMatch(/: [0-3]\.\d /);
});

it('systemd finds nothing wrong with the unit', async () => {
  expect(await machine.run('systemd-analyze', '--man=no', 'verify', 'srs.service')).toMatchObject({
    code: 0,
    stdout: '',
    stderr: '',
  });
});

describe('systemctl', () => {
  it('status says what the server says of itself', async () => {
    const text = await machine.output('systemctl', '--no-pager', 'status', 'srs');
    expect(text).toContain('Active: active (running)');
    expect(text).toMatch(/Status: ".*0\.0\.0\.0:1935/);
  });

  it('reload applies what has changed, and the journal says what', async () => {
    const pid = await service.mainPid();
    await service.withConfig('listen 1935 1936;', async () => {
      await machine.output('systemctl', 'reload', 'srs');
      expect(await service.accepts(1936)).toBe(true);
      expect(await service.journal()).toContain('is in force as version 2');
    });
    await machine.output('systemctl', 'reload', 'srs');
    expect(await service.accepts(1936)).toBe(false);
    expect(await service.mainPid()).toBe(pid);
    expect(await service.property('ActiveState')).toBe('active');
  });

  it('what cannot be applied fails the reload, says why, and costs nothing', async () => {
    const pid = await service.mainPid();
    await service.withConfig('nonsense on;', async () => {
      expect((await machine.run('systemctl', 'reload', 'srs')).code).not.toBe(0);
      expect(await service.journal()).toMatch(/srs-cli\[\d+\]: .*srs\.conf:\d+: unknown directive nonsense/);
    });
    await using _other = await service.occupy(1937);
    await service.withConfig('listen 1935 1937;', async () => {
      expect((await machine.run('systemctl', 'reload', 'srs')).code).not.toBe(0);
      expect(await service.journal()).toMatch(/0\.0\.0\.0:1937.*EADDRINUSE/);
    });
    expect(await service.mainPid()).toBe(pid);
    expect(await service.accepts(1935)).toBe(true);
    expect(await service.property('ActiveState')).toBe('active');
  });

  it('restart is over when the new process serves; stop leaves nothing', async () => {
    const pid = await service.mainPid();
    await machine.output('systemctl', 'restart', 'srs');
    expect(await service.mainPid()).not.toBe(pid);
    expect(await service.accepts(1935)).toBe(true);
    await machine.output('systemctl', 'stop', 'srs');
    expect(await service.property('ActiveState')).toBe('inactive');
    expect(await service.property('Result')).toBe('success');
    expect((await machine.run('pgrep', '-u', 'srs')).stdout).toBe('');
    await machine.output('systemctl', 'start', 'srs');
    expect(await service.accepts(1935)).toBe(true);
  });

  it('start with a configuration that is not valid fails at once, says where, and is not tried again', async () => {
    await machine.output('systemctl', 'stop', 'srs');
    await service.withConfig('nonsense on;', async () => {
      const end = await machine.run('systemctl', 'start', 'srs');
      expect(end.code).not.toBe(0);
      expect(await service.property('ActiveState')).toBe('failed');
      expect(await service.property('ExecMainStatus')).toBe('255');
      expect(await service.property('NRestarts')).toBe('0');
      expect(await machine.shell('systemctl --no-pager --full status srs || true')).toMatch(
        /srs\.conf:\d+: unknown directive nonsense/,
      );
    });
    await machine.output('systemctl', 'start', 'srs');
  });

  it('start with a port in use fails and names the address', async () => {
    await machine.output('systemctl', 'stop', 'srs');
    await using _other = await service.occupy(1935);
    const end = await machine.run('systemctl', 'start', 'srs');
    expect(end.code).not.toBe(0);
    expect(await service.journal()).toMatch(/bind 0\.0\.0\.0:1935: EADDRINUSE/);
    await machine.output('systemctl', 'stop', 'srs');
  });

  it('ports below 1024 are allowed', async () => {
    await service.withConfig('listen 80;', async () => {
      await machine.output('systemctl', 'restart', 'srs');
      expect(await service.accepts(80)).toBe(true);
    });
    await machine.output('systemctl', 'restart', 'srs');
  });
});

describe('when something dies', () => {
  it('a worker: the service goes on', async () => {
    const pid = await service.mainPid();
    await machine.shell('kill -KILL "$(pgrep -f "^srs: stream" | head -n 1)"');
    await service.waitForLog(/stream worker in slot \d+ died/);
    expect(await service.mainPid()).toBe(pid);
    expect(await service.property('ActiveState')).toBe('active');
  });

  it('the master: it is started again', async () => {
    const pid = await service.mainPid();
    await machine.shell(`kill -KILL ${pid}`);
    await service.waitForOtherPid(pid);
    expect(await service.accepts(1935)).toBe(true);
  });

  it('a master that hangs: the watchdog ends it, and it is started again', async () => {
    await service.withDropIn('[Service]\nWatchdogSec=1\n', async () => {
      await machine.output('systemctl', 'restart', 'srs');
      const pid = await service.mainPid();
      await machine.shell(`kill -STOP ${pid}`);
      await service.waitForOtherPid(pid);
      expect(await service.accepts(1935)).toBe(true);
      expect(await service.journal()).toContain('Watchdog timeout');
    });
  });
});

it('a stop that lets clients leave first may take longer than the service manager waits', async () => {
  await service.withConfig('grace_start_wait 1500; grace_final_wait 500;', async () => {
    await machine.output('systemctl', 'restart', 'srs');
    await service.withDropIn('[Service]\\nKillSignal=SIGQUIT\\nTimeoutStopSec=1\\n', async () => {
      await machine.output('systemctl', 'stop', 'srs');
      expect(await service.property('Result')).toBe('success');
      expect(await service.journal()).toMatch(/SIGQUIT: all clients have left/);
    });
  });
});

describe('logrotate', () => {
  requires('logrotate');

  it('moves the log away, and the server writes on into a new one', async () => {
    await machine.output('systemctl', 'restart', 'srs');
    await machine.output('logrotate', '--force', '/etc/logrotate.d/srs');
    expect(await machine.shell('tail -n 1 /var/log/srs/srs.log.1')).toContain('server started');
    expect(await service.accepts(1935)).toBe(true);
    await service.waitForLog(/RTMP client ip=/);
    expect(await machine.shell('cat /var/log/srs/srs.log.1')).not.toContain(
      await machine.shell('head -n 1 /var/log/srs/srs.log'),
    );
    expect(await machine.shell('stat --format %U /var/log/srs/srs.log')).toBe('srs\n');
  });
});
