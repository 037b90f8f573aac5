import { loadConfig } from '@srs/config';
import type { ServerDirectory, SlotReport, SlotState } from '@srs/http-server';
import { expect, test } from 'vitest';
import { isFirstHttpWorker, portsOf } from './http-heartbeat.ts';

const slotOf = (slot: number, role: SlotReport['role'], state: SlotState): SlotReport => ({
  slot,
  role,
  state,
  pid: 100 + slot,
  port: 0,
  restarts: 0,
  lastEnd: '',
  uptimeSeconds: 0,
});

const directoryOf = (...workers: SlotReport[]): ServerDirectory => ({ server: {} as ServerDirectory['server'], workers });

test('one http worker beats, and the next one when it is dead', () => {
  const others = [slotOf(0, 'back-source', 'ready'), slotOf(1, 'stream', 'ready')];
  const both = directoryOf(...others, slotOf(2, 'http', 'ready'), slotOf(3, 'http', 'ready'));
  expect([2, 3].map((slot) => isFirstHttpWorker(both, slot))).toEqual([true, false]);
  const first = directoryOf(...others, slotOf(2, 'http', 'waiting'), slotOf(3, 'http', 'ready'));
  expect(isFirstHttpWorker(first, 3)).toBe(true);
});

test('a worker beats while it is still being started', () => {
  expect(isFirstHttpWorker(directoryOf(slotOf(2, 'http', 'starting')), 2)).toBe(true);
});

test('the ports are those of the services that are switched on', () => {
  const portsIn = (text: string) => portsOf(loadConfig(text, { fileName: 'srs.conf' }).config);
  expect(portsIn('listen 1935 19350;')).toEqual({ rtmp: ['1935', '19350'] });
  expect(portsIn('listen 1935; http_api { enabled on; listen 1986; } http_server { enabled on; }')).toEqual({
    rtmp: ['1935'],
    http: ['8080'],
    api: ['1986'],
  });
});
