import { describe, expect, it } from 'vitest';
import { countFrame, isCut, newCutterState } from './cutter.ts';
import { FULL_SEGMENT_BYTES, MAX_SEGMENT_BYTES } from './limits.ts';

/** Times at which segments begin, for pictures of which every n-th is a key frame. */
function cutsOf(pictures: {
  readonly count: number;
  readonly stepMs: number;
  readonly keyEvery: number;
  readonly bytes?: number;
}): {
  readonly times: readonly number[];
  readonly isForced: boolean;
} {
  const state = newCutterState();
  const times: number[] = [];
  for (let index = 0; index < pictures.count; index++) {
    const timeMs = index * pictures.stepMs;
    if (isCut(state, timeMs, index % pictures.keyEvery === 0)) times.push(timeMs);
    countFrame(state, pictures.bytes ?? 1000);
  }
  return { times, isForced: state.hasForcedCut };
}

describe('a segment ends', () => {
  it.each([
    { name: 'at a key frame after six seconds', keyEvery: 50, times: [6000, 12_000, 18_000] },
    { name: 'at the first key frame behind six seconds', keyEvery: 100, times: [8000, 16_000] },
    { name: 'as often as there are key frames, when they are rare', keyEvery: 250, times: [10_000, 20_000] },
  ])('$name', ({ keyEvery, times }) => {
    expect(cutsOf({ count: 600, stepMs: 40, keyEvery })).toEqual({ times, isForced: false });
  });

  it('a picture early, where groups last as long as segments', () => {
    // 29.97 pictures a second, a key frame after 180.
    const { times } = cutsOf({ count: 541, stepMs: 1001 / 30, keyEvery: 180 });
    expect(times.map(Math.round)).toEqual([6006, 12_012, 18_018]);
    expect(cutsOf({ count: 541, stepMs: 33.3, keyEvery: 180 }).times.map(Math.round)).toEqual([5994, 11_988, 17_982]);
  });

  it('without a key frame after half a minute', () => {
    expect(cutsOf({ count: 2000, stepMs: 40, keyEvery: 10_000 })).toEqual({ times: [30_000, 60_000], isForced: true });
  });

  it('early when it is large: at a key frame, or at last without', () => {
    const bytes = FULL_SEGMENT_BYTES / 8;
    expect(cutsOf({ count: 60, stepMs: 40, keyEvery: 10, bytes }).times).toEqual([400, 800, 1200, 1600, 2000]);
    const { times, isForced } = cutsOf({ count: 20, stepMs: 40, keyEvery: 100, bytes: MAX_SEGMENT_BYTES / 4 });
    expect(times).toEqual([160, 320, 480, 640]);
    expect(isForced).toBe(true);
  });

  it('early when it has very many frames of no bytes', () => {
    expect(cutsOf({ count: 300_000, stepMs: 0.01, keyEvery: 1_000_000, bytes: 0 }).times).toHaveLength(2);
  });
});

it('frames that come late do not end a segment', () => {
  const state = newCutterState();
  expect(isCut(state, 6000, true)).toBe(true);
  expect(isCut(state, 2000, true)).toBe(false);
  expect(isCut(state, 11_900, true)).toBe(true);
});
