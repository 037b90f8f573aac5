import { loadConfig } from '@srs/config';
import { describe, expect, it } from 'vitest';
import { findLiveStream } from './live-mount.ts';

const remux = (mount?: string): string => `http_remux { enabled on; ${mount === undefined ? '' : `mount ${mount};`} }`;

function find(vhosts: string, url: string, host = 'localhost'): string | undefined {
  const { config } = loadConfig(`listen 1935; ${vhosts}`, { fileName: 'test.conf', env: {} });
  const found = findLiveStream(config, host, url);
  return found === undefined ? undefined : `${found.vhost.name} ${found.app} ${found.streamName}`;
}

const byDefault = `vhost __defaultVhost__ { ${remux()} }`;

describe('a URL is a live stream', () => {
  it.each([
    ['by app and name', byDefault, '/live/s.flv', '__defaultVhost__ live s'],
    ['with its parameters', byDefault, '/live/s.flv?token=a&b=%20c', '__defaultVhost__ live s?token=a&b=%20c'],
    ['of an app with slashes', byDefault, '/live/sub/s.flv', '__defaultVhost__ live/sub s'],
    ['with encoded letters', byDefault, '/live/caf%C3%A9.flv', '__defaultVhost__ live café'],
    ['with dots in its name', byDefault, '/live/a.b.flv', '__defaultVhost__ live a.b'],
    [
      'at another mount',
      `vhost __defaultVhost__ { ${remux('/tv/[app]/x-[stream].flv')} }`,
      '/tv/live/x-s.flv',
      '__defaultVhost__ live s',
    ],
    ['of a vhost in the path', `vhost tv.com { ${remux('/[vhost]/[app]/[stream].flv')} }`, '/tv.com/live/s.flv', 'tv.com live s'],
    [
      'twice in its path',
      `vhost __defaultVhost__ { ${remux('/[app]/[stream]/[stream].flv')} }`,
      '/live/s/s.flv',
      '__defaultVhost__ live s',
    ],
  ])('%s', (_, vhosts, url, expected) => {
    expect(find(vhosts, url, url.startsWith('/tv.com') ? 'tv.com' : 'localhost')).toBe(expected);
  });

  it('of the vhost that the host names, or the parameter vhost', () => {
    const vhosts = `${byDefault} vhost tv.com { ${remux('[vhost]/tv/[app]/[stream].flv')} } vhost none.com { }`;
    expect(find(vhosts, '/tv/live/s.flv', 'tv.com')).toBe('tv.com live s');
    expect(find(vhosts, '/tv/live/s.flv?vhost=tv.com', 'localhost')).toBe('tv.com live s?vhost=tv.com');
    expect(find(vhosts, '/live/s.flv', 'other.com')).toBe('__defaultVhost__ live s');
    expect(find(vhosts, '/live/s.flv', 'none.com')).toBeUndefined();
  });

  it.each([
    ['another ending', '/live/s.ts'],
    ['no app', '/s.flv'],
    ['no name', '/live/.flv'],
    ['a broken encoding', '/live/%zz.flv'],
    ['other names twice', '/live/s/t.flv', `vhost __defaultVhost__ { ${remux('/[app]/[stream]/[stream].flv')} }`],
    ['a mount that a pattern would understand otherwise', '/live/sXflv'],
    ['a vhost that does not serve any', '/live/s.flv', 'vhost __defaultVhost__ { }'],
    ['a vhost that is disabled', '/live/s.flv', `vhost __defaultVhost__ { enabled off; ${remux()} }`],
  ])('not with %s', (_, url, vhosts = byDefault) => {
    expect(find(vhosts, url)).toBeUndefined();
  });
});
