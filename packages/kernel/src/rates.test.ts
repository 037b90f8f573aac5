import { describe, expect, it } from 'vitest';
import { ManualClock } from './clock.ts';
import { RateMeter } from './rates.ts';

describe('RateMeter', () => {
  it('averages over the session and fills a window only when it has passed', () => {
    const clock = new ManualClock();
    const meter = new RateMeter(clock);
    clock.advance(10_000);
    expect(meter.sample(1_250_000)).toEqual({ average: 1000, last30s: 0, last5m: 0 });
    clock.advance(20_000);
    expect(meter.sample(3_750_000)).toEqual({ average: 1000, last30s: 1000, last5m: 0 });
    clock.advance(30_000);
    expect(meter.sample(3_750_000)).toEqual({ average: 500, last30s: 0, last5m: 0 });
  });
});
