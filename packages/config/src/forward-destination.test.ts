import { describe, expect, it } from 'vitest';
import { describeForwardDestination, parseForwardDestination } from './forward-destination.ts';
import { destinationsOf, forwardBackendOf } from './forward-wishes.ts';
import { loadConfig } from './load.ts';

describe('parseForwardDestination', () => {
  it.each([
    ['a.test', { host: 'a.test', port: 1935 }, 'a.test:1935'],
    ['10.0.0.2:1936', { host: '10.0.0.2', port: 1936 }, '10.0.0.2:1936'],
    ['[::1]', { host: '::1', port: 1935 }, '[::1]:1935'],
    ['rtmp://a/live/s', { host: 'a', port: 1935 }, 'rtmp://a/live/s'],
    ['rtmps://a/live/s', { host: 'a', port: 443 }, 'rtmps://a/live/s'],
    ['rtmp://[::1]:1936/x/y/s', { host: '::1', port: 1936 }, 'rtmp://[::1]:1936/x/y/s'],
    ['rtmps://a:444/[vhost]/[app]/[stream]-2[param]', { host: 'a', port: 444 }, 'rtmps://a:444/[vhost]/[app]/[stream]-2[param]'],
    ['rtmp://a/live/s?key=abc&b=1', { host: 'a', port: 1935 }, 'rtmp://a/live/s?key=***&b=1'],
  ])('%s', (text, address, shown) => {
    const destination = parseForwardDestination(text);
    expect(destination).toEqual({ ...address, url: text.includes('://') ? text : undefined });
    expect(describeForwardDestination(destination!)).toBe(shown);
  });

  it.each([
    '',
    'a:0',
    'a b',
    'rtmp://a',
    'rtmp://a/live',
    'rtmp://a/live/',
    'rtmp://a/live?key=k/s',
    'rtmp://a:0/live/s',
    'rtmp://a:65536/live/s',
    'rtmp://user:secret@a/live/s',
    'rtmp://[vhost]/live/s',
    'rtmp://a/live/[strem]',
    'rtmp://a/live/s?a=b c',
    'rtmp://a/live/s\u0007',
    'http://a/live/s',
    `rtmp://a/live/${'s'.repeat(4096)}`,
  ])('%j is no destination', (text) => {
    expect(parseForwardDestination(text)).toBeUndefined();
  });
});

describe('the destinations of a vhost', () => {
  const backend = 'backend http://127.0.0.1:8085/forward;';
  it.each([
    ['forward a b:1936;', {}, ['a:1935', 'b:1936'], ''],
    [`forward { enabled on; destination a rtmp://b/live/s; ${backend} }`, {}, ['a:1935', 'rtmp://b/live/s'], 'set'],
    [`forward { destination a; ${backend} }`, {}, [], ''],
    [`forward a; forward { enabled on; destination b; }`, {}, ['a:1935', 'b:1935'], ''],
    [`forward { enabled on; destination b; } forward a;`, {}, ['a:1935', 'b:1935'], ''],
    ['forward a;', { SRS_VHOST_FORWARD_ENABLED: 'on', SRS_VHOST_FORWARD_DESTINATION: 'b' }, ['a:1935', 'b:1935'], ''],
    ['forward { enabled on; destination a; }', { SRS_VHOST_FORWARD: 'b' }, ['b:1935', 'a:1935'], ''],
  ])('%s with %o', (text, env, destinations, hasBackend) => {
    const { config, warnings } = loadConfig(`listen 1935; vhost __defaultVhost__ { ${text} }`, { fileName: 'srs.conf', env });
    const vhost = config.vhosts.get('__defaultVhost__')!;
    expect(warnings).toEqual([]);
    expect(destinationsOf(vhost).map(describeForwardDestination)).toEqual(destinations);
    expect(forwardBackendOf(vhost)).toBe(hasBackend === '' ? '' : 'http://127.0.0.1:8085/forward');
  });

  it('are told about when one form is given twice, or a directive of the block is not known', () => {
    const load = (text: string) =>
      loadConfig(`listen 1935; vhost __defaultVhost__ {\n${text} }`, { fileName: 'srs.conf', env: {} });
    const { warnings } = load('forward a; forward b;');
    expect(warnings.map(({ message }) => message)).toEqual(['forward is given twice, the one in line 2 counts']);
    expect(() => load('forward { destinations a; }')).toThrow(
      'unknown directive destinations in vhost __defaultVhost__ / forward; did you mean destination?',
    );
    expect(() => load('forward { backend ftp://a; }')).toThrow('backend ftp://a must be an http:// or https:// URL');
  });
});
