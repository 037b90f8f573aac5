import { type FrameType, ManualClock } from '@srs/kernel';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ClipPlayout, type FrameSink } from './clip-playout.ts';
import { FlvClip } from './flv-clip.ts';
import { avcHeader, flvFile, keyFrame } from './flv-test-support.ts';

/** 25 frames of 40 ms. */
const clip = FlvClip.read(flvFile([avcHeader, ...Array.from({ length: 25 }, (_, index) => keyFrame(index * 40))]));

class RecordingSink implements FrameSink {
  readonly sent: { readonly atMs: number; readonly timestampMs: number }[] = [];
  readonly #clock: ManualClock;
  #room: PromiseWithResolvers<void> | undefined;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  write(_type: FrameType, timestampMs: number): boolean {
    this.sent.push({ atMs: this.#clock.nowMs(), timestampMs });
    return this.#room === undefined;
  }

  drained(): Promise<void> {
    return this.#room?.promise ?? Promise.resolve();
  }

  block(): void {
    this.#room = Promise.withResolvers<void>();
  }

  unblock(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }
}

describe('playing a clip out', () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => vi.useRealTimers());

  const setup = () => {
    const clock = new ManualClock();
    const sink = new RecordingSink(clock);
    const run = async (ms: number, stepMs = 1) => {
      for (let passed = 0; passed < ms; passed += stepMs) {
        clock.advance(stepMs);
        await vi.advanceTimersByTimeAsync(stepMs);
      }
    };
    return { clock, sink, run, playout: new ClipPlayout(clip, sink, clock) };
  };

  it('sends each frame when it is due, headers and first frame at once', async () => {
    const { sink, run, playout } = setup();
    expect(sink.sent).toEqual([
      { atMs: 0, timestampMs: 0 },
      { atMs: 0, timestampMs: 0 },
    ]);
    await run(2500);
    expect(sink.sent.slice(1)).toEqual(Array.from({ length: 63 }, (_, index) => ({ atMs: index * 40, timestampMs: index * 40 })));
    playout.stop();
  });

  it('does not drift when every timer comes late', async () => {
    const { sink, run, playout } = setup();
    // The clock is looked at every 17 ms only: each timer is up to 16 ms late.
    await run(60_000, 17);
    const last = sink.sent.at(-1)!;
    expect(last.atMs - last.timestampMs).toBeLessThan(40);
    for (const { atMs, timestampMs } of sink.sent) {
      expect(atMs - timestampMs).toBeGreaterThanOrEqual(0);
      expect(atMs - timestampMs).toBeLessThan(34);
    }
    playout.stop();
  });

  it('goes on from now on after a long stop, without a burst and without a step in its timestamps', async () => {
    const { clock, sink, run, playout } = setup();
    await run(400);
    const before = sink.sent.length;
    clock.advance(3_600_000);
    await run(400);
    const after = sink.sent.slice(before);
    expect(after.length).toBeLessThanOrEqual(11);
    const timestamps = sink.sent.slice(1).map((frame) => frame.timestampMs);
    expect(timestamps).toEqual(timestamps.map((_, index) => index * 40));
    playout.stop();
  });

  it('catches up after a short stop', async () => {
    const { clock, sink, run, playout } = setup();
    await run(400);
    clock.advance(1_000);
    await run(40);
    expect(sink.sent.at(-1)?.timestampMs).toBe(1_440);
    playout.stop();
  });

  it('sends nothing while the server does not keep up, and goes on when it does', async () => {
    const { sink, run, playout } = setup();
    sink.block();
    await run(40);
    const blocked = sink.sent.length;
    await run(400);
    expect(sink.sent).toHaveLength(blocked);
    sink.unblock();
    await run(10);
    expect(sink.sent.at(-1)?.timestampMs).toBe(440);
    playout.stop();
  });

  it('sends nothing after it has been stopped, not even when the server has room again', async () => {
    const { sink, run, playout } = setup();
    sink.block();
    await run(40);
    playout.stop();
    sink.unblock();
    const sent = sink.sent.length;
    await run(1_000);
    expect(sink.sent).toHaveLength(sent);
    expect(vi.getTimerCount()).toBe(0);
  });
});
