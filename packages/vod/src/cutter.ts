/** Decides where the segments of a recording begin. */
import { FULL_SEGMENT_BYTES, MAX_SEGMENT_BYTES, MAX_SEGMENT_MS, SEGMENT_MS, SEGMENT_TOLERANCE_MS } from './limits.ts';

/** Plain, so that it can go from one thread to another. */
export interface CutterState {
  /** Of the segment that is being filled. */
  startMs: number;
  sizeBytes: number;
  /** A segment begins with something else than a key frame. */
  hasForcedCut: boolean;
}

export function newCutterState(): CutterState {
  return { startMs: 0, sizeBytes: 0, hasForcedCut: false };
}

/** What a frame costs besides its bytes: thousands of empty ones must not make one segment. */
const FRAME_OVERHEAD_BYTES = 256;

/** A frame goes into the segment that is being filled. Hot path: no allocation. */
export function countFrame(state: CutterState, sizeBytes: number): void {
  state.sizeBytes += sizeBytes + FRAME_OVERHEAD_BYTES;
}

/**
 * Hot path: no allocation.
 *
 * @param timeMs of a picture or sound that comes next
 * @param isEntry a player can begin here
 * @returns whether a segment begins with it, behind the first segment, which begins with the file
 */
export function isCut(state: CutterState, timeMs: number, isEntry: boolean): boolean {
  const lengthMs = timeMs - state.startMs;
  const isWanted =
    isEntry && (lengthMs >= SEGMENT_MS - SEGMENT_TOLERANCE_MS || (state.sizeBytes >= FULL_SEGMENT_BYTES && lengthMs > 0));
  const isForced = !isWanted && (lengthMs >= MAX_SEGMENT_MS || state.sizeBytes >= MAX_SEGMENT_BYTES);
  if (!isWanted && !isForced) return false;
  state.startMs = timeMs;
  state.sizeBytes = 0;
  if (isForced && !isEntry) state.hasForcedCut = true;
  return true;
}
