import { loadConfig } from '@srs/config';
import { describe, expect, it } from 'vitest';
import { CasterRefusal } from './caster-refusal.ts';
import { findCaster, hostOf, targetOf } from './caster-target.ts';

const casters = (...blocks: readonly string[]) =>
  loadConfig(
    `listen 1935; vhost __defaultVhost__ { } vhost own.test { } ${blocks.map((one) => `stream_caster { ${one} }`).join('')}`,
    {
      fileName: 'srs.conf',
    },
  ).config;

/** Of a caster with that output: vhost, app, parameters of the app, stream name. */
function target(url: string, output = 'rtmp://127.0.0.1/[app]/[stream]', host = 'asked.test'): readonly string[] {
  const [caster] = casters(`output ${output};`).streamCasters;
  const { url: found, streamName } = targetOf(caster!.output, host, url);
  return [found.vhost, found.app, found.param, streamName];
}

describe('the stream of a POST', () => {
  it.each<readonly [string, readonly string[]]>([
    ['/live/s.flv', ['127.0.0.1', 'live', '', 's']],
    ['/live/s.ts', ['127.0.0.1', 'live', '', 's']],
    ['/live/s', ['127.0.0.1', 'live', '', 's']],
    ['/live/s.flv.ts', ['127.0.0.1', 'live', '', 's.flv']],
    ['/a/b/s.flv', ['127.0.0.1', 'a/b', '', 's']],
    ['/live/s.flv?token=1&vhost=own.test', ['127.0.0.1', 'live', '', 's?token=1&vhost=own.test']],
    ['/live/%C3%A4.flv', ['127.0.0.1', 'live', '', 'ä']],
  ])('%s is app and stream of the URL, with its parameters', (url, expected) => {
    expect(target(url)).toEqual(expected);
  });

  it.each<readonly [string, readonly string[]]>([
    ['rtmp://own.test/[app]/[stream]', ['own.test', 'live', '', 's?token=1']],
    ['rtmp://[vhost]/[app]/[stream]', ['asked.test', 'live', '', 's?token=1']],
    ['rtmp://127.0.0.1:1935/[vhost]/[app]-[stream]', ['127.0.0.1', 'asked.test', '', 'live-s?token=1']],
    ['rtmp://127.0.0.1/fixed?vhost=own.test/name', ['own.test', 'fixed', '?vhost=own.test', 'name?token=1']],
    ['rtmp://localhost/[app]/[stream]?vhost=own.test', ['localhost', 'live', '', 's?vhost=own.test&token=1']],
    ['rtmp://[::1]/[app]/[stream]', ['::1', 'live', '', 's?token=1']],
  ])('is what the output %s makes of it', (output, expected) => {
    expect(target('/live/s.flv?token=1', output)).toEqual(expected);
  });

  it('of another vhost is that of the parameter before that of the host', () => {
    expect(target('/live/s.flv?vhost=own.test', 'rtmp://[vhost]/[app]/[stream]')[0]).toBe('own.test');
  });

  it.each([
    ['/s.flv', 'it names no app'],
    ['/', 'it names no app'],
    ['/live/', 'it names no stream'],
    ['/live/.flv', 'it names no stream'],
    ['/%zz/s.flv', 'no path that can be read'],
    ['http://a/live/s.flv', 'no path that can be read'],
    ['*', 'no path that can be read'],
  ])('%s is refused', (url, why) => {
    expect(() => target(url)).toThrow(CasterRefusal);
    expect(() => target(url)).toThrow(why);
  });

  it('has an app that is safe in a path', () => {
    for (const app of ['..', '.hidden', '-rf', 'a%00b', 'a%5cb'])
      expect(() => target(`/${app}/s.flv`)).toThrow(/must name an app/);
  });
});

describe('the caster of a connection', () => {
  const config = casters(
    'enabled on; listen 8936; output rtmp://own.test/[app]/[stream];',
    'enabled on; listen 127.0.0.1:8937;',
    'enabled off; listen 8938;',
    'enabled on; listen 8939; caster gb28181;',
  );

  it('is the one that listens there', () => {
    expect(findCaster(config, '10.0.0.1', 8936)?.output.host).toBe('own.test');
    expect(findCaster(config, '127.0.0.1', 8937)?.output.host).toBe('127.0.0.1');
  });

  it('is none where another service, nobody, or what is switched off listens', () => {
    for (const port of [8935, 8938, 8939]) expect(findCaster(config, '127.0.0.1', port)).toBeUndefined();
    expect(findCaster(config, '10.0.0.1', 8937)).toBeUndefined();
  });
});

it('the host of a request has neither port nor brackets', () => {
  const hosts = ['a.test', 'a.test:8936', '[::1]:8936', '[::1]', '', undefined].map(hostOf);
  expect(hosts).toEqual(['a.test', 'a.test', '::1', '::1', '', '']);
});
