import { expect, it } from 'vitest';
import { checkPlaylists, type PlaylistVersion, type RuleName } from './rfc8216-checker-test-support.ts';

interface Entry {
  readonly seconds?: string;
  readonly uri?: string;
  readonly tags?: readonly string[];
}

function playlist(sequence: number, entries: readonly Entry[], head: readonly string[] = []): string {
  const segments = entries.flatMap(({ seconds = '2.000', uri, tags = [] }, index) => [
    ...tags,
    `#EXTINF:${seconds},`,
    uri ?? `live-${sequence + index}.ts`,
  ]);
  const first = ['#EXTM3U', '#EXT-X-VERSION:3', '#EXT-X-TARGETDURATION:2', `#EXT-X-MEDIA-SEQUENCE:${sequence}`];
  return `${[...first, ...head, ...segments].join('\n')}\n`;
}

const discontinuity = { tags: ['#EXT-X-DISCONTINUITY'] };
const dated = (second: number): Entry => ({ tags: [`#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:0${second}.000Z`] });
const plain: Entry = {};

function rules(...texts: readonly (string | PlaylistVersion)[]): readonly RuleName[] {
  const versions = texts.map((each, index) => (typeof each === 'string' ? { text: each, atMs: index * 2000 } : each));
  return checkPlaylists(versions).map((broken) => broken.rule);
}

it('finds nothing in a playlist that slides', () => {
  const series = [
    playlist(0, [discontinuity]),
    playlist(0, [discontinuity, plain, plain]),
    playlist(1, [plain, plain, discontinuity], ['#EXT-X-DISCONTINUITY-SEQUENCE:1']),
    playlist(3, [discontinuity, plain, plain], ['#EXT-X-DISCONTINUITY-SEQUENCE:1']),
    playlist(4, [plain, plain, plain], ['#EXT-X-DISCONTINUITY-SEQUENCE:2']),
  ];
  expect(rules(...series)).toEqual([]);
});

const whole = playlist(0, [plain, plain, plain]);

it.each<[string, RuleName, readonly (string | PlaylistVersion)[]]>([
  ['no first line', 'syntax', [whole.replace('#EXTM3U', '# Songs')]],
  ['no end of the last line', 'syntax', [whole.trimEnd()]],
  ['no comma behind a duration', 'syntax', [whole.replace('2.000,', '2.000')]],
  ['no duration', 'syntax', [whole.replace('#EXTINF:2.000,\n', '')]],
  ['a duration of nothing', 'syntax', [`${whole}#EXTINF:2.000,\n`]],
  ['a blank in a URI', 'syntax', [playlist(0, [{ uri: 'a b.ts' }])]],
  ['an end', 'syntax', [`${whole}#EXT-X-ENDLIST\n`]],
  ['a date without a zone', 'syntax', [playlist(0, [{ tags: ['#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00'] }])]],
  ['a key without a URI', 'syntax', [playlist(0, [{ tags: ['#EXT-X-KEY:METHOD=AES-128'] }])]],
  ['a tag twice', 'syntax', [playlist(0, [plain], ['#EXT-X-TARGETDURATION:2'])]],
  ['a number behind a segment', 'syntax', [`${whole}#EXT-X-DISCONTINUITY-SEQUENCE:0\n`]],
  [
    'a number behind a discontinuity',
    'syntax',
    [playlist(0, [{ tags: ['#EXT-X-DISCONTINUITY', '#EXT-X-DISCONTINUITY-SEQUENCE:0'] }])],
  ],
  ['fractions in version 2', 'version', [whole.replace('VERSION:3', 'VERSION:2')]],
  ['no target duration', 'target-duration', [playlist(0, []).replace('#EXT-X-TARGETDURATION:2\n', '')]],
  ['a segment above the target duration', 'target-duration', [playlist(0, [{ seconds: '2.500' }])]],
  ['a target duration that is raised for nothing', 'target-duration-changed', [whole, whole.replace('DURATION:2', 'DURATION:3')]],
  ['a target duration that falls', 'target-duration-changed', [whole.replace('DURATION:2', 'DURATION:3'), whole]],
  [
    'a media sequence that falls',
    'media-sequence',
    [playlist(1, [plain, plain, plain]), playlist(0, [plain, plain, plain, plain])],
  ],
  ['a segment that disappears', 'media-sequence', [whole, playlist(0, [plain, plain])]],
  ['a number that is left out', 'media-sequence', [whole, playlist(4, [plain, plain, plain])]],
  ['another URI', 'segment-changed', [whole, playlist(0, [plain, plain, { uri: 'x.ts' }])]],
  ['another duration', 'segment-changed', [whole, playlist(0, [plain, plain, { seconds: '1.999' }])]],
  ['a discontinuity that was none', 'segment-changed', [whole, playlist(0, [plain, plain, discontinuity])]],
  ['another key', 'segment-changed', [whole, playlist(0, [plain, plain, { tags: ['#EXT-X-KEY:METHOD=AES-128,URI="a.key"'] }])]],
  ['one URI for two segments', 'segment-changed', [playlist(0, [{ uri: 'a.ts' }, { uri: 'a.ts' }])]],
  [
    'a discontinuity that leaves uncounted',
    'discontinuity-sequence',
    [playlist(0, [discontinuity, plain, plain]), playlist(1, [plain, plain, plain])],
  ],
  [
    'a discontinuity that is counted while it is listed',
    'discontinuity-sequence',
    [
      playlist(0, [plain, discontinuity, plain, plain]),
      playlist(1, [discontinuity, plain, plain], ['#EXT-X-DISCONTINUITY-SEQUENCE:1']),
    ],
  ],
  ['a date that moves', 'date', [playlist(0, [dated(1), plain, plain]), playlist(0, [dated(2), plain, plain])]],
  [
    'a date that forgets what has left',
    'date',
    [playlist(0, [dated(1), plain, plain, plain]), playlist(1, [dated(1), plain, plain])],
  ],
  ['too little that is left', 'too-short', [whole, playlist(1, [plain, plain])]],
  ['a version at once', 'early', [whole, { text: playlist(1, [plain, plain, plain]), atMs: 900 }]],
  ['a version after a long time', 'late', [whole, { text: playlist(1, [plain, plain, plain]), atMs: 3100 }]],
])('finds %s', (_, rule, series) => {
  expect(new Set(rules(...series))).toEqual(new Set([rule]));
});

it('lets the target duration fall and lost segments leave when a publish begins', () => {
  const before = whole.replace('DURATION:2', 'DURATION:3');
  expect(rules(before, { text: playlist(3, [plain]), atMs: 60_000, isNewPublish: true })).toEqual([]);
});

it('follows dates over the segments that have left', () => {
  expect(rules(playlist(0, [dated(1), plain, plain, plain]), playlist(1, [dated(3), plain, plain]))).toEqual([]);
});
