import { type Config, loadConfig } from '@srs/config';
import { describe, expect, it } from 'vitest';
import type { Listener } from './environment.ts';
import { LiveSettings } from './live-settings.ts';
import type { WorkerConfigure } from './worker-start.ts';

const config = (text: string): Config => loadConfig(`listen 1935; ${text}`, { fileName: 'srs.conf' }).config;
const at = (port: number, fd?: number): Listener => ({
  service: 'rtmp',
  slot: 1,
  host: '0.0.0.0',
  port,
  ...(fd === undefined ? {} : { fd }),
});
const request = (text: string, listeners: readonly Listener[]): WorkerConfigure => ({
  config: config(text),
  listeners,
  doorbells: [],
  parcel: 1,
});

function setUp() {
  const settings = new LiveSettings(config('vhost a {} vhost b {}'), [at(1, 11), at(2, 12)]);
  const closed: number[] = [];
  const update = (asked: WorkerConfigure) =>
    settings.update(
      asked,
      (index) => 100 + index,
      (fd) => closed.push(fd),
    );
  return { settings, closed, update };
}

describe('LiveSettings', () => {
  it('tells what is new and what is over, and keeps what is the same', () => {
    const { settings, closed, update } = setUp();
    const before = settings.config;
    const change = update(request('vhost a {} vhost b { gop_cache off; }', [at(2), at(3, 0)]));
    expect(change.opened).toEqual([at(3, 100)]);
    expect(change.closed).toEqual([at(1, 11)]);
    expect([change.previous, change.config]).toEqual([before, settings.config]);
    expect(change.config.vhosts.get('a')).toBe(before.vhosts.get('a'));
    expect(change.config.vhosts.get('b')).not.toBe(before.vhosts.get('b'));
    expect(closed).toEqual([]);
  });

  it('a socket that comes twice is closed once, and served once', () => {
    const { closed, update } = setUp();
    expect(update(request('vhost a {}', [at(1, 0), at(2), at(3, 1)])).opened).toEqual([at(3, 101)]);
    expect(closed).toEqual([100]);
    expect(update(request('vhost a {}', [at(1), at(2), at(3, 0)])).opened).toEqual([]);
    expect(closed).toEqual([100, 100]);
  });

  it('a socket that was wanted and never came is opened when it does', () => {
    const { update } = setUp();
    expect(update(request('vhost a {}', [at(1), at(2), at(3)]))).toMatchObject({ opened: [], closed: [] });
    expect(update(request('vhost a {}', [at(1), at(2), at(3, 0)])).opened).toEqual([at(3, 100)]);
    expect(update(request('vhost a {}', [])).closed.map(({ port }) => port)).toEqual([1, 2, 3]);
  });
});
