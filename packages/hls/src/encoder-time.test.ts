import { describe, expect, it } from 'vitest';
import { EncoderTime } from './encoder-time.ts';

const circleMs = 2 ** 31;
const wallMs = Date.UTC(2026, 10, 28, 12);

describe('the time of an encoder', () => {
  it('that counts from 1970 is the time on the wall', () => {
    expect(new EncoderTime().at((wallMs - 700) % circleMs, wallMs)).toBe(wallMs - 700);
  });

  it('goes on through a wrap, and is the same for who comes behind it', () => {
    const wrapMs = Math.ceil(wallMs / circleMs) * circleMs;
    const early = new EncoderTime();
    expect(early.at(circleMs - 20, wrapMs - 20)).toBe(wrapMs - 20);
    expect(early.at(20, wrapMs + 20)).toBe(wrapMs + 20);
    expect(new EncoderTime().at(20, wrapMs + 25)).toBe(wrapMs + 20);
  });

  it('that counts from zero is the same for all who ask, however far their clocks have drifted', () => {
    const atStart = new EncoderTime().at(0, wallMs);
    const later = new EncoderTime().at(86_400_000, wallMs + 86_400_000 + 5000);
    expect(later - atStart).toBe(86_400_000);
  });

  it('steps back with a frame that comes late', () => {
    const time = new EncoderTime();
    expect(time.at(1000, wallMs) - time.at(960, wallMs)).toBe(40);
  });
});
