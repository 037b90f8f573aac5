/** Any run of publishes, gaps and restarts is one playlist to a player. */
import { frameTypes, ManualClock, silentLog } from '@srs/kernel';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Feeder, hlsVhost, testOutput, testStream } from './hls-test-support.ts';
import { MemoryStore } from './memory-store-test-support.ts';
import { checkPlaylists, type PlaylistVersion } from './rfc8216-checker-test-support.ts';
import { StreamFiles } from './stream-files.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** What happens to a stream that is being published. */
const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('media' as const),
      ms: fc.integer({ min: 20, max: 9000 }),
      gopMs: fc.constantFrom<number[]>(400, 1000, 2000, 7000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('sound' as const), ms: fc.integer({ min: 20, max: 6000 }) }) },
  fc.record({ kind: fc.constant('gap' as const), ms: fc.integer({ min: 0, max: 20_000 }) }),
  fc.record({ kind: fc.constant('header' as const), version: fc.integer({ min: 0, max: 2 }) }),
  fc.record({ kind: fc.constant('jump' as const), toMs: fc.integer({ min: 0, max: 0x7fffffff }) }),
);

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
  actions: fc.array(action, { minLength: 1, maxLength: 12 }),
  ending,
});

type Run = typeof publish extends fc.Arbitrary<infer T> ? T : never;

class Story {
  readonly clock = new ManualClock();
  readonly store = new MemoryStore(this.clock);
  /** Numbers of the versions with which publishes begin. */
  readonly begins = new Set<number>([0]);
  #files = new StreamFiles({ store: this.store, clock: this.clock, log: silentLog });

  async play({ beginMs, fragment, window, hasKeys, format, actions, ending: end }: Run): Promise<void> {
    const options = `hls_path /hls; hls_fragment ${fragment}; hls_window ${window}; hls_format ${format};`;
    const vhost = hlsVhost(`${options} ${hasKeys ? 'hls_keys on; hls_key_file_path /hls; hls_fragments_per_key 3;' : ''}`);
    this.begins.add(this.store.versions.length);
    const { clock, store } = this;
    const output = testOutput({ store, clock, files: this.#files, config: vhost.hls, stream: testStream(vhost) });
    const feed = new Feeder(output, clock);
    let at = beginMs;
    for (const each of actions) {
      switch (each.kind) {
        case 'media':
          at = await this.#media(feed, at, each.ms, each.gopMs);
          break;
        case 'sound':
          at = await this.#media(feed, at, each.ms, 0);
          break;
        case 'gap':
          output.onGap(each.ms);
          at += each.ms;
          break;
        case 'header':
          feed.header(frameTypes.video, `sps ${each.version}`);
          break;
        case 'jump':
          at = each.toMs;
          break;
      }
    }
    await this.#end(output, end);
  }

  async #media(feed: Feeder, fromMs: number, ms: number, gopMs: number): Promise<number> {
    for (let offset = 0; offset < ms; offset += 40) {
      const at = (fromMs + offset) & 0x7fffffff;
      feed.sound(at);
      if (gopMs > 0 && offset % gopMs === 0) feed.keyFrame(at);
      else if (gopMs > 0) feed.picture(at);
      await this.#pass(40);
    }
    return fromMs + ms;
  }

  async #end(
    output: { onEnd(reason: 'unpublished' | 'stopping'): Promise<void> },
    { kind, pauseMs, lost }: Run['ending'],
  ): Promise<void> {
    if (kind === 'killed') {
      // Jobs that have begun are finished; nothing new is written.
      await this.#files.close();
      this.#files = new StreamFiles({ store: this.store, clock: this.clock, log: silentLog });
    } else {
      await output.onEnd(kind === 'restarted' ? 'stopping' : 'unpublished');
      if (kind === 'restarted') {
        await this.#files.close();
        this.#files = new StreamFiles({ store: this.store, clock: this.clock, log: silentLog });
      }
    }
    await this.#pass(pauseMs);
    const segments = [...this.store.pathsOf('.ts'), ...this.store.pathsOf('.m4s'), ...this.store.pathsOf('.mp4')];
    if (lost !== undefined && lost < segments.length) this.store.files.delete(segments[lost]!);
  }

  async #pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await vi.advanceTimersByTimeAsync(ms);
  }
}

/** Media comes as fast as it likes here, in pieces of any length: when a version comes is checked with real streams. */
const TIMING = new Set(['early', 'late']);

it('every playlist of any run keeps to RFC 8216 and names only what is there', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(publish, { minLength: 1, maxLength: 5 }), async (publishes) => {
      const story = new Story();
      // One format for the whole story: what a change of it leaves to listed files is told in hls-mp4-media.test.ts.
      const [{ format }] = publishes as [Run];
      for (const each of publishes) await story.play({ ...each, format });
      const versions: readonly PlaylistVersion[] = story.store.versions.map((version, index) => ({
        ...version,
        isNewPublish: story.begins.has(index),
      }));
      expect(checkPlaylists(versions).filter(({ rule }) => !TIMING.has(rule))).toEqual([]);
      expect(story.store.missing).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

it('a stream with a key frame each second renews its playlist in time', async () => {
  const story = new Story();
  const actions = [{ kind: 'media' as const, ms: 60_000, gopMs: 1000 }];
  await story.play({
    beginMs: 0,
    fragment: 2,
    window: 12,
    hasKeys: false,
    format: 'ts',
    actions,
    ending: { kind: 'unpublished', pauseMs: 0, lost: undefined },
  });
  const { versions } = story.store;
  expect(versions.length).toBe(30);
  // The last segment is listed at the end of the publish, at once.
  expect(checkPlaylists(versions.slice(0, -1))).toEqual([]);
});
