/**
 * When AAC frames are played: by counting their samples, as the muxer does, over the whole file, so that segments meet without a
 * step. Where a count begins is said by the times of many frames, so that the sound is in step with the pictures though one frame
 * be odd: FFmpeg gives the first frame of fragmented files another length.
 */
import { frameTicksOf, MAX_DEVIATION, ROUNDING } from './sound-clock.ts';

export interface SoundTimes {
  /** Of frames; ticks of 90 kHz. */
  readonly count: number;
  at(row: number): number;
}

/** Runs of frames that are counted. */
export interface SoundCounts {
  /** How long a frame lasts, in ticks. */
  readonly frameTicks: number;
  /** The first frame of each. */
  readonly rows: Uint32Array;
  /** When that is played: ticks, not always whole. */
  readonly bases: Float64Array;
}

/** The count that a segment begins in, and those that begin in it. */
export interface SegmentCounts {
  readonly frameTicks: number;
  /** Behind the first frame of the segment; the first may be before it. */
  readonly rows: readonly number[];
  readonly bases: readonly number[];
}

/** Frames that are further off belong to another count. All that is rounded on either side taken together, the muxer sees every jump. */
const JUMP = MAX_DEVIATION + 3 * ROUNDING;
/** So many frames say together when a count begins. */
const WITNESSES = 63;

/** @returns undefined for a configuration that is malformed: then each frame has its own time */
export function countSounds(times: SoundTimes, configuration: Buffer): SoundCounts | undefined {
  const frameTicks = frameTicksOf(configuration);
  if (frameTicks === undefined) return undefined;
  const rows: number[] = [];
  const bases: number[] = [];
  let firstRow = 0;
  let base = 0;
  for (let row = 0; row < times.count; row++) {
    const counted = base + (row - firstRow) * frameTicks;
    if (row > 0 && Math.abs(times.at(row) - counted) <= JUMP) continue;
    const next = Math.max(0, medianBase(times, row, frameTicks));
    // Those behind it take part in the count that there is.
    if (row > 0 && Math.abs(next - counted) <= JUMP) continue;
    firstRow = row;
    base = next;
    rows.push(row);
    bases.push(base);
  }
  return { frameTicks, rows: Uint32Array.from(rows), bases: Float64Array.from(bases) };
}

/** @param from,to frames of the segment; the last is not part of it */
export function countsBetween({ frameTicks, rows, bases }: SoundCounts, from: number, to: number): SegmentCounts {
  const first = Math.max(0, lastAt(rows, from));
  const end = lastAt(rows, to - 1) + 1;
  return {
    frameTicks,
    rows: Array.from(rows.subarray(first, end), (row) => row - from),
    bases: Array.from(bases.subarray(first, end)),
  };
}

/** @returns whole ticks, 0 or more */
export function soundTimeAt({ frameTicks, rows, bases }: SegmentCounts, row: number): number {
  const count = Math.max(0, lastAt(rows, row));
  return Math.max(0, Math.round(bases[count]! + (row - rows[count]!) * frameTicks));
}

/** @returns the index of the last that is not above `row`; -1 when there is none */
function lastAt(rows: ArrayLike<number>, row: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle]! <= row) low = middle + 1;
    else high = middle;
  }
  return low - 1;
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
