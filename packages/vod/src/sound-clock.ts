/**
 * When AAC frames are played, by counting their samples as the muxer does over one stream. Segments are made each on its own; what
 * was counted before goes with them, so that each sound has the time that it would have in one stream of all segments, wherever
 * those begin, and no step is heard where they meet.
 */
import { parseAudioSpecificConfig } from '@srs/codec';
import { SrsError } from '@srs/kernel';

/** Plain, so that it can go from one thread to another. Times are ticks of 90 kHz. */
export interface SoundClockState {
  /** Hz; 0 while that is not known. */
  sampleRate: number;
  /** Time of the first frame that was counted. */
  base: number;
  /** Frames since; -1 when the next one begins the count. */
  frames: number;
}

const TICKS_PER_MS = 90;
const TICKS_PER_SECOND = 90_000;
const NANOS_PER_MS = 1_000_000;
const SAMPLES_PER_FRAME = 1024;
/** Beyond it the muxer believes the timestamp. */
export const MAX_DEVIATION = 9000;
/** The muxer of a segment counts from a time that was rounded: so far may it be from what is counted here. */
export const ROUNDING = 1;

export function newSoundClockState(): SoundClockState {
  return { sampleRate: 0, base: 0, frames: -1 };
}

/** What the timestamp of a frame says, as the muxer understands it. */
export function ticksAt(timeMs: number, nanos: number): number {
  return timeMs * TICKS_PER_MS + Math.round((nanos * TICKS_PER_MS) / NANOS_PER_MS);
}

/**
 * @param configuration AudioSpecificConfig
 * @returns whether it is one; if not it changes nothing, for the muxer leaves it out
 */
export function configureSoundClock(state: SoundClockState, configuration: Buffer): boolean {
  const sampleRate = sampleRateOf(configuration);
  if (sampleRate === undefined) return false;
  if (sampleRate !== state.sampleRate) state.frames = -1;
  state.sampleRate = sampleRate;
  return true;
}

/**
 * Counts the next frame.
 *
 * Hot path: no allocation.
 *
 * @param ticks what its timestamp says: whole ticks
 * @returns when it is played. A jump is told so that the muxer sees it too, whatever it has rounded
 */
export function placeSound(state: SoundClockState, ticks: number): number {
  const { sampleRate } = state;
  const expected = expectedSound(state);
  const deviation = expected === undefined ? Number.POSITIVE_INFINITY : Math.abs(ticks - expected);
  if (expected !== undefined && deviation <= MAX_DEVIATION) {
    state.frames += 1;
    return expected;
  }
  state.base = ticks;
  state.frames = sampleRate > 0 ? 1 : -1;
  if (expected === undefined || deviation > MAX_DEVIATION + ROUNDING) return ticks;
  return ticks > expected ? ticks + ROUNDING : ticks - ROUNDING;
}

/** The time of the next frame, if its timestamp is near it; undefined when that alone tells. */
export function expectedSound({ sampleRate, base, frames }: SoundClockState): number | undefined {
  if (sampleRate === 0 || frames < 0) return undefined;
  return base + Math.round((frames * SAMPLES_PER_FRAME * TICKS_PER_SECOND) / sampleRate);
}

/** @returns how long a frame lasts, in ticks; undefined for a configuration that is malformed */
export function frameTicksOf(configuration: Buffer): number | undefined {
  const sampleRate = sampleRateOf(configuration);
  return sampleRate === undefined ? undefined : (SAMPLES_PER_FRAME * TICKS_PER_SECOND) / sampleRate;
}

function sampleRateOf(configuration: Buffer): number | undefined {
  try {
    return parseAudioSpecificConfig(configuration).sampleRate;
  } catch (error) {
    if (error instanceof SrsError) return undefined;
    throw error;
  }
}
