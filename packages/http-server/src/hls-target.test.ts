import { type Config, loadConfig } from '@srs/config';
import { expect, it } from 'vitest';
import { FileDirectory } from './file-directory.ts';
import { HlsNames } from './hls-target.ts';

const configOf = (vhosts: string): Config => loadConfig(`listen 1935; ${vhosts}`, { fileName: 'srs.conf' }).config;
const find = (vhosts: string, url: string, host = '') => {
  const found = new HlsNames(configOf(vhosts)).find(host, url, { directory: new FileDirectory('/www'), path: `/www/${url}` });
  return found?.kind === 'playlist' ? `playlist ${found.vhost.name} ${found.app} ${found.stream}` : found?.kind;
};
const vhost = (hls: string, name = '__defaultVhost__'): string => `vhost ${name} { hls { enabled on; hls_path /www; ${hls} } }`;

it.each([
  ['live/one.m3u8', '', 'playlist __defaultVhost__ live one'],
  ['a/b/one.m3u8', '', 'playlist __defaultVhost__ a/b one'],
  ['live/one-7.ts', '', 'segment'],
  ['live/one-7.m4s', 'hls_format fmp4;', 'segment'],
  ['live/one-init-7.mp4', 'hls_format fmp4;', 'segment'],
  ['live/one-7.0.m4s', 'hls_format ll;', 'segment'],
  ['live/one.m3u8', 'hls_storage memory;', 'playlist __defaultVhost__ live one'],
  ['x/__defaultVhost__/one/list.m3u8', 'hls_m3u8_file x/[vhost]/[stream]/list.m3u8;', 'playlist __defaultVhost__  one'],
  ['one/20261128-070102-1.ts', 'hls_ts_file [stream]/[2006][01][02]-[15][04][05].ts;', 'segment'],
  ['one/one-1700000000000.ts', 'hls_ts_file [stream]/[stream]-[timestamp].ts;', 'segment'],
  ['one/two-1700000000000.ts', 'hls_ts_file [stream]/[stream]-[timestamp].ts;', undefined],
  ['live/one.ts', '', undefined],
  ['live/one-7.mp4', '', undefined],
  ['live/one-7.mp4', 'hls_ts_file [app]/[stream]-[seq].mp4;', 'segment'],
  ['live/one-7', 'hls_ts_file [app]/[stream]-[seq];', 'segment'],
  ['live/one-07-init-7.mp4', 'hls_format fmp4; hls_ts_file [app]/[stream]-[timestamp].ts;', 'segment'],
  ['one.m3u8', '', undefined],
  ['live/one-7.ts', 'hls_path /elsewhere;', undefined],
  ['live/one.m3u8', 'enabled off;', undefined],
])('%s with %j is %j', (url, hls, what) => {
  const text = vhost(hls).replace('hls_path /www; hls_path', 'hls_path').replace('enabled on; hls_path /www; enabled', 'enabled');
  expect(find(text, url)).toBe(what);
});

it('a file is that of the vhost that writes it, by whatever host it is asked for', () => {
  const both = vhost('hls_m3u8_file a/[stream].m3u8;', 'a.test') + vhost('hls_m3u8_file b/[stream].m3u8;', 'b.test');
  expect(find(both, 'b/one.m3u8', 'a.test')).toBe('playlist b.test  one');
  expect(find(both, 'a/one.m3u8', 'unknown.test')).toBe('playlist a.test  one');
  const same = vhost('', 'a.test') + vhost('', 'b.test');
  expect(find(same, 'live/one.m3u8', 'b.test')).toBe('playlist b.test live one');
});

it('what is in memory is that of the host alone', () => {
  const memory = vhost('hls_storage memory;', 'a.test') + vhost('enabled on;', 'b.test').replace('hls { enabled on;', 'hls {');
  expect(find(memory, 'live/one.m3u8', 'a.test')).toBe('playlist a.test live one');
  expect(find(vhost('hls_storage memory;', 'a.test'), 'live/one.m3u8', 'c.test')).toBeUndefined();
});

it('a directory has two names when a link leads to it', () => {
  const config = configOf(vhost('').replace('/www', '/real/www'));
  const address = { directory: new FileDirectory('/www'), path: '/www/live/one.m3u8' };
  expect(new HlsNames(config).find('', 'live/one.m3u8', address)).toBeUndefined();
  expect(new HlsNames(config).find('', 'live/one.m3u8', address, (path) => path.replace(/^\/www/, '/real/www'))?.kind).toBe(
    'playlist',
  );
});

it('a segment has the label of its playlist, and of none that it could not be from', () => {
  const labels = (hls: string, url: string): readonly string[] => {
    const address = { directory: new FileDirectory('/www'), path: `/www/${url}` };
    const found = new HlsNames(configOf(vhost(hls))).find('', url, address);
    if (found === undefined) return [];
    return found.kind === 'playlist' ? [found.label] : found.labels;
  };
  for (const [hls, playlist, segments, others] of [
    ['', 'live/one.m3u8', ['live/one-7.ts'], ['live/two-7.ts', 'other/one-7.ts', 'live/one-x-7.ts']],
    ['', 'live/one-1.m3u8', ['live/one-1-7.ts'], ['live/one-7.ts']],
    ['hls_format ll;', 'live/one.m3u8', ['live/one-7.0.m4s', 'live/one-init-7.mp4'], ['live/two-7.0.m4s']],
    ['hls_ts_file [stream]-[timestamp].ts;', 'live/one.m3u8', ['one-1700-3.ts', 'one-1700.ts'], ['two-1700.ts']],
    ['hls_m3u8_file list.m3u8; hls_ts_file [seq].ts;', 'list.m3u8', ['7.ts'], []],
  ] as const) {
    const [label = 'none'] = labels(hls, playlist);
    for (const segment of segments) expect(labels(hls, segment), segment).toContain(label);
    for (const segment of others) expect(labels(hls, segment), segment).not.toContain(label);
  }
});
