import { describe, expect, it } from 'vitest';
import { aacConfiguration } from '../../../test/support/flv-files.ts';
import {
  configureSoundClock,
  expectedSound,
  newSoundClockState,
  placeSound,
  type SoundClockState,
  ticksAt,
} from './sound-clock.ts';

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
      placeSound(clock, Math.round(1000 + frame * FRAME_TICKS) + (frame === 0 ? 0 : 5000 * ((frame % 3) - 1)));
    }
    expect(expectedSound(clock)).toBe(1000 + Math.round(1000 * FRAME_TICKS));
  });

  it('is that of the timestamps where they have moved on by more than a tenth of a second', () => {
    const clock = newSoundClockState();
    configureSoundClock(clock, aacConfiguration);
    placeSound(clock, 0);
    placeSound(clock, 90_000);
    expect(expectedSound(clock)).toBe(90_000 + Math.round(FRAME_TICKS));
  });

  it('begins anew with another rate, and goes on when the same is told again', () => {
    const clock = newSoundClockState();
    configureSoundClock(clock, aacConfiguration);
    placeSound(clock, 0);
    configureSoundClock(clock, aacConfiguration);
    expect(expectedSound(clock)).toBe(Math.round(FRAME_TICKS));
    configureSoundClock(clock, Buffer.from('1190', 'hex'));
    expect(expectedSound(clock)).toBeUndefined();
  });

  it('is not changed by a configuration that cannot be read', () => {
    const clock = newSoundClockState();
    expect(configureSoundClock(clock, Buffer.from([0xff]))).toBe(false);
    placeSound(clock, 0);
    expect(expectedSound(clock)).toBeUndefined();
    configureSoundClock(clock, aacConfiguration);
    placeSound(clock, 0);
    expect(configureSoundClock(clock, Buffer.from([0xff]))).toBe(false);
    expect(expectedSound(clock)).toBe(Math.round(FRAME_TICKS));
  });
});

describe('a sound', () => {
  function clockAt(expected: number | undefined): SoundClockState {
    return expected === undefined ? newSoundClockState() : { sampleRate: 44_100, base: expected, frames: 0 };
  }

  it.each([
    { expected: undefined, ticks: 500, time: 500 },
    { expected: 1000, ticks: 500, time: 1000 },
    { expected: 10_000, ticks: 1000, time: 10_000 },
    // One tick further than the muxer follows without it.
    { expected: 10_001, ticks: 1000, time: 999 },
    { expected: 1000, ticks: 10_001, time: 10_002 },
    { expected: 10_002, ticks: 1000, time: 1000 },
  ])('at $ticks that is expected at $expected is at $time', ({ expected, ticks, time }) => {
    const clock = clockAt(expected);
    expect(placeSound(clock, ticks)).toBe(time);
    const isJump = expected === undefined || time !== expected;
    expect(clock.base).toBe(isJump ? ticks : expected);
  });

  it('may have a part of a millisecond', () => {
    expect(ticksAt(10, 0)).toBe(900);
    expect(ticksAt(-1, 500_000)).toBe(-45);
  });
});
