import { describe, expect, it } from 'vitest';
import { configureSoundClock, countSound, expectedSound, newSoundClockState, soundTicks } from './vod-sound-clock.ts';
import { aacConfiguration } from './vod-test-support.ts';

const FRAME_TICKS = (1024 * 90_000) / 44_100;

describe('the time of the next sound', () => {
  it('is not known before there is one', () => {
    const clock = newSoundClockState();
    expect(expectedSound(clock)).toBeUndefined();
    configureSoundClock(clock, aacConfiguration);
    expect(expectedSound(clock)).toBeUndefined();
  });

  it('is counted in samples, however the timestamps tremble', () => {
    const clock = newSoundClockState();
    configureSoundClock(clock, aacConfiguration);
    for (let frame = 0; frame < 1000; frame++) {
      countSound(clock, Math.round(1000 + frame * FRAME_TICKS) + (frame === 0 ? 0 : 5000 * ((frame % 3) - 1)));
    }
    expect(expectedSound(clock)).toBe(1000 + Math.round(1000 * FRAME_TICKS));
  });

  it('is that of the timestamps where they have moved on by more than a tenth of a second', () => {
    const clock = newSoundClockState();
    configureSoundClock(clock, aacConfiguration);
    countSound(clock, 0);
    countSound(clock, 90_000);
    expect(expectedSound(clock)).toBe(90_000 + Math.round(FRAME_TICKS));
  });

  it('begins anew with another rate, and goes on when the same is told again', () => {
    const clock = newSoundClockState();
    configureSoundClock(clock, aacConfiguration);
    countSound(clock, 0);
    configureSoundClock(clock, aacConfiguration);
    expect(expectedSound(clock)).toBe(Math.round(FRAME_TICKS));
    configureSoundClock(clock, Buffer.from('1190', 'hex'));
    expect(expectedSound(clock)).toBeUndefined();
  });

  it('is left open when the configuration cannot be read', () => {
    const clock = newSoundClockState();
    configureSoundClock(clock, Buffer.from([0xff]));
    countSound(clock, 0);
    expect(expectedSound(clock)).toBeUndefined();
  });
});

it.each([
  { expected: undefined, ticks: 500, time: 500 },
  { expected: 1000, ticks: 500, time: 1000 },
  { expected: 10_000, ticks: 500, time: 500 },
])('a sound at $ticks that is expected at $expected is at $time', ({ expected, ticks, time }) => {
  expect(soundTicks(expected, ticks)).toBe(time);
});
