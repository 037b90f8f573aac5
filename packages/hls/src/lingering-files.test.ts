import { ManualClock } from '@srs/kernel';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LingeringFiles } from './lingering-files.ts';

const clock = new ManualClock();
let removed: string[][];
let files: LingeringFiles;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  removed = [];
  files = new LingeringFiles(clock, (paths) => removed.push([...paths]));
});

afterEach(() => {
  vi.useRealTimers();
});

function pass(ms: number): void {
  clock.advance(ms);
  vi.advanceTimersByTime(ms);
}

it('files are removed when their time is over, not before', () => {
  files.add(['a', 'b'], 1000);
  pass(500);
  files.add(['c'], 1000);
  pass(499);
  expect([removed, files.has('a'), files.isEmpty]).toEqual([[], true, false]);
  pass(1);
  expect([removed, files.has('a'), files.has('c')]).toEqual([[['a', 'b']], false, true]);
  pass(500);
  expect([removed, files.isEmpty]).toEqual([[['a', 'b'], ['c']], true]);
});

it('a file whose time is shorter is removed before those that came earlier', () => {
  files.add(['a'], 10_000);
  files.add(['b'], 1000);
  pass(1000);
  expect(removed).toEqual([['b']]);
  pass(9000);
  expect(removed).toEqual([['b'], ['a']]);
});

it('what is taken back is not removed', () => {
  files.add(['a'], 1000);
  expect(files.take()).toEqual(['a']);
  pass(2000);
  expect([removed, files.isEmpty]).toEqual([[], true]);
});
