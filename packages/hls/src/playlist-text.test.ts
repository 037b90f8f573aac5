import { parse } from 'hls-parser';
import { Parser } from 'm3u8-parser';
import { describe, expect, it } from 'vitest';
import { type ListedSegment, Playlist } from './playlist.ts';
import { parsePlaylist, playlistText } from './playlist-text.ts';

const BEGIN = Date.UTC(2026, 10, 28, 12, 0, 0, 5);

function segment(sequence: number, details: Partial<ListedSegment> = {}): ListedSegment {
  const programDateTimeMs = BEGIN + sequence * 2000;
  const rest = { path: `/live/a-${sequence}.ts`, isDiscontinuity: sequence === 0, programDateTimeMs, key: undefined };
  return { sequence, uri: `a-${sequence}.ts`, durationMs: 2000, ...rest, ...details };
}

function playlistOf(segments: readonly ListedSegment[], window = 6): Playlist {
  const first = { nextSequence: segments[0]?.sequence ?? 0, discontinuitySequence: 0, segments: [] };
  const playlist = new Playlist({ windowMs: window * 1000, targetMs: 2000 }, first);
  for (const each of segments) playlist.add(each);
  return playlist;
}

const key = (name: string) => ({ uri: name, path: `/live/${name}` });

describe('the text', () => {
  it('has the tags of SRS in its order, a comma behind three decimals, and an end of line everywhere', () => {
    expect(playlistText(playlistOf([segment(0), segment(1, { durationMs: 2040 })]))).toBe(
      [
        '#EXTM3U',
        '#EXT-X-VERSION:3',
        '#EXT-X-ALLOW-CACHE:NO',
        '#EXT-X-MEDIA-SEQUENCE:0',
        '#EXT-X-TARGETDURATION:2',
        '#EXT-X-DISCONTINUITY',
        '#EXT-X-PROGRAM-DATE-TIME:2026-11-28T12:00:00.005Z',
        '#EXTINF:2.000,',
        'a-0.ts',
        '#EXTINF:2.040,',
        'a-1.ts',
        '',
      ].join('\n'),
    );
  });

  it('tells init segments where they change, where no key is in force', () => {
    const init = (name: string) => ({ uri: name, path: `/live/${name}` });
    const segments = [
      segment(7, { init: init('i7.mp4'), key: key('k7.key') }),
      segment(8, { init: init('i7.mp4'), key: key('k7.key') }),
      segment(9, { init: init('i9.mp4'), key: key('k7.key'), isDiscontinuity: true, programDateTimeMs: undefined }),
      segment(10, { init: init('i10.mp4'), isDiscontinuity: true, programDateTimeMs: undefined }),
    ];
    const text = playlistText(playlistOf(segments, 60));
    expect(text.split('\n').filter((line) => !/^#EXT(?:INF|-X-(?:TARGET|ALLOW|MEDIA|PROGRAM))/.test(line))).toEqual([
      '#EXTM3U',
      '#EXT-X-VERSION:7',
      '#EXT-X-MAP:URI="i7.mp4"',
      '#EXT-X-KEY:METHOD=AES-128,URI="k7.key"',
      'a-7.ts',
      'a-8.ts',
      '#EXT-X-DISCONTINUITY',
      '#EXT-X-KEY:METHOD=NONE',
      '#EXT-X-MAP:URI="i9.mp4"',
      '#EXT-X-KEY:METHOD=AES-128,URI="k7.key"',
      'a-9.ts',
      '#EXT-X-DISCONTINUITY',
      '#EXT-X-KEY:METHOD=NONE',
      '#EXT-X-MAP:URI="i10.mp4"',
      'a-10.ts',
      '',
    ]);
    expect(parsePlaylist(text).segments.map(({ initUri, keyUri }) => [initUri, keyUri])).toEqual([
      ['i7.mp4', 'k7.key'],
      ['i7.mp4', 'k7.key'],
      ['i9.mp4', 'k7.key'],
      ['i10.mp4', undefined],
    ]);
  });

  it('tells dates and keys where they change, and for the first segment what it takes over', () => {
    const keys = ['k0.key', 'k0.key', 'k2.key', 'k2.key', undefined, undefined].map((name) =>
      name === undefined ? undefined : key(name),
    );
    const segments = keys.map((each, sequence) => segment(sequence + 7, { key: each, isDiscontinuity: sequence === 3 }));
    expect(playlistText(playlistOf(segments, 60)).split('\n').slice(5, -1)).toEqual([
      '#EXT-X-KEY:METHOD=AES-128,URI="k0.key"',
      '#EXT-X-PROGRAM-DATE-TIME:2026-11-28T12:00:14.005Z',
      '#EXTINF:2.000,',
      'a-7.ts',
      '#EXTINF:2.000,',
      'a-8.ts',
      '#EXT-X-KEY:METHOD=AES-128,URI="k2.key"',
      '#EXTINF:2.000,',
      'a-9.ts',
      '#EXT-X-DISCONTINUITY',
      '#EXT-X-PROGRAM-DATE-TIME:2026-11-28T12:00:20.005Z',
      '#EXTINF:2.000,',
      'a-10.ts',
      '#EXT-X-KEY:METHOD=NONE',
      '#EXTINF:2.000,',
      'a-11.ts',
      '#EXTINF:2.000,',
      'a-12.ts',
    ]);
    const later = playlistOf(segments.slice(0, 4), 60);
    expect(playlistText(later)).toContain('URI="k0.key"');
    for (const each of segments.slice(4)) later.add(each);
    const slid = playlistText(playlistOf(segments, 1));
    expect(slid.split('\n').slice(3, 8)).toEqual([
      '#EXT-X-MEDIA-SEQUENCE:10',
      '#EXT-X-TARGETDURATION:2',
      '#EXT-X-DISCONTINUITY',
      '#EXT-X-KEY:METHOD=AES-128,URI="k2.key"',
      '#EXT-X-PROGRAM-DATE-TIME:2026-11-28T12:00:20.005Z',
    ]);
  });

  it('counts discontinuities that have left', () => {
    const text = playlistText(playlistOf(Array.from({ length: 8 }, (_, sequence) => segment(sequence))));
    expect(text.split('\n').slice(3, 6)).toEqual([
      '#EXT-X-MEDIA-SEQUENCE:4',
      '#EXT-X-DISCONTINUITY-SEQUENCE:1',
      '#EXT-X-TARGETDURATION:2',
    ]);
  });

  it('of ten thousand encrypted segments is built in a moment when one is added', () => {
    const playlist = playlistOf([], 100_000);
    for (let sequence = 0; sequence < 9_999; sequence++) {
      playlist.add(segment(sequence, { key: key(`k${sequence}.key`), isDiscontinuity: true }));
    }
    playlistText(playlist);
    playlist.add(segment(9_999));
    const begin = performance.now();
    playlistText(playlist);
    // It takes about one millisecond; the library would take several seconds for the whole playlist.
    expect(performance.now() - begin).toBeLessThan(1000);
  });
});

describe('other parsers', () => {
  const segments = Array.from({ length: 9 }, (_, index) => {
    const isDiscontinuity = index === 0 || index === 6;
    const durationMs = 2000 + index;
    const uri = index === 7 ? '../other/%E7%9B%B4%23%20a.ts' : `a-${index + 3}.ts`;
    return segment(index + 3, { isDiscontinuity, durationMs, uri, key: index < 7 ? key(`k${index >> 1}.key`) : undefined });
  });
  const playlist = playlistOf(segments);
  const text = playlistText(playlist);
  const expected = {
    mediaSequence: playlist.mediaSequence,
    discontinuitySequence: 1,
    target: 2,
    segments: playlist.segments.map(({ uri, durationMs, isDiscontinuity, key: of }) => ({
      uri,
      seconds: durationMs / 1000,
      isDiscontinuity,
      key: of?.uri,
    })),
  };

  it('hls-parser reads what was meant', () => {
    const read = parse(text);
    if (read.isMasterPlaylist) throw new Error('not a media playlist');
    expect({
      mediaSequence: read.mediaSequenceBase,
      discontinuitySequence: read.discontinuitySequenceBase,
      target: read.targetDuration,
      segments: read.segments.map((each) => ({
        uri: each.uri,
        seconds: each.duration,
        isDiscontinuity: each.discontinuity === true,
        key: each.key?.uri,
      })),
    }).toEqual(expected);
    expect(read.segments.map((each) => each.mediaSequenceNumber)).toEqual(playlist.segments.map((each) => each.sequence));
    expect(read.segments.at(0)?.programDateTime?.getTime()).toBe(playlist.segments[0]?.programDateTimeMs);
  });

  it('m3u8-parser reads what was meant', () => {
    const parser = new Parser();
    const problems: string[] = [];
    parser.on('warn', ({ message }) => problems.push(message));
    parser.push(text);
    parser.end();
    const { manifest } = parser;
    expect({
      mediaSequence: manifest.mediaSequence,
      discontinuitySequence: manifest.discontinuitySequence,
      target: manifest.targetDuration,
      segments: manifest.segments.map((each) => ({
        uri: each.uri,
        seconds: each.duration,
        isDiscontinuity: each.discontinuity === true,
        key: each.key?.uri,
      })),
    }).toEqual(expected);
    expect(manifest.endList ?? false).toBe(false);
    expect(problems).toEqual([]);
  });

  it('the parser of this package gives back what it was made of', () => {
    const { mediaSequence, discontinuitySequence, segments: read } = parsePlaylist(text);
    expect([mediaSequence, discontinuitySequence]).toEqual([playlist.mediaSequence, 1]);
    expect(
      read.map(({ sequence, uri, durationMs, isDiscontinuity, keyUri }) => [sequence, uri, durationMs, isDiscontinuity, keyUri]),
    ).toEqual(playlist.segments.map((each) => [each.sequence, each.uri, each.durationMs, each.isDiscontinuity, each.key?.uri]));
  });
});

describe('reading', () => {
  it('takes what SRS 1.0 has written, without commas and dates', () => {
    const text =
      '#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-ALLOW-CACHE:NO\n#EXT-X-MEDIA-SEQUENCE:4\n#EXT-X-TARGETDURATION:11\n#EXTINF:10.12\na-4.ts\n';
    expect(parsePlaylist(text)).toEqual({
      mediaSequence: 4,
      discontinuitySequence: 0,
      segments: [
        {
          sequence: 4,
          uri: 'a-4.ts',
          durationMs: 10_120,
          isDiscontinuity: false,
          programDateTimeMs: undefined,
          keyUri: undefined,
        },
      ],
    });
  });

  it.each([
    ['nothing', ''],
    ['something else', 'FLV\u0001'],
    ['a segment above the target duration', '#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXTINF:9.000,\na.ts\n'],
    ['a master playlist', '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n'],
  ])('refuses %s', (_, text) => {
    expect(() => parsePlaylist(text)).toThrow();
  });
});
