/** Any run of publishes, gaps and restarts is one low-latency playlist to a player. */
import { createDecipheriv } from 'node:crypto';
import { ManualClock, silentLog } from '@srs/kernel';
import fc from 'fast-check';
import { Parser } from 'm3u8-parser';
import { expect, it, vi } from 'vitest';
import { ivOf } from './encryption.ts';
import { HeldCount } from './held-requests.ts';
import { hlsVhost, testOutput, testStream } from './hls-test-support.ts';
import { LiveStream } from './live-stream.ts';
import { checkLowLatency, type ReadPart, readLowLatency } from './ll-checker-test-support.ts';
import { checkPlaylists } from './rfc8216-checker-test-support.ts';
import { MemoryPool, MemoryStore } from './store-memory.ts';
import { pass, type StoryAction, storyActions, tell, useManualTimers, withoutTiming } from './story-test-support.ts';
import { StreamFiles } from './stream-files.ts';

useManualTimers();

const publish = fc.record({
  beginMs: fc.constantFrom(0, 5_000_000, 0x7fffffff - 3000),
  fragment: fc.constantFrom(1, 2, 3),
  window: fc.constantFrom(0, 4, 30),
  part: fc.constantFrom('200ms', '330ms', '1s'),
  hasKeys: fc.boolean(),
  actions: storyActions([20, 40, 100, 200], 10),
  ending: fc.record({
    kind: fc.constantFrom('unpublished' as const, 'killed' as const),
    // A process that begins anew has its numbers from the time: publishes of many short segments are a little ahead of it.
    pauseMs: fc.integer({ min: 15_000, max: 90_000 }),
  }),
});

type AnyRun = typeof publish extends fc.Arbitrary<infer T> ? T : never;

interface Run extends Pick<AnyRun, 'ending'> {
  readonly beginMs: number;
  readonly fragment: number;
  readonly window: number;
  readonly part: string;
  readonly hasKeys?: boolean;
  readonly actions: readonly StoryAction[];
}

interface Version {
  readonly text: string;
  readonly atMs: number;
  readonly isNewPublish: boolean;
  readonly isForgetful: boolean;
}

class Story {
  readonly clock = new ManualClock({ wallMs: Date.UTC(2026, 5, 1) });
  readonly versions: Version[] = [];
  /** What a part was when it was listed first, by its URI. */
  readonly parts = new Map<string, Buffer>();
  readonly problems: string[] = [];
  pool = new MemoryPool();
  #isNewPublish = true;
  #isForgetful = false;
  #live = this.#newLive();
  #store = new MemoryStore(this.pool);
  #files = this.#newFiles();

  async play({ beginMs, fragment, window, part, hasKeys = false, actions, ending }: Run): Promise<void> {
    const options = `hls_path /hls; hls_format ll; hls_fragment ${fragment}; hls_window ${window}; hls_part_duration ${part};`;
    const vhost = hlsVhost(`${options} ${hasKeys ? 'hls_keys on; hls_key_file_path /hls; hls_fragments_per_key 2;' : ''}`);
    const live = { stream: this.#live, store: this.#store };
    this.#isNewPublish = true;
    const output = testOutput({
      store: this.#store,
      clock: this.clock,
      files: this.#files,
      config: vhost.hls,
      stream: testStream(vhost),
      live,
    });
    await tell(output, { clock: this.clock, beginMs, actions, soundMs: 20, onStep: () => this.#note() });
    if (ending.kind === 'unpublished') {
      await output.onEnd('unpublished');
      await this.#note();
    } else {
      this.#isForgetful = true;
      this.pool = new MemoryPool();
      this.#store = new MemoryStore(this.pool);
      this.#live = this.#newLive();
      this.#files = this.#newFiles();
    }
    // Discontinuities are numbered from the minutes: it takes a process more of these than it makes of those.
    await pass(this.clock, ending.kind === 'killed' ? ending.pauseMs * 60 : ending.pauseMs);
  }

  #newLive(): LiveStream {
    return new LiveStream({ clock: this.clock, count: new HeldCount(), hints: new Map(), read: (path) => this.pool.get(path) });
  }

  #newFiles(): StreamFiles {
    const { clock } = this;
    const live = this.#live;
    const firstNumber = (): number => Math.floor(clock.wallMs() / 1000);
    return new StreamFiles({ store: this.#store, clock, log: silentLog, firstNumber, onDispose: () => live.remove() });
  }

  async #note(): Promise<void> {
    const answer = await this.#live.answerPlaylist('', new AbortController().signal);
    if (answer.status !== 200) return;
    const text = answer.body.toString();
    if (text === this.versions.at(-1)?.text) return;
    this.versions.push({ text, atMs: this.clock.nowMs(), isNewPublish: this.#isNewPublish, isForgetful: this.#isForgetful });
    this.#isNewPublish = false;
    this.#isForgetful = false;
    this.#checkBytes(text);
  }

  /** All that is named is there, and parts stay as they are. */
  #checkBytes(text: string): void {
    const names = [...text.matchAll(/^([^#\n]+)$|^#EXT-X-(?:MAP|KEY):.*URI="([^"]+)"/gm)].map((match) => match[1] ?? match[2]!);
    for (const name of names) if (this.pool.get(`/hls/live/${name}`) === undefined) this.problems.push(`${name} is missing`);
    for (const part of readLowLatency(text).parts) {
      const { uri, isIndependent } = part;
      const bytes = this.pool.get(`/hls/live/${uri}`);
      if (bytes === undefined) {
        this.problems.push(`${uri} is missing`);
        continue;
      }
      const before = this.parts.get(uri);
      if (before !== undefined) {
        if (!before.equals(bytes)) this.problems.push(`${uri} has changed`);
        continue;
      }
      this.parts.set(uri, Buffer.from(bytes));
      const plain = this.#decrypted(part, bytes);
      if (plain.includes('K') && !isIndependent) this.problems.push(`${uri} has a key frame`);
      if (plain.includes('v') && !plain.includes('K') && isIndependent) this.problems.push(`${uri} has no key frame`);
    }
  }

  #decrypted({ keyUri, sequence }: ReadPart, bytes: Buffer): Buffer {
    const key = keyUri === undefined ? undefined : this.pool.get(`/hls/live/${keyUri}`);
    if (key === undefined) return bytes;
    const decipher = createDecipheriv('aes-128-cbc', key, ivOf(sequence));
    return Buffer.concat([decipher.update(bytes), decipher.final()]);
  }
}

it('every playlist of any run keeps to RFC 8216bis and names only what is there', { timeout: 240_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(publish, { minLength: 1, maxLength: 4 }), async (publishes) => {
      const story = new Story();
      for (const each of publishes) await story.play(each);
      expect(story.problems).toEqual([]);
      expect(withoutTiming(checkPlaylists(story.versions))).toEqual([]);
      expect(checkLowLatency(story.versions, 200)).toEqual([]);
      // Everything is let go of in its time.
      await vi.advanceTimersByTimeAsync(0);
      await pass(story.clock, 200_000);
      if (publishes.at(-1)!.ending.kind === 'unpublished') expect([story.pool.sizeBytes, story.pool.paths]).toEqual([0, []]);
    }),
    { numRuns: 25 },
  );
});

it('the parts of steady streams keep to their target whatever the rate of pictures', { timeout: 120_000 }, async () => {
  const rates = fc.record({
    frameMs: fc.integer({ min: 16, max: 700 }),
    gopFrames: fc.integer({ min: 2, max: 60 }),
    fragment: fc.constantFrom(1, 2, 4),
    part: fc.constantFrom('100ms', '200ms', '330ms', '500ms', '1s'),
    hasPictures: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(rates, async ({ frameMs, gopFrames, fragment, part, hasPictures }) => {
      const story = new Story();
      const gopMs = hasPictures ? frameMs * gopFrames : 0;
      const actions = [{ kind: 'media' as const, ms: 12_000, gopMs, frameMs }];
      await story.play({ beginMs: 0, fragment, window: 30, part, actions, ending: { kind: 'unpublished', pauseMs: 15_000 } });
      expect(story.problems).toEqual([]);
      expect(checkLowLatency(story.versions)).toEqual([]);
      expect(withoutTiming(checkPlaylists(story.versions))).toEqual([]);
    }),
    { numRuns: 30 },
  );
});

it('a steady stream is understood by another parser', async () => {
  const story = new Story();
  const actions = [{ kind: 'media' as const, ms: 20_000, gopMs: 1000, frameMs: 40 as const }];
  await story.play({
    beginMs: 0,
    fragment: 2,
    window: 30,
    part: '330ms',
    actions,
    ending: { kind: 'unpublished', pauseMs: 15_000 },
  });
  const warnings: string[] = [];
  for (const { text } of story.versions) {
    const parser = new Parser();
    parser.on('warn', ({ message }) => warnings.push(message));
    parser.push(text);
    parser.end();
    const { parts } = readLowLatency(text);
    const { manifest } = parser;
    const parsed = [...manifest.segments, ...(manifest.preloadSegment === undefined ? [] : [manifest.preloadSegment])];
    expect(parsed.flatMap((segment) => segment.parts ?? []).map((part) => part.uri)).toEqual(parts.map((part) => part.uri));
    expect(Math.round(manifest.partTargetDuration! * 1000)).toBe(330);
  }
  expect(warnings).toEqual([]);
  expect(story.versions.length).toBeGreaterThan(65);
});
