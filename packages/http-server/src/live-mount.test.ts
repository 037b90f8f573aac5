import { loadConfig } from '@srs/config';
import { describe, expect, it } from 'vitest';
import { findLiveStream } from './live-mount.ts';

const remux = (mount?: string): string => `http_remux { enabled on; ${mount === undefined ? '' : `mount ${mount};`} }`;

/** What is not as with `.flv` at its own mount is said behind. */
function find(vhosts: string, url: string, host = 'localhost'): string | undefined {
  const { config } = loadConfig(`listen 1935; ${vhosts}`, { fileName: 'test.conf', env: {} });
  const found = findLiveStream(config, host, url);
  if (found === undefined) return undefined;
  const { ending, isBehindFiles, isHeld } = found;
  const more = [
    ...(ending === 'flv' ? [] : [ending]),
    ...(isBehindFiles ? ['behind files'] : []),
    ...(isHeld ? [] : ['not held']),
  ];
  return [found.vhost.name, found.app, found.streamName, ...more].join(' ');
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

  const hls = (file = '[app]/[stream]-[seq].ts'): string => `hls { enabled on; hls_ts_file ${file}; }`;
  it.each([
    ['a mount of .flv is one of all formats', '', '/live/s.ts', 'ts behind files'],
    ['a mount of .flv is one of all formats', '', '/live/s.aac', 'aac behind files'],
    ['a mount of .flv is one of all formats', '', '/live/s.mp3', 'mp3 behind files'],
    ['a mount of another ending is of that alone', '[app]/[stream].ts', '/live/s.ts', 'ts'],
    ['a mount of another ending is of that alone', '[app]/[stream].mp3', '/live/s.mp3', 'mp3'],
    ['a mount of another ending is of that alone', '[app]/[stream].ts', '/live/s.flv', undefined],
    ['a mount of another ending is of that alone', '[app]/[stream].ts', '/live/s.aac', undefined],
  ])('by its format: %s %s', (_, mount, url, expected) => {
    const found = find(`vhost __defaultVhost__ { ${remux(mount === '' ? undefined : `[vhost]/${mount}`)} }`, url);
    expect(found).toBe(expected === undefined ? undefined : `__defaultVhost__ live s ${expected}`);
  });

  it.each([
    ['[app]/[stream]-[seq].ts', '/live/s-12.ts', 's-12 ts behind files not held'],
    ['[app]/[stream]-[seq].ts', '/live/s-a.ts', 's-a ts behind files'],
    ['[app]/[stream]-[seq].ts', '/live/s-12.aac', 's-12 aac behind files'],
    ['[app]/[2006]/[stream].[seq].ts', '/live/s.9.ts', 's.9 ts behind files not held'],
  ])('that may be a segment of HLS by its name, as %s says, waits for nobody: %s', (file, url, expected) => {
    expect(find(`vhost __defaultVhost__ { ${remux()} ${hls(file)} }`, url)).toBe(`__defaultVhost__ live ${expected}`);
    const own = `vhost __defaultVhost__ { ${remux('[vhost]/[app]/[stream].ts')} ${hls(file)} }`;
    if (url.endsWith('.ts')) expect(find(own, url)?.includes('not held')).toBe(expected.includes('not held'));
  });

  it('of the vhost that the host names, or the parameter vhost', () => {
    const vhosts = `${byDefault} vhost tv.com { ${remux('[vhost]/tv/[app]/[stream].flv')} } vhost none.com { }`;
    expect(find(vhosts, '/tv/live/s.flv', 'tv.com')).toBe('tv.com live s');
    expect(find(vhosts, '/tv/live/s.flv?vhost=tv.com', 'localhost')).toBe('tv.com live s?vhost=tv.com');
    expect(find(vhosts, '/live/s.flv', 'other.com')).toBe('__defaultVhost__ live s');
    expect(find(vhosts, '/live/s.flv', 'none.com')).toBeUndefined();
  });

  it.each([
    ['another ending', '/live/s.m3u8'],
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
