import { describe, expect, it } from 'vitest';
import { type ListedSegment, MAX_LISTED_SEGMENTS, Playlist } from './playlist.ts';

function segment(sequence: number, seconds: number, isDiscontinuity = false): ListedSegment {
  const durationMs = Math.round(seconds * 1000);
  return {
    sequence,
    uri: `${sequence}.ts`,
    path: `/${sequence}.ts`,
    durationMs,
    isDiscontinuity,
    programDateTimeMs: 0,
    key: undefined,
  };
}

function playlist(fragment: number, window: number): Playlist {
  return new Playlist({ windowMs: window * 1000, targetMs: fragment * 1000 });
}

const numbers = (segments: readonly ListedSegment[]): number[] => segments.map((each) => each.sequence);

describe('the window', () => {
  it.each([
    ['a window of 60 s keeps 7 segments of 10 s', 10, 60, 10, 7],
    ['a window of 60 s keeps 6 segments of 10.2 s, whose sum is 61.2 s', 10, 60, 10.2, 6],
    ['a sum of 60.9 s does not exceed 60 s', 10, 60, 10.15, 7],
    ['a window of 10 s keeps 6 segments of 2 s', 2, 10, 2, 6],
    ['a window shorter than three targets keeps three targets', 10, 10, 10, 3],
    ['a window of nothing keeps three targets', 2, 0, 2, 3],
  ])('%s', (_, fragment, window, seconds, count) => {
    const list = playlist(fragment, window);
    for (let sequence = 0; sequence < 20; sequence++) list.add(segment(sequence, seconds));
    expect(list.segments).toHaveLength(count);
    expect([list.mediaSequence, list.nextSequence]).toEqual([20 - count, 20]);
  });

  it('one long segment pushes several short ones out, as far as three of its length are left', () => {
    const list = playlist(2, 6);
    for (let sequence = 0; sequence < 4; sequence++) expect(list.add(segment(sequence, 2))).toEqual([]);
    expect(numbers(list.add(segment(4, 4)))).toEqual([]);
    expect(numbers(list.add(segment(5, 4)))).toEqual([0, 1]);
    expect(numbers(list.add(segment(6, 4)))).toEqual([2, 3]);
  });

  it('is bounded in number too', () => {
    const list = playlist(1, 100_000);
    for (let sequence = 0; sequence < MAX_LISTED_SEGMENTS + 5; sequence++) list.add(segment(sequence, 0.5));
    expect(list.segments).toHaveLength(MAX_LISTED_SEGMENTS);
  });
});

describe('numbers', () => {
  it('a number that is not the next is refused', () => {
    const list = playlist(2, 6);
    list.add(segment(0, 2));
    expect(() => list.add(segment(2, 2))).toThrow('segment 2 must be 1');
  });

  it('the discontinuity sequence rises when a discontinuity leaves, not before', () => {
    const list = playlist(2, 6);
    const rises: number[] = [];
    for (let sequence = 0; sequence < 9; sequence++) {
      list.add(segment(sequence, 2, sequence === 0 || sequence === 3));
      rises.push(list.discontinuitySequence);
    }
    expect(rises).toEqual([0, 0, 0, 0, 1, 1, 1, 2, 2]);
  });

  it('go on from a state', () => {
    const state = { nextSequence: 42, discontinuitySequence: 5, segments: [segment(40, 2, true), segment(41, 2)] };
    const list = new Playlist({ windowMs: 6000, targetMs: 2000 }, state);
    expect([list.mediaSequence, list.nextSequence, list.discontinuitySequence]).toEqual([40, 42, 5]);
    list.add(segment(42, 2));
    list.add(segment(43, 2));
    list.add(segment(44, 2));
    expect([list.mediaSequence, list.discontinuitySequence]).toEqual([41, 6]);
  });
});

describe('the target duration', () => {
  it.each([
    [2, 2],
    [2.5, 3],
    [0, 1],
  ])('begins at the fragment, %s s, rounded up: %s s', (fragment, target) => {
    expect(playlist(fragment, 60).targetSeconds).toBe(target);
  });

  it('is raised for a longer segment and never lowered', () => {
    const list = playlist(2, 6);
    const targets = [2, 2.49, 2.5, 6.4, 2, 2, 2, 2, 2, 2, 2, 2].map((seconds, sequence) => {
      list.add(segment(sequence, seconds));
      return list.targetSeconds;
    });
    expect(targets).toEqual([2, 2, 3, 6, 6, 6, 6, 6, 6, 6, 6, 6]);
  });

  it('is that of what is still listed when a publish begins', () => {
    const state = { nextSequence: 2, discontinuitySequence: 0, segments: [segment(0, 2), segment(1, 7.2)] };
    expect(new Playlist({ windowMs: 6000, targetMs: 2000 }, state).targetSeconds).toBe(7);
  });
});
