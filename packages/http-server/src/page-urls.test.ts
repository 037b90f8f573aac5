import { type Config, loadConfig } from '@srs/config';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findLiveStream } from './live-mount.ts';
import { flvPath, hlsPath, type PageStreamName, rtmpServerUrl } from './page-urls.ts';

const configOf = (text: string): Config => loadConfig(text, { fileName: 'test.conf', env: {} }).config;

function streamOf(config: Config, vhost = '__defaultVhost__', app = 'live', stream = 's'): PageStreamName {
  return { vhost: config.vhosts.get(vhost)!, app, stream };
}

const withVhost = (text: string, top = ''): Config => configOf(`listen 1935; ${top} vhost __defaultVhost__ { ${text} }`);

describe('the path of HTTP-FLV', () => {
  it.each([
    ['at the usual mount', 'enabled on;', '/live/s.flv'],
    ['at another mount', 'enabled on; mount /tv/[app]/x-[stream].flv;', '/tv/live/x-s.flv'],
    ['with the vhost in it', 'enabled on; mount /[vhost]/[app]/[stream].flv;', '/__defaultVhost__/live/s.flv'],
    ['of a vhost that serves none', 'enabled off;', null],
    ['of a vhost that serves another format', 'enabled on; mount [vhost]/[app]/[stream].aac;', null],
  ])('%s', (_, remux, path) => {
    expect(flvPath(streamOf(withVhost(`http_remux { ${remux} }`)))).toBe(path);
  });

  it('leads to the stream, whatever its name is', () => {
    const config = withVhost('http_remux { enabled on; }');
    const name = fc.stringMatching(/^[^/\\\s.?#-][^/\\\s]{0,20}$/u).filter((text) => text.isWellFormed());
    fc.assert(
      fc.property(name, name, name, (app, part, stream) => {
        const path = flvPath(streamOf(config, '__defaultVhost__', `${app}/${part}`, stream));
        const found = findLiveStream(config, 'localhost', path!);
        expect([found?.app, found?.streamName]).toEqual([`${app}/${part}`, stream]);
      }),
    );
  });
});

describe('the path of the playlist', () => {
  it.each([
    ['in the root directory', 'hls { enabled on; }', '', '/live/s.m3u8'],
    ['below it', 'hls { enabled on; hls_path ./objs/nginx/html/tv; }', '', '/tv/live/s.m3u8'],
    ['under another name', 'hls { enabled on; hls_m3u8_file [stream]/[app]-[vhost].m3u8; }', '', '/s/live-__defaultVhost__.m3u8'],
    ['of another root', 'hls { enabled on; hls_path /srv/a; }', 'http_server { dir /srv; }', '/a/live/s.m3u8'],
    ['beside the root', 'hls { enabled on; hls_path /srv/ab; }', 'http_server { dir /srv/a; }', null],
    ['above the root', 'hls { enabled on; hls_path /srv; }', 'http_server { dir /srv/a; }', null],
    [
      'in a directory of the vhost',
      'hls { enabled on; hls_path /srv/ab; } http { enabled on; mount [vhost]/x; dir /srv; }',
      '',
      '/x/ab/live/s.m3u8',
    ],
    ['that is not written', 'hls { enabled off; }', '', null],
    ['in memory', 'hls { enabled on; hls_path /ram; hls_storage memory; }', '', '/live/s.m3u8'],
  ])('%s', (_, vhost, top, path) => {
    const config = withVhost(vhost, top);
    expect(hlsPath(config, streamOf(config))).toBe(path);
  });

  it('is a path and nothing else, whatever the name of the stream is', () => {
    const config = withVhost('hls { enabled on; }');
    expect(hlsPath(config, streamOf(config, '__defaultVhost__', 'a/b', '"><b>?x#y%2e'))).toBe(
      '/a/b/%22%3E%3Cb%3E%3Fx%23y%252e.m3u8',
    );
  });
});

describe('the address for RTMP', () => {
  it.each([
    ['localhost', 'listen 1935;', 'rtmp://localhost'],
    ['[::1]', 'listen 1936;', 'rtmp://[::1]:1936'],
    ['192.0.2.1', 'listen 1936 1935;', 'rtmp://192.0.2.1:1936'],
    ['evil"/x', 'listen 1935;', 'rtmp://localhost'],
    ['', 'listen 1935;', 'rtmp://localhost'],
  ])('for host %j and %s', (host, listen, url) => {
    expect(rtmpServerUrl(configOf(`${listen} vhost __defaultVhost__ { }`), host)).toBe(url);
  });
});
