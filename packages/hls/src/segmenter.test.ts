import { type FrameType, frameTypes, TIMESTAMP_MASK } from '@srs/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Segmenter, type SegmenterOptions } from './segmenter.ts';

const { audio, video } = frameTypes;
const defaults: SegmenterOptions = { fragmentMs: 2000, aofRatio: 2.1, waitKeyframe: true };

/** Where segments begin, and what the ones that ended lasted. */
class Run {
  readonly segmenter: Segmenter;
  readonly begins: string[] = [];
  readonly durations: number[] = [];
  skipped = 0;

  constructor(options: Partial<SegmenterOptions> = {}) {
    this.segmenter = new Segmenter({ ...defaults, ...options });
  }

  frame(type: FrameType, at: number, isKeyFrame = false): this {
    const step = this.segmenter.step(type, isKeyFrame, at);
    if (step === 'skip') this.skipped += 1;
    if (step === 'cut' || step === 'break') this.durations.push(this.segmenter.endedDurationMs);
    if (step !== 'skip' && step !== 'append') this.begins.push(`${step} ${type === audio ? 'a' : isKeyFrame ? 'K' : 'v'}${at}`);
    return this;
  }

  /** @param gopMs distance of key frames */
  pictures(from: number, to: number, gopMs: number): this {
    for (let at = from; at < to; at += 40) this.frame(video, at, (at - from) % gopMs === 0);
    return this;
  }

  sounds(from: number, to: number): this {
    for (let at = from; at < to; at += 20) this.frame(audio, at);
    return this;
  }

  both(from: number, to: number, gopMs: number): this {
    for (let at = from; at < to; at += 20) {
      if ((at - from) % 40 === 0) this.frame(video, at, (at - from) % gopMs === 0);
      this.frame(audio, at);
    }
    return this;
  }
}

describe('with pictures', () => {
  it('a segment ends at the first key frame when it is long enough, and lasts until that', () => {
    const run = new Run().both(0, 6100, 1000);
    expect(run.begins).toEqual(['begin K0', 'cut K2000', 'cut K4000', 'cut K6000']);
    expect(run.durations).toEqual([2000, 2000, 2000]);
  });

  it('a fragment of 0 ends at each key frame', () => {
    const run = new Run({ fragmentMs: 0 }).both(0, 2100, 1000);
    expect(run.begins).toEqual(['begin K0', 'cut K1000', 'cut K2000']);
  });

  it.each(['both', 'pictures'] as const)(
    'without a key frame (%s) a segment ends at aofRatio fragments, and the next at the key frame',
    (kind) => {
      const run = new Run()[kind](0, 12_100, 10_000);
      expect(run.begins.map((begin) => begin.replace(/[av]/, ''))).toEqual(['begin K0', 'cut 4200', 'cut 8400', 'cut K10000']);
      expect(run.durations).toEqual([4200, 4200, 1600]);
    },
  );

  it('pictures before the first key frame are left out, sound is not', () => {
    const run = new Run().frame(video, 0).frame(audio, 10).frame(video, 40).frame(video, 80, true).frame(video, 120);
    expect([run.skipped, run.begins]).toEqual([2, ['begin a10']]);
    run.pictures(160, 2080, 5000).frame(video, 2090, true);
    expect(run.begins).toEqual(['begin a10', 'cut K2090']);
  });

  it('hls_wait_keyframe off takes any picture as it comes', () => {
    const run = new Run({ waitKeyframe: false });
    for (let at = 0; at < 4100; at += 40) run.frame(video, at);
    expect([run.skipped, run.begins]).toEqual([0, ['begin v0', 'cut v2000', 'cut v4000']]);
  });

  it('after a restart pictures wait for a key frame again', () => {
    const run = new Run().pictures(0, 1000, 1000);
    expect(run.segmenter.end()).toBe(1000);
    run.segmenter.restart();
    run.frame(video, 90_000).frame(video, 90_040, true);
    expect([run.skipped, run.begins.at(-1)]).toEqual([1, 'begin K90040']);
  });
});

describe('without pictures', () => {
  it('a segment ends after each fragment', () => {
    const run = new Run().sounds(0, 4100);
    expect(run.begins).toEqual(['begin a0', 'cut a2000', 'cut a4000']);
  });

  it('a fragment of 0 is a second', () => {
    expect(new Run({ fragmentMs: 0 }).sounds(0, 2100).begins).toEqual(['begin a0', 'cut a1000', 'cut a2000']);
  });

  it('a stream whose pictures stop goes on with sound, and with pictures when they come back', () => {
    const run = new Run().both(0, 2500, 1000).sounds(2500, 10_300);
    expect(run.begins).toEqual(['begin K0', 'cut K2000', 'cut a6200', 'cut a8200', 'cut a10200']);
    run.frame(video, 10_300, true);
    expect(run.begins).toHaveLength(5);
    run.both(12_200, 14_300, 1000);
    expect(run.begins.slice(5)).toEqual(['cut K12200', 'cut K14200']);
  });
});

describe('breaks of the timeline', () => {
  it('a time that begins anew ends the segment after its last frame', () => {
    const run = new Run().pictures(5000, 6000, 1000).pictures(0, 1000, 1000);
    expect(run.begins).toEqual(['begin K5000', 'break K0']);
    expect(run.durations).toEqual([1000]);
  });

  it('a step too large is no part of a segment', () => {
    const run = new Run().both(0, 1000, 1000).both(3_600_000, 3_601_000, 1000);
    expect(run.begins).toEqual(['begin K0', 'break K3600000']);
    expect(run.durations[0]).toBeLessThanOrEqual(1020);
  });

  it('when both tracks begin anew, that is one break', () => {
    const run = new Run().both(50_000, 51_000, 1000).both(0, 1000, 1000);
    expect(run.begins).toHaveLength(2);
  });

  it('a track that is behind the other by seconds is no break', () => {
    const run = new Run();
    for (let at = 5000; at < 9000; at += 40) run.frame(video, at, at % 1000 === 0).frame(audio, at - 3000);
    expect(run.begins).toEqual(['begin K5000', 'cut K7000']);
  });

  it('31 bits that wrap are no break', () => {
    const begin = TIMESTAMP_MASK - 999;
    const run = new Run();
    for (let at = begin; at < begin + 3000; at += 40) run.frame(video, at & TIMESTAMP_MASK, (at - begin) % 1000 === 0);
    expect(run.begins).toEqual([`begin K${begin}`, 'cut K1000']);
    expect(run.durations).toEqual([2000]);
  });
});

describe('the end', () => {
  it('counts the last frame as long as the one before it', () => {
    expect(new Run().pictures(0, 480, 1000).segmenter.end()).toBe(480);
    expect(new Run().sounds(0, 480).segmenter.end()).toBe(480);
    expect(new Run().frame(audio, 5).segmenter.end()).toBe(0);
    expect(new Run().segmenter.end()).toBe(0);
  });

  it('what follows begins a segment', () => {
    const run = new Run().both(0, 500, 1000);
    run.segmenter.end();
    expect(run.segmenter.isOpen).toBe(false);
    expect(run.frame(audio, 500).begins).toEqual(['begin K0', 'begin a500']);
  });
});

it('whatever comes, segments are no longer than the overflow and one step, and no cut is shorter than 100 ms', () => {
  const frames = fc.array(fc.tuple(fc.boolean(), fc.boolean(), fc.integer({ min: -400, max: 900 })), {
    maxLength: 400,
    size: 'max',
  });
  fc.assert(
    fc.property(frames, fc.integer({ min: 0, max: 4 }), fc.boolean(), (steps, fragment, waitKeyframe) => {
      const segmenter = new Segmenter({ fragmentMs: fragment * 1000, aofRatio: 2, waitKeyframe });
      let at = 1_000_000;
      let isFirst = true;
      for (const [isVideo, isKeyFrame, step] of steps) {
        at += step;
        const what = segmenter.step(isVideo ? video : audio, isVideo && isKeyFrame, at);
        if (what === 'skip') continue;
        expect(what === 'begin').toBe(isFirst);
        isFirst = false;
        if (what !== 'cut' && what !== 'break') continue;
        expect(segmenter.endedDurationMs).toBeGreaterThanOrEqual(what === 'cut' ? 100 : 0);
        expect(segmenter.endedDurationMs).toBeLessThan(Math.max(fragment, 1) * 2000 + 1000);
      }
    }),
  );
});
