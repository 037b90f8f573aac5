import { describe, expect, it } from 'vitest';
import { MemoryReturn } from './memory-return.ts';

const MIB = 2 ** 20;

/** A process of so many MiB in each window, with its processor's load; tells in which windows memory was released. */
function releases(windows: readonly (readonly [mebibytes: number, cpuPercent: number])[]): number[] {
  const found: number[] = [];
  let window = 0;
  const memory = new MemoryReturn({
    // Asked again after a release, it is as small as in the next window.
    rssBytes: () => (windows[found.at(-1) === window ? window + 1 : window]?.[0] ?? 0) * MIB,
    release: () => found.push(window),
  });
  for (; window < windows.length; window++) memory.endWindow(windows[window]![1]);
  return found;
}

describe('memory is returned', () => {
  it('once after the start, and not again while it does not grow', () => {
    const calm = [
      [100, 1],
      [90, 1],
      [91, 1],
      [94, 1],
      [90, 0],
    ] as const;
    expect(releases(calm)).toEqual([0]);
  });

  it('when the process has grown and is calm again, never while it is busy', () => {
    const rush = [
      [100, 1],
      [90, 1],
      [250, 60],
      [250, 5],
      [250, 1],
      [92, 1],
      [92, 1],
      [92, 1],
    ] as const;
    expect(releases(rush)).toEqual([0, 4]);
  });

  it('once for memory that is really in use', () => {
    const inUse = [
      [100, 1],
      [90, 1],
      [90, 1],
      [200, 1],
      [190, 1],
      [195, 1],
      [190, 1],
    ] as const;
    expect(releases(inUse)).toEqual([0, 3]);
  });

  it('measured by the smallest it has been: memory that goes by itself and comes back counts as growth', () => {
    const wave = [
      [100, 1],
      [90, 1],
      [90, 1],
      [200, 1],
      [190, 1],
      [190, 1],
      [95, 1],
      [190, 1],
    ] as const;
    expect(releases(wave)).toEqual([0, 3, 7]);
  });

  it('in this process without harm', () => {
    expect(() => new MemoryReturn().endWindow(0)).not.toThrow();
  });
});
