import { expect, it } from 'vitest';
import { vodPlaylist } from './playlist.ts';
import { durationsBetween } from './recording.ts';

it('a playlist tells all segments of a recording', () => {
  const text = vodPlaylist({ durationsMs: [6000, 6480, 500], isIndependent: true }, 'my film.flv', '0123456789abcdef');
  expect(text).toBe(`#EXTM3U
#EXT-X-VERSION:3
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-TARGETDURATION:6
#EXT-X-MEDIA-SEQUENCE:0
#EXTINF:6.000,
my%20film.flv.vod/0123456789abcdef-0.ts
#EXTINF:6.480,
my%20film.flv.vod/0123456789abcdef-1.ts
#EXTINF:0.500,
my%20film.flv.vod/0123456789abcdef-2.ts
#EXT-X-ENDLIST
`);
});

it('segments that need what comes before are not called independent', () => {
  expect(vodPlaylist({ durationsMs: [6000], isIndependent: false }, 'a.flv', 'id')).not.toContain('INDEPENDENT');
});

it.each([
  { durationsMs: [6499], target: 6 },
  { durationsMs: [6500, 100], target: 7 },
  { durationsMs: [40], target: 1 },
])('the target for $durationsMs ms is $target s', ({ durationsMs, target }) => {
  expect(vodPlaylist({ durationsMs, isIndependent: true }, 'a.flv', 'id')).toContain(`#EXT-X-TARGETDURATION:${target}\n`);
});

it('no name of a file becomes another URL or a line of its own', () => {
  const uri = (name: string): string | undefined =>
    vodPlaylist({ durationsMs: [1], isIndependent: true }, name, 'id')
      .split('\n')
      .find((line) => line.endsWith('.ts'));
  expect(uri('a:b?c#d.flv')).toBe('a%3Ab%3Fc%23d.flv.vod/id-0.ts');
  expect(uri('a\n#EXT-X-KEY.flv')).toBe('a%0A%23EXT-X-KEY.flv.vod/id-0.ts');
  expect(uri('größe.mp4')).toBe('gr%C3%B6%C3%9Fe.mp4.vod/id-0.ts');
});

it('durations add up to the whole, and none is 0', () => {
  const starts = Array.from({ length: 1000 }, (_, index) => index * 6006.006);
  const sum = durationsBetween(starts).reduce((total, ms) => total + ms, 0);
  expect(sum).toBe(Math.round(starts.at(-1)!));
  expect(durationsBetween([0, 10.2, 10.4])).toEqual([10, 1]);
});
