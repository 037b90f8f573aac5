import { type Log, silentLog } from '@srs/kernel';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ServiceNotify } from './service-notify.ts';

const PID = 4711;
let sent: string[] = [];
let isServing = true;
let opened: ServiceNotify[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  isServing = true;
});

afterEach(() => {
  for (const notify of opened.splice(0)) notify.close();
  vi.useRealTimers();
});

function open(env: NodeJS.ProcessEnv, log: Log = silentLog, send = (_: string, text: string): void => void sent.push(text)) {
  const notify = new ServiceNotify({ env, pid: PID, log, isServing: () => isServing, send });
  opened = [...opened, notify];
  return notify;
}

it('tells when clients can connect, when it reloads and when it ends', () => {
  const notify = open({ NOTIFY_SOCKET: '/run/notify' });
  notify.ready('3 of 3\nworkers');
  notify.reloading();
  notify.ready('3 of 3 workers');
  notify.stopping('waiting for 2 clients', 30_000);
  expect(sent).toEqual([
    'READY=1\nSTATUS=3 of 3 workers',
    expect.stringMatching(/^RELOADING=1\nMONOTONIC_USEC=\d+$/),
    'READY=1\nSTATUS=3 of 3 workers',
    'STOPPING=1\nSTATUS=waiting for 2 clients\nEXTEND_TIMEOUT_USEC=30000000',
  ]);
});

it('a reload that ends while the server stops is not told', () => {
  const notify = open({ NOTIFY_SOCKET: '/run/notify' });
  notify.stopping('waiting for 2 clients');
  notify.reloading();
  notify.ready('3 of 3 workers');
  expect(sent).toEqual(['STOPPING=1\nSTATUS=waiting for 2 clients']);
});

it('takes its variables out of the environment and leaves the others', () => {
  const env: NodeJS.ProcessEnv = { NOTIFY_SOCKET: '/run/notify', WATCHDOG_USEC: '1000', WATCHDOG_PID: '1', PATH: '/bin' };
  open(env);
  expect(env).toEqual({ PATH: '/bin' });
});

it('without a manager says nothing', () => {
  const notify = open({ WATCHDOG_USEC: '1000000' });
  notify.ready('');
  notify.stopping('');
  vi.advanceTimersByTime(10_000);
  expect(sent).toEqual([]);
});

it('gives a sign of life twice in the time the manager allows, from ready to the end', () => {
  const notify = open({ NOTIFY_SOCKET: '/run/notify', WATCHDOG_USEC: '2000000', WATCHDOG_PID: String(PID) });
  vi.advanceTimersByTime(5_000);
  expect(sent).toEqual([]);
  notify.ready('up');
  notify.ready('up');
  vi.advanceTimersByTime(3_000);
  expect(sent.slice(2)).toEqual(['WATCHDOG=1', 'WATCHDOG=1', 'WATCHDOG=1']);
  notify.close();
  vi.advanceTimersByTime(5_000);
  expect(sent).toHaveLength(5);
});

it('a server that cannot serve gives no sign of life until it can', () => {
  const notify = open({ NOTIFY_SOCKET: '/run/notify', WATCHDOG_USEC: '2000000' });
  notify.ready('up');
  isServing = false;
  vi.advanceTimersByTime(3_000);
  expect(sent).toHaveLength(1);
  isServing = true;
  vi.advanceTimersByTime(1_000);
  expect(sent).toHaveLength(2);
});

it('the watchdog of another process is not ours', () => {
  const notify = open({ NOTIFY_SOCKET: '/run/notify', WATCHDOG_USEC: '2000000', WATCHDOG_PID: '1' });
  notify.ready('up');
  vi.advanceTimersByTime(10_000);
  expect(sent).toHaveLength(1);
});

it('a manager that does not hear is warned about once and stops nothing', () => {
  const warnings: string[] = [];
  const log: Log = { ...silentLog, warn: (text) => void warnings.push(text) };
  const notify = open({ NOTIFY_SOCKET: '/run/nobody' }, log, (socket) => {
    throw new Error(`sendto ${socket}: ENOENT`);
  });
  notify.ready('up');
  notify.stopping('bye');
  expect(warnings).toEqual(['the service manager does not hear: sendto /run/nobody: ENOENT']);
});
