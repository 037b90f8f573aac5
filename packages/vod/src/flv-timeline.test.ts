import { describe, expect, it } from 'vitest';
import { FlvTimeline } from './flv-timeline.ts';

function timesOf(raw: readonly number[]): number[] {
  const timeline = new FlvTimeline(null);
  return raw.map((ms) => timeline.advance(ms));
}

describe('the time of a file', () => {
  it.each([
    { name: 'begins with 0', raw: [5000, 5040, 5080], times: [0, 40, 80] },
    { name: 'knows what came late at the beginning', raw: [40, 0, 80], times: [0, -40, 40] },
    { name: 'goes on where timestamps wrap at 31 bits', raw: [0x7fffffff - 19, 20], times: [0, 40] },
    { name: 'goes on where they wrap at 32 bits', raw: [0xffffffff - 19, 20], times: [0, 40] },
    { name: 'keeps gaps of some seconds', raw: [0, 9000, 9040], times: [0, 9000, 9040] },
    { name: 'closes gaps that are longer', raw: [0, 60_000, 60_040], times: [0, 40, 80] },
    { name: 'goes on where another publish begins with 0', raw: [100_000, 100_040, 0, 40], times: [0, 40, 80, 120] },
  ])('$name', ({ raw, times }) => {
    expect(timesOf(raw)).toEqual(times);
  });

  it('can be continued by somebody else', () => {
    const first = new FlvTimeline(null);
    for (const ms of [500, 540, 580]) first.advance(ms);
    const second = new FlvTimeline(structuredClone(first.state));
    expect(second.advance(620)).toBe(120);
    expect(new FlvTimeline(null).state).toBeNull();
  });
});
