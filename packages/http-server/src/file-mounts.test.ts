import { loadConfig } from '@srs/config';
import { describe, expect, it } from 'vitest';
import { FileMounts } from './file-mounts.ts';

const mountsOf = (vhosts: string): FileMounts =>
  new FileMounts(loadConfig(`listen 1935; http_stream { dir /root; } ${vhosts}`, { fileName: 'srs.conf' }).config);
const http = (mount: string, dir: string, more = ''): string => `http { enabled on; mount ${mount}; dir ${dir}; } ${more}`;

/** The directory, and what is looked for in it. */
function find(mounts: FileMounts, path: string, host = 'any.com'): string | undefined {
  const place = mounts.find(path.split('/').filter(Boolean), host);
  return place === undefined ? undefined : [place.directory.path, ...place.names].join(' ');
}

describe('mounts', () => {
  const mounts = mountsOf(
    `vhost one { ${http('/hls', '/one')} }
     vhost two { http_static { enabled on; mount /hls/deep/; dir /two; } }
     vhost three { ${http('/hls', '/three')} }
     vhost off { http { enabled off; mount /off; dir /off; } }
     vhost disabled { ${http('/disabled', '/disabled', 'enabled off;')} }`,
  );
  it.each([
    ['/', '/root'],
    ['/x/y', '/root x y'],
    ['/hls', '/one'],
    ['/hls/a.ts', '/one a.ts'],
    ['/hls2/a.ts', '/root hls2 a.ts'],
    ['/hl/a.ts', '/root hl a.ts'],
    ['/x/hls/a.ts', '/root x hls a.ts'],
    ['/hls/deep/a.ts', '/two a.ts'],
    ['/hls/deeper/a.ts', '/one deeper a.ts'],
    ['/off/a', '/root off a'],
    ['/disabled/a', '/root disabled a'],
  ])('%s is in %s', (path, place) => {
    expect(find(mounts, path)).toBe(place);
  });

  it('a vhost may mount the root', () => {
    const own = mountsOf(`vhost one { ${http('/', '/one')} } vhost two { ${http('/', '/two')} }`);
    expect(find(own, '/a')).toBe('/one a');
  });

  it('a relative directory is one of the working directory', () => {
    expect(find(mountsOf(`vhost one { ${http('/', './www')} }`), '/')).toBe(`${process.cwd()}/www`);
  });
});

describe('mounts of a vhost', () => {
  const mounts = mountsOf(
    `vhost __defaultVhost__ { ${http('[vhost]/', '/default')} }
     vhost any { ${http('/hls', '/hls')} }
     vhost a.com { ${http('[vhost]/hls', '/a')} }
     vhost B.com { ${http('[vhost]', '/b')} }
     vhost off.com { ${http('[vhost]/hls', '/off', 'enabled off;')} }`,
  );
  it.each([
    ['a.com', '/hls/x', '/a x'],
    ['a.com:8080', '/hls/x', '/a x'],
    ['A.COM', '/hls/x', '/a x'],
    // The host is a vhost that has no root of its own.
    ['a.com', '/x', '/root x'],
    ['B.com', '/x', '/b x'],
    ['B.com', '/hls/x', '/hls x'],
    ['other.com', '/x', '/default x'],
    ['', '/x', '/default x'],
    ['[::1]:8080', '/x', '/default x'],
    ['off.com', '/hls/x', '/hls x'],
    ['off.com', '/x', '/root x'],
    ['__proto__', '/x', '/default x'],
  ])('at %s %s is in %s', (host, path, place) => {
    expect(find(mounts, path, host)).toBe(place);
  });
});
