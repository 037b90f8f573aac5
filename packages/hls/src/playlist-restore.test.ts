import fc from 'fast-check';
import { expect, it } from 'vitest';
import { emptyPlaylist, type ListedSegment, Playlist } from './playlist.ts';
import { keepPresent, restorePlaylist } from './playlist-restore.ts';
import { playlistText } from './playlist-text.ts';

const locator = {
  segmentPathOf: (uri: string) => (uri.includes(':') ? undefined : `/live/${uri}`),
  keyPathOf: (uri: string) => `/keys/${uri}`,
};

const restore = (text: string) => restorePlaylist(text, locator);

const segments = fc
  .array(
    fc.record({
      durationMs: fc.integer({ min: 100, max: 9000 }),
      isDiscontinuity: fc.boolean(),
      hasKey: fc.boolean(),
    }),
    { minLength: 1, maxLength: 30 },
  )
  .map((list) => {
    let programDateTimeMs = Date.UTC(2026, 0, 1);
    return list.map(({ durationMs, isDiscontinuity, hasKey }, index): ListedSegment => {
      const uri = `a-${index + 5}.ts`;
      const name = `k${index >> 2}.key`;
      const key = hasKey ? { uri: name, path: `/keys/${name}` } : undefined;
      const date = programDateTimeMs;
      programDateTimeMs += durationMs;
      return { sequence: index + 5, uri, path: `/live/${uri}`, durationMs, isDiscontinuity, programDateTimeMs: date, key };
    });
  });

function listed(list: readonly ListedSegment[]): Playlist {
  const playlist = new Playlist({ windowMs: 6000, targetMs: 2000 }, { nextSequence: 5, discontinuitySequence: 3, segments: [] });
  for (const segment of list) playlist.add(segment);
  return playlist;
}

it('a playlist comes back as it was', () => {
  fc.assert(
    fc.property(segments, (list) => {
      const playlist = listed(list);
      const { state, problem } = restore(playlistText(playlist));
      expect(problem).toBeUndefined();
      expect(state).toEqual({
        nextSequence: playlist.nextSequence,
        discontinuitySequence: playlist.discontinuitySequence,
        segments: playlist.segments,
      });
    }),
  );
});

it('what was listed before a lost segment goes with it, and the numbers of the rest stay', () => {
  fc.assert(
    fc.property(segments, fc.infiniteStream(fc.boolean()), (list, losses) => {
      const playlist = listed(list);
      const present = new Set(playlist.segments.filter(() => losses.next().value !== true).map((segment) => segment.path));
      const { state } = restore(playlistText(playlist));
      const kept = keepPresent(state, (path) => present.has(path));
      const first = playlist.segments.findLastIndex((segment) => !present.has(segment.path)) + 1;
      expect(kept.segments).toEqual(playlist.segments.slice(first));
      expect(kept.nextSequence).toBe(playlist.nextSequence);
      const left = playlist.segments.slice(0, first).filter((segment) => segment.isDiscontinuity).length;
      expect(kept.discontinuitySequence).toBe(playlist.discontinuitySequence + left);
    }),
  );
});

it('a segment that another server holds counts as lost', () => {
  const text = playlistText(listed([]));
  const { state } = restore(`${text}#EXTINF:2.000,\na-5.ts\n#EXTINF:2.000,\nhttp://other/a-6.ts\n#EXTINF:2.000,\na-7.ts\n`);
  expect([state.nextSequence, state.segments.map((segment) => segment.path)]).toEqual([8, ['/live/a-7.ts']]);
});

it.each([
  ['a text that ends within a line', '#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:2.000,\na-7.ts\n#EXTINF:2', 9, 0],
  ['a duration above the target', '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:9.000,\na-7.ts\n', 8, 0],
  [
    'no first line',
    '#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-DISCONTINUITY-SEQUENCE:2\n#EXT-X-DISCONTINUITY\n#EXTINF:2.000,\na-7.ts\n',
    8,
    3,
  ],
  ['a number without an end', `#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:${'9'.repeat(400)}\n`, 0, 0],
  ['nothing', '', 0, 0],
])('of %s the numbers go on', (_, text, nextSequence, discontinuitySequence) => {
  const { state, problem } = restore(text);
  expect(problem).toBeInstanceOf(Error);
  expect(state).toEqual({ ...emptyPlaylist, nextSequence, discontinuitySequence });
});

it('any text is taken without harm', () => {
  const line = fc.oneof(
    fc.constantFrom('#EXTM3U', '#EXT-X-DISCONTINUITY', '#EXT-X-KEY:METHOD=NONE', '#EXT-X-KEY:', 'a.ts', '', '#EXT-X-MAP:URI="a"'),
    fc
      .tuple(fc.constantFrom('#EXTINF', '#EXT-X-MEDIA-SEQUENCE', '#EXT-X-TARGETDURATION', '#EXT-X-VERSION'), fc.string())
      .map(([tag, value]) => `${tag}:${value}`),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const { state } = restore(lines.join('\n'));
      expect(Number.isSafeInteger(state.nextSequence) && state.nextSequence >= state.segments.length).toBe(true);
      playlistText(new Playlist({ windowMs: 0, targetMs: 0 }, state));
    }),
    { numRuns: 500 },
  );
});
