import { expect, it } from 'vitest';
import { parseVodTarget } from './vod-target.ts';

const ID = '0123456789abcdef';

it.each([
  { url: '/a.m3u8', base: ['a'] },
  { url: '/live/a.m3u8?token=1', base: ['live', 'a'] },
  { url: '//live//my%20film.m3u8', base: ['live', 'my film'] },
  { url: 'http://host/live/a.m3u8', base: ['live', 'a'] },
  { url: '/a.flv.m3u8', base: ['a.flv'] },
])('$url is the playlist of $base', ({ url, base }) => {
  expect(parseVodTarget(url)).toMatchObject({ kind: 'playlist', base });
});

it.each([
  { url: `/live/a.flv.vod/${ID}-0.ts`, recording: ['live', 'a.flv'], format: 'flv', index: 0 },
  { url: `/my%20film.mp4.vod/${ID}-12.ts?x`, recording: ['my film.mp4'], format: 'mp4', index: 12 },
  { url: `/a.flv.vod/b.flv.vod/${ID}-1.ts`, recording: ['a.flv.vod', 'b.flv'], format: 'flv', index: 1 },
])('$url is a segment of $recording', ({ url, recording, format, index }) => {
  expect(parseVodTarget(url)).toMatchObject({ kind: 'segment', recording, format, id: ID, index });
});

it.each([
  '/',
  '/a.flv',
  '/.m3u8',
  '/a.m3u8/',
  '/a.M3U8',
  '/a.ts',
  '/a.flv/0.ts',
  '/a.m3u8.bak',
  `/a.vod/${ID}-0.ts`,
  `/.flv.vod/${ID}-0.ts`,
  `/a.flv.vod/x/${ID}-0.ts`,
  `/a.mkv.vod/${ID}-0.ts`,
  '/a.flv.vod/0123-0.ts',
  `/a.flv.vod/${ID.toUpperCase()}-0.ts`,
  `/a.flv.vod/${ID}-00.ts`,
  `/a.flv.vod/${ID}--1.ts`,
  `/a.flv.vod/${ID}-1e3.ts`,
  `/a.flv.vod/${ID}-1234567.ts`,
])('%s is neither', (url) => {
  expect(parseVodTarget(url)).toBeUndefined();
});

it.each(['/../a.m3u8', '/%2e%2e/a.m3u8', '/a%00.m3u8', '/a\\b.m3u8', '/%.m3u8', `/..%2fa.flv.vod/${ID}-0.ts`])(
  '%s is refused',
  (url) => {
    expect(() => parseVodTarget(url)).toThrow(expect.objectContaining({ statusCode: 400 }));
  },
);
