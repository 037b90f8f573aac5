/** Stories of publishes for tests: what may happen to a stream, told to a consumer frame by frame. */
import { frameTypes, type ManualClock } from '@srs/kernel';
import type { FrameConsumer } from '@srs/stream';
import fc from 'fast-check';
import { afterEach, beforeEach, vi } from 'vitest';
import { Feeder } from './hls-test-support.ts';
import type { BrokenRule } from './rfc8216-checker-test-support.ts';

export type StoryAction =
  | { readonly kind: 'media'; readonly ms: number; readonly gopMs: number; readonly frameMs: number }
  | { readonly kind: 'sound'; readonly ms: number }
  | { readonly kind: 'gap'; readonly ms: number }
  | { readonly kind: 'header'; readonly version: number }
  | { readonly kind: 'jump'; readonly toMs: number };

/** Timers stand still in each test of the file, but for `pass`. */
export function useManualTimers(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
}

export async function pass(clock: ManualClock, ms: number): Promise<void> {
  clock.advance(ms);
  await vi.advanceTimersByTimeAsync(ms);
}

/** What happens to a stream that is being published. @param frameMs how long its pictures may last */
export function storyActions(frameMs: readonly number[], maxLength: number): fc.Arbitrary<StoryAction[]> {
  const action: fc.Arbitrary<StoryAction> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('media' as const),
        ms: fc.integer({ min: 20, max: 9000 }),
        gopMs: fc.constantFrom(400, 1000, 2000, 7000),
        frameMs: fc.constantFrom(...frameMs),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('sound' as const), ms: fc.integer({ min: 20, max: 6000 }) }) },
    fc.record({ kind: fc.constant('gap' as const), ms: fc.integer({ min: 0, max: 20_000 }) }),
    fc.record({ kind: fc.constant('header' as const), version: fc.integer({ min: 0, max: 2 }) }),
    fc.record({ kind: fc.constant('jump' as const), toMs: fc.integer({ min: 0, max: 0x7fffffff }) }),
  );
  return fc.array(action, { minLength: 1, maxLength });
}

interface Telling {
  readonly clock: ManualClock;
  readonly beginMs: number;
  readonly actions: readonly StoryAction[];
  /** How far sounds without pictures are apart. */
  readonly soundMs: number;
  /** After each frame. */
  readonly onStep?: () => Promise<void>;
}

/** Tells what happens from the begin of a publish on; its end is left to the caller. */
export async function tell(output: FrameConsumer, { clock, beginMs, actions, soundMs, onStep }: Telling): Promise<void> {
  const feed = new Feeder(output, clock);
  let at = beginMs;
  const media = async (ms: number, gopMs: number, frameMs: number): Promise<void> => {
    for (let offset = 0; offset < ms; offset += frameMs) {
      const timestampMs = (at + offset) & 0x7fffffff;
      feed.sound(timestampMs);
      if (gopMs > 0 && offset % gopMs === 0) feed.keyFrame(timestampMs);
      else if (gopMs > 0) feed.picture(timestampMs);
      await pass(clock, frameMs);
      await onStep?.();
    }
    at += ms;
  };
  for (const each of actions) {
    switch (each.kind) {
      case 'media':
        await media(each.ms, each.gopMs, each.frameMs);
        break;
      case 'sound':
        await media(each.ms, 0, soundMs);
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
}

/** Media comes as fast as it likes in a story, in pieces of any length: when a version comes is checked with real streams. */
export function withoutTiming(broken: readonly BrokenRule[]): readonly BrokenRule[] {
  return broken.filter(({ rule }) => rule !== 'early' && rule !== 'late');
}
