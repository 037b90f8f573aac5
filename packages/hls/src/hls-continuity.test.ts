/** Any run of publishes, gaps and restarts is one playlist to a player. */
import { ManualClock, silentLog } from '@srs/kernel';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { hlsVhost, testOutput, testStream } from './hls-test-support.ts';
import { MemoryStore } from './memory-store-test-support.ts';
import { checkPlaylists, type PlaylistVersion } from './rfc8216-checker-test-support.ts';
import { pass, type StoryAction, storyActions, tell, useManualTimers, withoutTiming } from './story-test-support.ts';
import { StreamFiles } from './stream-files.ts';

useManualTimers();

/** How a publish ends: it is over, the process is started again, or it is killed in the middle; and which of the segments are lost then. */
const ending = fc.record({
  kind: fc.constantFrom('unpublished' as const, 'restarted' as const, 'killed' as const),
  pauseMs: fc.integer({ min: 0, max: 60_000 }),
  lost: fc.option(fc.nat({ max: 8 }), { freq: 4, nil: undefined }),
});

const publish = fc.record({
  beginMs: fc.constantFrom(0, 0, 5_000_000, 0x7fffffff - 3000),
  fragment: fc.constantFrom(1, 2, 3),
  window: fc.constantFrom(0, 4, 12),
  hasKeys: fc.boolean(),
  format: fc.constantFrom('ts', 'ts', 'fmp4'),
  actions: storyActions([40], 12),
  ending,
});

type AnyRun = typeof publish extends fc.Arbitrary<infer T> ? T : never;

interface Run extends Omit<AnyRun, 'beginMs' | 'fragment' | 'window' | 'format' | 'actions'> {
  readonly beginMs: number;
  readonly fragment: number;
  readonly window: number;
  readonly format: string;
  readonly actions: readonly StoryAction[];
}

class Story {
  readonly clock = new ManualClock();
  readonly store = new MemoryStore(this.clock);
  /** Numbers of the versions with which publishes begin. */
  readonly begins = new Set<number>([0]);
  #files = this.#newFiles();

  async play({ beginMs, fragment, window, hasKeys, format, actions, ending: end }: Run): Promise<void> {
    const options = `hls_path /hls; hls_fragment ${fragment}; hls_window ${window}; hls_format ${format};`;
    const vhost = hlsVhost(`${options} ${hasKeys ? 'hls_keys on; hls_key_file_path /hls; hls_fragments_per_key 3;' : ''}`);
    this.begins.add(this.store.versions.length);
    const { clock, store } = this;
    const output = testOutput({ store, clock, files: this.#files, config: vhost.hls, stream: testStream(vhost) });
    await tell(output, { clock, beginMs, actions, soundMs: 40 });
    await this.#end(output, end);
  }

  get versions(): readonly PlaylistVersion[] {
    return this.store.versions.map((version, index) => ({ ...version, isNewPublish: this.begins.has(index) }));
  }

  async #end(
    output: { onEnd(reason: 'unpublished' | 'stopping'): Promise<void> },
    { kind, pauseMs, lost }: Run['ending'],
  ): Promise<void> {
    if (kind !== 'killed') await output.onEnd(kind === 'restarted' ? 'stopping' : 'unpublished');
    if (kind !== 'unpublished') {
      // Jobs that have begun are finished; nothing new is written.
      await this.#files.close();
      this.#files = this.#newFiles();
    }
    await pass(this.clock, pauseMs);
    const segments = [...this.store.pathsOf('.ts'), ...this.store.pathsOf('.m4s'), ...this.store.pathsOf('.mp4')];
    if (lost !== undefined && lost < segments.length) this.store.files.delete(segments[lost]!);
  }

  #newFiles(): StreamFiles {
    return new StreamFiles({ store: this.store, clock: this.clock, log: silentLog });
  }
}

it('every playlist of any run keeps to RFC 8216 and names only what is there', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(publish, { minLength: 1, maxLength: 5 }), async (publishes) => {
      const story = new Story();
      for (const each of publishes) await story.play(each);
      expect(withoutTiming(checkPlaylists(story.versions))).toEqual([]);
      expect(story.store.missing).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

it('a change of format that makes nothing takes nothing away from the next publish of the old format', async () => {
  const story = new Story();
  const run = { beginMs: 0, fragment: 1, window: 12, hasKeys: false, format: 'ts' };
  const seconds = (count: number) => ({ kind: 'media' as const, ms: count * 1000, gopMs: 1000, frameMs: 40 });
  const ended = (pauseMs: number) => ({ kind: 'unpublished' as const, pauseMs, lost: undefined });
  await story.play({ ...run, actions: [seconds(3)], ending: ended(0) });
  await story.play({ ...run, format: 'fmp4', actions: [], ending: ended(50_000) });
  await story.play({ ...run, actions: [seconds(9)], ending: ended(60_000) });
  // What has left the window is gone, and nothing else.
  expect(story.store.pathsOf('.ts')).toHaveLength(12);
  await story.play({ ...run, format: 'fmp4', actions: [seconds(2)], ending: ended(59_000) });
  expect(story.store.pathsOf('.ts')).toHaveLength(12);
  await pass(story.clock, 1000);
  expect([story.store.pathsOf('.ts'), story.store.pathsOf('.m4s').length]).toEqual([[], 2]);
  expect(withoutTiming(checkPlaylists(story.versions))).toEqual([]);
  expect(story.store.missing).toEqual([]);
});

it('a stream with a key frame each second renews its playlist in time', async () => {
  const story = new Story();
  await story.play({
    beginMs: 0,
    fragment: 2,
    window: 12,
    hasKeys: false,
    format: 'ts',
    actions: [{ kind: 'media', ms: 60_000, gopMs: 1000, frameMs: 40 }],
    ending: { kind: 'unpublished', pauseMs: 0, lost: undefined },
  });
  const { versions } = story.store;
  expect(versions.length).toBe(30);
  // The last segment is listed at the end of the publish, at once.
  expect(checkPlaylists(versions.slice(0, -1))).toEqual([]);
});
