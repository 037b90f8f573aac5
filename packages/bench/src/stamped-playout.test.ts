import { embeddedClipFile, readClip } from '@srs/client';
import { type FrameType, frameTypes } from '@srs/kernel';
import { afterEach, expect, it, vi } from 'vitest';
import { Stamp } from './stamp.ts';
import { StampedClip } from './stamped-clip.ts';
import { StampedPlayout } from './stamped-playout.ts';

const clip = new StampedClip(readClip(embeddedClipFile), { isStamped: true });

/** A server that takes `room` frames and then nothing until it is drained. */
class Sink {
  readonly sequences: number[] = [];
  readonly timesMs: number[] = [];
  room = Number.POSITIVE_INFINITY;
  #drained = Promise.withResolvers<void>();

  write(type: FrameType, timestampMs: number, payload: Uint8Array): boolean {
    const stamp = new Stamp();
    if (type === frameTypes.video && stamp.read(payload, 0, payload.length)) {
      this.sequences.push(stamp.sequence);
      this.timesMs.push(timestampMs);
    }
    this.room -= 1;
    return this.room > 0;
  }

  drained(): Promise<void> {
    return this.#drained.promise;
  }

  drain(room: number): void {
    this.room = room;
    this.#drained.resolve();
    this.#drained = Promise.withResolvers();
  }
}

const playouts: StampedPlayout[] = [];
afterEach(() => {
  for (const playout of playouts.splice(0)) playout.stop();
});

function start(sink: Sink, speed: number): void {
  playouts.push(new StampedPlayout({ clip, sink, stream: 3, speed, onSent: () => {} }));
}

it('pictures are numbered over the rounds of the clip, and their times go on', async () => {
  const sink = new Sink();
  start(sink, Number.POSITIVE_INFINITY);
  await vi.waitFor(() => expect(sink.sequences.length).toBeGreaterThan(1100), { timeout: 10_000 });
  expect(sink.sequences).toEqual(sink.sequences.map((_, at) => at));
  expect(sink.timesMs.every((timeMs, at) => at === 0 || timeMs > sink.timesMs[at - 1]!)).toBe(true);
  // 25 a second, in the second round as in the first.
  expect(sink.timesMs[1000]! - sink.timesMs[900]!).toBe(4000);
});

it('nothing is sent while the server is behind, and nothing is left out afterwards', async () => {
  const sink = new Sink();
  sink.room = 100;
  start(sink, Number.POSITIVE_INFINITY);
  expect(sink.room).toBe(0);
  sink.drain(50);
  await vi.waitFor(() => expect(sink.room).toBe(0));
  expect(sink.sequences).toEqual(sink.sequences.map((_, at) => at));
});

it('real time is real time', async () => {
  const sink = new Sink();
  const startMs = performance.now();
  start(sink, 1);
  expect(sink.sequences.length).toBeLessThan(4);
  await vi.waitFor(() => expect(sink.sequences.length).toBeGreaterThanOrEqual(10), { timeout: 5000 });
  expect(performance.now() - startMs).toBeGreaterThan(9 * 40 - 80);
});
