import { describe, expect, it } from 'vitest';
import { hlsConfig } from './hls-test-support.ts';
import { type SegmentFacts, SegmentNames } from './segment-names.ts';

const stream = { vhost: 'a.com', app: 'live', stream: 'livestream' };
const facts: SegmentFacts = { sequence: 7, beginMs: Date.UTC(2026, 10, 28, 12), durationMs: 2040, timestamp: 1_764_331_200_000 };
const named = (text = '', name = {}) => new SegmentNames(hlsConfig(`hls_path ./html; ${text}`), { ...stream, ...name });

describe('names', () => {
  it('are those of SRS by default', () => {
    expect(named().playlistPath).toBe('./html/live/livestream.m3u8');
    expect(named().playlistUrl).toBe('live/livestream.m3u8');
    const { path, url, uri } = named().segment(facts);
    expect([path, url, uri]).toEqual(['./html/live/livestream-7.ts', 'live/livestream-7.ts', 'livestream-7.ts']);
  });

  it.each([
    ['hls_ts_file [app]/[stream]/[seq]-[duration].ts;', 'livestream/7-2040.ts'],
    ['hls_ts_file [vhost]/[stream]-[timestamp].ts;', '../a.com/livestream-1764331200000.ts'],
    ['hls_m3u8_file [stream].m3u8;', 'live/livestream-7.ts'],
    ['hls_entry_prefix http://your-server;', 'http://your-server/live/livestream-7.ts'],
    ['hls_entry_prefix http://your-server/x/;', 'http://your-server/x/live/livestream-7.ts'],
  ])('with %s the playlist says %s', (text, uri) => {
    expect(named(text).segment(facts).uri).toBe(uri);
  });

  it.each([
    ['hls_format fmp4;', 'livestream-7.m4s', 'livestream-init-7.mp4', 'livestream-7.2.m4s'],
    ['hls_format ll; hls_ts_file [app]/[seq].mp4;', '7.mp4', 'init-7.mp4', '7.2.mp4'],
    ['hls_format ll; hls_ts_file [app]/[timestamp];', '1764331200000.m4s', '1764331200000-init-7.mp4', '1764331200000-7.2.m4s'],
    ['hls_format ll; hls_ts_file [app]/[seq]/[duration].ts;', '7/2040.m4s', '7/2040-init-7.mp4', '7/0-7.2.m4s'],
  ])('with %s are those of fragmented MP4', (text, segment, init, part) => {
    const names = named(text);
    expect([names.segment(facts).uri, names.init(facts).uri, names.part(facts, 2).uri]).toEqual([segment, init, part]);
  });

  it('are written as URLs need it', () => {
    const { uri, path } = named('', { app: 'a b/c', stream: '直播 #1?:' }).segment(facts);
    expect(uri).toBe(`${encodeURIComponent('直播 #1?:')}-7.ts`);
    expect(path).toBe('./html/a b/c/直播 #1?:-7.ts');
  });

  it('a name that is taken gets the number of the segment', () => {
    const names = named('hls_ts_file [app]/[stream]/[15][04][05].ts;');
    const first = names.segment(facts);
    const second = names.segment(facts, (path) => path === first.path);
    expect(second.path).toBe(first.path.replace('.ts', '-7.ts'));
    expect(second.uri).toMatch(/^livestream\/\d{6}-7\.ts$/);
  });
});

describe('keys', () => {
  const keys = (text: string) => named(`hls_keys on; ${text}`).key(5, facts.beginMs);

  it('stand beside the playlist by default', () => {
    expect(keys('hls_key_file_path ./html;')).toEqual({ path: './html/live/livestream-5.key', uri: 'livestream-5.key' });
  });

  it('have the URL of another server when there is one', () => {
    expect(keys('hls_key_file_path /secret; hls_key_url https://keys:8080/;')).toEqual({
      path: '/secret/live/livestream-5.key',
      uri: 'https://keys:8080/live/livestream-5.key',
    });
  });
});

describe('finding files again', () => {
  it.each([
    '',
    'hls_entry_prefix http://your-server;',
    'hls_ts_file [vhost]/x/[stream]-[seq].ts;',
    'hls_m3u8_file x/y/[stream].m3u8;',
  ])('a segment is found by its URI (%s)', (text) => {
    const names = named(text, { stream: '直播 #1%' });
    const { uri, path } = names.segment(facts);
    expect(names.segmentPathOf(uri)).toBe(path);
  });

  it.each(['hls_key_file_path ./html;', 'hls_key_url https://keys/;', 'hls_key_file_path ./html/keys;'])(
    'a key is found by its URI (%s)',
    (text) => {
      const names = named(`hls_keys on; ${text}`);
      const { uri, path } = names.key(5, 0);
      expect(names.keyPathOf(uri)).toBe(path);
    },
  );

  it.each([
    'http://other/a.ts',
    '/live/a.ts',
    '../../a.ts',
    '..%2f..%2f..%2fetc/passwd',
    '%2e%2e/%2e%2e/a.ts',
    '../',
    'a%00.ts',
    'a%ff.ts',
    'livestream.m3u8',
    '',
    '..',
  ])('%j leads to no segment of the stream', (uri) => {
    expect(named().segmentPathOf(uri)).toBeUndefined();
  });
});

describe('what a killed process leaves', () => {
  it.each([
    ['', 'livestream-12.ts.tmp', true],
    ['', 'livestream-12.ts.1.tmp', true],
    ['', 'livestream-12.ts', false],
    ['', 'livestream2-12.ts.tmp', false],
    ['', 'livestream-x-12.ts.tmp', false],
    ['', 'livestream-12xts.tmp', false],
    ['', 'livestream.m3u8.tmp', false],
    ['hls_ts_file [app]/[stream]/[15][04][05]-[duration].ts;', '120102-0.ts.tmp', true],
    ['hls_ts_file [app]/[stream]/[15][04][05]-[duration].ts;', 'a120102-0.ts.tmp', false],
    // Of other streams.
    ['', 'livestream-12-3.ts.tmp', false],
    ['hls_format fmp4;', 'livestream-2-17.m4s.tmp', false],
    ['hls_ts_file [app]/[stream]-[timestamp].ts;', 'livestream-1-1780000000000.ts.tmp', false],
    ['hls_ts_file [app]/[stream]-[timestamp].ts;', 'livestream-1780000000000-3.ts.tmp', true],
    ['hls_ts_file [app]/[stream]-[timestamp].ts; hls_ts_floor on;', 'livestream-178000000.ts.tmp', true],
  ])('%s %s: %s', (text, name, expected) => {
    expect(named(text).leftovers(facts.beginMs).isLeftover(name)).toBe(expected);
  });

  it('is looked for where segments go', () => {
    expect(named('hls_ts_file [app]/[stream]/[seq].ts;').leftovers(facts.beginMs).directory).toBe('./html/live/livestream');
  });
});
