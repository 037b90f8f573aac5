/** Any run of publishes that change the format of what is kept in memory is one playlist to a player. */
import { frameTypes, ManualClock, silentLog } from '@srs/kernel';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { hlsFeature } from './hls-feature.ts';
import { hlsVhost, testStream } from './hls-test-support.ts';
import { checkPlaylists, type PlaylistVersion } from './rfc8216-checker-test-support.ts';
import { pass, useManualTimers, withoutTiming } from './story-test-support.ts';

useManualTimers();

/** What is over is removed after this time. */
const DISPOSE_MS = 120_000;
/** MP3 of 128 kbps and 44.1 kHz: neither MPEG-TS nor MP4 needs a header for it. */
const sound = Buffer.concat([Buffer.from('2ffffb90c4', 'hex'), Buffer.alloc(413)]);
const SOUND_MS = 26;

const publish = fc.record({
  format: fc.constantFrom('ts', 'fmp4', 'll'),
  fragment: fc.constantFrom(1, 2, 4),
  window: fc.constantFrom(0, 6),
  hasKeys: fc.boolean(),
  ms: fc.oneof(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 0, max: 25_000 })),
  pauseMs: fc.oneof(fc.integer({ min: 0, max: 65_000 }), fc.integer({ min: DISPOSE_MS - 1000, max: DISPOSE_MS + 1000 })),
});

type Run = typeof publish extends fc.Arbitrary<infer T> ? T : never;

class Story {
  readonly clock = new ManualClock({ wallMs: Date.UTC(2026, 5, 1) });
  readonly versions: PlaylistVersion[] = [];
  readonly problems: string[] = [];
  readonly #feature = hlsFeature({
    clock: this.clock,
    log: silentLog,
    randomBytes: (size) => Buffer.alloc(size, 7),
    onSegment: () => {},
  });
  /** How many versions may still be those with which a publish begins: its first part takes the other format off the list. */
  #beginning = 0;
  #isForgetful = false;

  async play({ format, fragment, window, hasKeys, ms, pauseMs }: Run): Promise<void> {
    const options = `hls_storage memory; hls_format ${format}; hls_fragment ${fragment}; hls_window ${window};`;
    const vhost = hlsVhost(`${options} ${hasKeys ? 'hls_keys on; hls_fragments_per_key 2;' : ''}`);
    const consumer = this.#feature.open(testStream(vhost), vhost.hls)!;
    this.#beginning = 2;
    for (let at = 0; at < ms; at += SOUND_MS) {
      consumer.onFrame(frameTypes.audio, 0, at, this.clock.wallMs() % 2 ** 32, sound);
      await pass(this.clock, SOUND_MS);
      if (at % (4 * SOUND_MS) === 0) await this.#look(true);
    }
    await consumer.onEnd('unpublished');
    await this.#look(true);
    await pass(this.clock, Math.min(pauseMs, DISPOSE_MS - 1));
    await this.#look(true);
    await pass(this.clock, Math.max(0, pauseMs - (DISPOSE_MS - 1)));
    if (pauseMs >= DISPOSE_MS) await this.#look(false);
  }

  async close(): Promise<void> {
    await this.#feature.close();
  }

  async #look(isThere: boolean): Promise<void> {
    const text = await this.#ask('livestream.m3u8');
    if (text === undefined) {
      if (isThere && this.versions.length > 0 && !this.#isForgetful) this.problems.push('there is no playlist any more');
      if (!isThere) this.#isForgetful = true;
      return;
    }
    if (!isThere) this.problems.push('there is a playlist');
    for (const [, segment, named] of text.matchAll(/^([^#\n]+)$|^#EXT-X-(?:MAP|KEY|PART):.*URI="([^"]+)"/gm)) {
      if ((await this.#ask(segment ?? named!)) === undefined) this.problems.push(`${segment ?? named} is missing`);
    }
    if (text === this.versions.at(-1)?.text) return;
    const isNewPublish = this.#beginning > 0;
    this.versions.push({ text, atMs: this.clock.nowMs(), isNewPublish, isForgetful: this.#isForgetful });
    this.#beginning -= 1;
    this.#isForgetful = false;
  }

  async #ask(name: string): Promise<string | undefined> {
    const { signal } = new AbortController();
    const answer = await this.#feature.answer({ vhost: 'a.com', path: `live/${name}`, query: '', signal });
    return answer.status === 200 ? answer.body.toString('latin1') : undefined;
  }
}

it('every playlist of any run keeps to RFC 8216, names only what is there, and is there', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(publish, { minLength: 2, maxLength: 5 }), async (publishes) => {
      const story = new Story();
      try {
        for (const each of publishes) await story.play(each);
      } finally {
        await story.close();
      }
      expect(story.problems).toEqual([]);
      expect(withoutTiming(checkPlaylists(story.versions))).toEqual([]);
    }),
    { numRuns: 15 },
  );
});
