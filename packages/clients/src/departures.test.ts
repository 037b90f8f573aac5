import { ManualClock } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { Departures } from './departures.ts';

const gone = (id: number, more: object = {}) => ({
  id,
  ip: '10.0.0.1',
  type: 'play' as const,
  streamId: 'v/live/one',
  aliveSeconds: 5,
  isRefused: false,
  reason: 'left',
  ...more,
});

describe('Departures', () => {
  it('tells the newest first, with how long ago it was', () => {
    const clock = new ManualClock();
    const departures = new Departures(clock);
    departures.add(gone(200));
    clock.advance(2000);
    departures.add(gone(201, { isRefused: true, reason: 'no' }));
    clock.advance(3000);
    expect(departures.list()).toEqual([
      { ...gone(201), isRefused: true, reason: 'no', agoSeconds: 3 },
      { ...gone(200), agoSeconds: 5 },
    ]);
  });

  it('keeps the last 500, however many there were', () => {
    const departures = new Departures(new ManualClock());
    for (let id = 0; id < 1730; id += 1) departures.add(gone(id));
    expect(departures.list().map(({ id }) => id)).toEqual(Array.from({ length: 500 }, (_, index) => 1729 - index));
  });

  it('keeps no secrets and no long names', () => {
    const departures = new Departures(new ManualClock());
    departures.add(gone(200, { reason: 'stream one?token=hunter2 must be signed', streamId: 'x'.repeat(9000) }));
    const [departure] = departures.list();
    expect(departure?.reason).not.toContain('hunter2');
    expect(departure?.streamId).toHaveLength(303);
  });
});
