/**
 * When AAC frames are played, by counting their samples as the muxer does. Segments are made each on its own; by this the first
 * sound of each is at the time that it would have in one stream of all segments, and no step is heard where they meet.
 */
import { parseAudioSpecificConfig } from '@srs/codec';

/** Plain, so that it can go from one thread to another. Times are ticks of 90 kHz. */
export interface SoundClockState {
  /** Hz; 0 while that is not known. */
  sampleRate: number;
  /** Time of the first frame that was counted. */
  base: number;
  /** Frames since; -1 when the next one begins the count. */
  frames: number;
}

const TICKS_PER_SECOND = 90_000;
const SAMPLES_PER_FRAME = 1024;
/** Beyond it the muxer believes the timestamp. */
const MAX_DEVIATION = 9000;

export function newSoundClockState(): SoundClockState {
  return { sampleRate: 0, base: 0, frames: -1 };
}

/** @param configuration AudioSpecificConfig; one that is malformed leaves the rate open */
export function configureSoundClock(state: SoundClockState, configuration: Buffer): void {
  const sampleRate = sampleRateOf(configuration);
  if (sampleRate !== state.sampleRate) state.frames = -1;
  state.sampleRate = sampleRate;
}

/**
 * Hot path: no allocation.
 *
 * @param ticks what the timestamp of the next frame says
 */
export function countSound(state: SoundClockState, ticks: number): void {
  const expected = expectedSound(state);
  if (expected === undefined || Math.abs(expected - ticks) > MAX_DEVIATION) {
    state.base = ticks;
    state.frames = 0;
  }
  if (state.sampleRate > 0) state.frames += 1;
}

/** The time of the next frame, if its timestamp is near it; undefined when that alone tells. */
export function expectedSound({ sampleRate, base, frames }: SoundClockState): number | undefined {
  if (sampleRate === 0 || frames < 0) return undefined;
  return base + Math.round((frames * SAMPLES_PER_FRAME * TICKS_PER_SECOND) / sampleRate);
}

/** @returns the time of a frame: the expected one, unless the timestamp is far from it */
export function soundTicks(expected: number | undefined, ticks: number): number {
  return expected === undefined || Math.abs(expected - ticks) > MAX_DEVIATION ? ticks : expected;
}

function sampleRateOf(configuration: Buffer): number {
  try {
    return parseAudioSpecificConfig(configuration).sampleRate;
  } catch {
    return 0;
  }
}
