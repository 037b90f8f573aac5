/**
 * When the first AAC frame of each segment is played. The muxer counts samples from it; counted over the whole file, the segments
 * meet without a step, and by the times of many frames, the sound is in step with the pictures though one of them be odd: FFmpeg
 * gives the first frame of fragmented files another length.
 */
import { parseAudioSpecificConfig } from '@srs/codec';
import { SrsError } from '@srs/kernel';

export interface SoundTimes {
  /** Of frames; ticks of 90 kHz. */
  readonly count: number;
  at(row: number): number;
}

const TICKS_PER_SECOND = 90_000;
const SAMPLES_PER_FRAME = 1024;
/** Beyond it the muxer believes the time of the frame, and so does this. */
const MAX_DEVIATION = 9000;
/** So many frames say together when the count began. */
const WITNESSES = 63;

/**
 * @param firstRows of the segments, in order
 * @returns ticks for each of them; NaN for one that has no sound
 */
export function soundTimesOf(times: SoundTimes, configuration: Buffer, firstRows: readonly number[]): Float64Array {
  const expected = new Float64Array(firstRows.length).fill(Number.NaN);
  const sampleRate = sampleRateOf(configuration);
  if (sampleRate === undefined) return expected;
  const frameTicks = (SAMPLES_PER_FRAME * TICKS_PER_SECOND) / sampleRate;
  let firstRow = 0;
  let base = 0;
  let segment = 0;
  for (let row = 0; row < times.count; row++) {
    const counted = base + (row - firstRow) * frameTicks;
    const isJump = row === 0 || Math.abs(times.at(row) - counted) > MAX_DEVIATION;
    if (isJump) {
      firstRow = row;
      base = Math.max(0, medianBase(times, row, frameTicks));
    }
    // Segments without sound begin with the same row as the next.
    for (; segment < firstRows.length && firstRows[segment]! <= row; segment++) {
      if (firstRows[segment] === row) expected[segment] = Math.round(isJump ? base : counted);
    }
  }
  return expected;
}

/** When the frame in `row` is played, by what those behind it say. */
function medianBase(times: SoundTimes, row: number, frameTicks: number): number {
  const own = times.at(row);
  const said: number[] = [];
  for (let index = 0; index < WITNESSES && row + index < times.count; index++) {
    const base = times.at(row + index) - index * frameTicks;
    // Behind the next jump there is another count.
    if (Math.abs(base - own) > MAX_DEVIATION) break;
    said.push(base);
  }
  said.sort((left, right) => left - right);
  return said[said.length >> 1] ?? own;
}

function sampleRateOf(configuration: Buffer): number | undefined {
  try {
    return parseAudioSpecificConfig(configuration).sampleRate;
  } catch (error) {
    if (error instanceof SrsError) return undefined;
    throw error;
  }
}
