import { expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure.ts';
import { parsePlaylist } from './hls-playlist.ts';

const text = (...lines: readonly string[]): string => ['#EXTM3U', ...lines, ''].join('\n');

it('segments are numbered from the media sequence on', () => {
  const playlist = text(
    '#EXT-X-VERSION:3',
    '#EXT-X-TARGETDURATION:6',
    '#EXT-X-MEDIA-SEQUENCE:41',
    '#EXTINF:5.96,a title',
    'a.ts',
    '',
    '#EXT-X-DISCONTINUITY',
    '#EXTINF:6',
    'b.ts?x=1,2',
  ).replaceAll('\n', '\r\n');
  const segment = { mapUri: undefined, isEncrypted: false };
  expect(parsePlaylist(playlist)).toEqual({
    kind: 'media',
    targetDurationMs: 6000,
    isEnded: false,
    segments: [
      { ...segment, sequence: 41, uri: 'a.ts', durationMs: 5960 },
      { ...segment, sequence: 42, uri: 'b.ts?x=1,2', durationMs: 6000 },
    ],
  });
});

it('a map, a key and an end are for what follows them', () => {
  const playlist = parsePlaylist(
    text(
      '#EXT-X-TARGETDURATION:2',
      '#EXTINF:2,',
      '0.m4s',
      '#EXT-X-MAP:URI="init,1.mp4",BYTERANGE="9@0"',
      '#EXT-X-KEY:METHOD=AES-128,URI="k"',
      '#EXTINF:2,',
      '1.m4s',
      '#EXT-X-KEY:METHOD=NONE',
      '#EXTINF:2,',
      '2.m4s',
      '#EXT-X-ENDLIST',
    ),
  );
  expect(playlist).toMatchObject({
    isEnded: true,
    segments: [
      { sequence: 0, mapUri: undefined, isEncrypted: false },
      { sequence: 1, mapUri: 'init,1.mp4', isEncrypted: true },
      { sequence: 2, mapUri: 'init,1.mp4', isEncrypted: false },
    ],
  });
});

it('a choice of playlists is one', () => {
  const playlist = text('#EXT-X-STREAM-INF:BANDWIDTH=1', 'low.m3u8', '#EXT-X-STREAM-INF:BANDWIDTH=2', 'high.m3u8');
  expect(parsePlaylist(playlist)).toEqual({ kind: 'master', variants: ['low.m3u8', 'high.m3u8'] });
});

it.each([
  ['', 'playlist line 1: "" must be #EXTM3U'],
  ['<html>', 'playlist line 1: "<html>" must be #EXTM3U'],
  [text('#EXTINF:1,', 'a.ts'), 'playlist has no #EXT-X-TARGETDURATION'],
  [text('#EXT-X-TARGETDURATION:2', 'a.ts'), 'playlist line 3: segment has no #EXTINF'],
  [text('#EXT-X-TARGETDURATION:'), 'playlist line 2: #EXT-X-TARGETDURATION "" must be seconds in 0..86400'],
  [text('#EXT-X-TARGETDURATION:2', '#EXTINF:long,', 'a.ts'), 'playlist line 3: #EXTINF "long" must be seconds in 0..86400'],
  [text('#EXT-X-MEDIA-SEQUENCE:-1'), 'playlist line 2: #EXT-X-MEDIA-SEQUENCE "-1" must be a number'],
  [text('#EXT-X-BYTERANGE:10@0'), 'playlist line 2: segments that are a part of a file are not read'],
])('%j is refused', (playlist, message) => {
  expect(failureOf(() => parsePlaylist(playlist)).message).toBe(message);
});
