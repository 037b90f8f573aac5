import { describe, expect, it } from 'vitest';
import type { Packet } from '../support/media.ts';
import { splitIntoRuns, timeSteps } from './published-runs-test-support.ts';

const packets = (names: string, startMs = 0): Packet[] =>
  Array.from(names, (hash, index) => ({ hash, isKeyFrame: index === 0, ptsMs: 0, dtsMs: startMs + index * 40, sizeBytes: 1 }));
const lengths = (recorded: string, ...clips: string[]): number[] =>
  splitIntoRuns(
    packets(recorded),
    clips.map((clip) => packets(clip)),
  ).map((run) => run.packets.length);

describe('splitIntoRuns', () => {
  it.each([
    ['one publisher, whole', 'abc', ['abc'], [3]],
    ['one publisher that repeats its clip', 'abcab', ['abc'], [5]],
    ['one after the other', 'abcde', ['abc', 'def'], [3, 2]],
    ['the same clip again, cut short before', 'ababc', ['abc', 'abc'], [2, 3]],
  ])('finds %s', (_, recorded, clips, expected) => {
    expect(lengths(recorded, ...clips)).toEqual(expected);
  });

  it.each([
    ['a gap', 'ac', ['abc'], 'packet 1 (1 bytes at 40 ms), after 1 packets of publisher 0, is neither its next nor the next one'],
    ['a late start', 'bc', ['abc'], 'packet 0 (1 bytes at 0 ms), at the start, is neither'],
    ['a double', 'aab', ['abc'], 'packet 1'],
    ['a next publisher that begins late', 'abef', ['abc', 'def'], 'packet 2'],
    ['a publisher left out', 'abgh', ['abc', 'def', 'ghi'], 'packet 2'],
  ])('%s is an error', (_, recorded, clips, message) => {
    expect(() => lengths(recorded, ...clips)).toThrow(message);
  });
});

it('the steps between packets are told', () => {
  expect(timeSteps([...packets('ab'), ...packets('c', 30)])).toEqual({ largest: 40, smallest: -10 });
});
