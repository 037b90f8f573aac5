/** Puts a publisher's timestamps right, once per stream, so that every reader sees one sane timeline. */
import { type FrameType, frameTypes, TIMESTAMP_MASK, timestampDelta } from '@srs/kernel';

export type TimeJitter = 'full' | 'zero' | 'off';

/** Steps outside these bounds are jumps. Small steps back are normal: two tracks are interleaved. */
const MAX_STEP_MS = 500;
const MAX_STEP_BACK_MS = 250;
/** What a jump is replaced with when nothing better is known. */
const DEFAULT_STEP_MS = 40;

export interface TimeCorrectionOptions {
  readonly mode: TimeJitter;
  /** The timeline goes on from here when an earlier publish of the stream has left players attached; else 0. */
  readonly startTimestampMs: number;
}

/** A frame that others are compared with; written anew for each, so that no frame costs an object. */
class Anchor {
  isSet = false;
  original = 0;
  corrected = 0;
  arrivalMs = 0;

  set(original: number, corrected: number, arrivalMs: number): void {
    this.isSet = true;
    this.original = original;
    this.corrected = corrected;
    this.arrivalMs = arrivalMs;
  }
}

/**
 * Mode `full` rebuilds the timeline from the steps between timestamps. Audio and video share it, so a jump corrects both and
 * keeps their offset. A step that is too large or backwards is replaced; if the next frame fits the time before the jump, that
 * frame alone was wrong, else the time after the jump is the new timeline. A large step that took as long on the wall clock is
 * no jump but a slow stream, and stays. `zero` subtracts the first timestamp. `off` changes nothing.
 */
export class TimeCorrection {
  readonly #mode: TimeJitter;
  readonly #startMs: number;
  /** The last frame of the timeline. */
  readonly #anchor = new Anchor();
  /** The last frame that did not fit, until the next one tells which of the two was wrong. */
  readonly #jump = new Anchor();
  #base: number | undefined;
  #lastMs: number;
  #lastAudioMs = -1;
  #lastVideoMs = -1;
  #audioSampleRate = 0;
  #frameRate = 0;
  #correctedFrames = 0;

  constructor(options: TimeCorrectionOptions) {
    this.#mode = options.mode;
    this.#startMs = options.startTimestampMs;
    this.#lastMs = options.startTimestampMs;
  }

  /** Timestamp of the newest corrected frame, in ms. */
  get lastTimestampMs(): number {
    return this.#lastMs;
  }

  /** Frames whose timestamp was a jump and was replaced. */
  get correctedFrames(): number {
    return this.#correctedFrames;
  }

  /** Rates from the metadata; 0 for unknown. */
  setRates(rates: { readonly audioSampleRate: number; readonly frameRate: number }): void {
    this.#audioSampleRate = rates.audioSampleRate;
    this.#frameRate = rates.frameRate;
  }

  /**
   * Hot path: no allocation.
   * @param timestampMs 31 bits, as received
   * @param arrivalMs monotonic clock
   * @returns the corrected timestamp, 31 bits
   */
  correct(type: FrameType, timestampMs: number, arrivalMs: number): number {
    switch (this.#mode) {
      case 'off':
        this.#lastMs = timestampMs & TIMESTAMP_MASK;
        return this.#lastMs;
      case 'zero':
        this.#lastMs = this.#fromZero(timestampMs);
        return this.#lastMs;
      case 'full':
        if (type === frameTypes.data) return this.#lastMs & TIMESTAMP_MASK;
        return this.#inOrder(type, this.#step(type, timestampMs, arrivalMs)) & TIMESTAMP_MASK;
    }
  }

  #fromZero(timestampMs: number): number {
    if (this.#base === undefined || timestampDelta(this.#base, timestampMs) < 0) this.#base = timestampMs;
    return (this.#startMs + timestampDelta(this.#base, timestampMs)) & TIMESTAMP_MASK;
  }

  #step(type: FrameType, original: number, arrivalMs: number): number {
    const anchor = this.#anchor;
    const jump = this.#jump;
    const isFirst = !anchor.isSet;
    if (isFirst) anchor.set(0, this.#startMs, arrivalMs);
    const delta = timestampDelta(anchor.original, original);
    if ((isStep(delta) && !(isFirst && delta < 0)) || isSlowStream(delta, arrivalMs - anchor.arrivalMs))
      return this.#moveTo(original, anchor.corrected + delta, arrivalMs);
    if (jump.isSet) {
      const sinceJump = timestampDelta(jump.original, original);
      if (isStep(sinceJump)) return this.#moveTo(original, jump.corrected + sinceJump, arrivalMs);
    }
    this.#correctedFrames += 1;
    const before = jump.isSet ? jump : anchor;
    const corrected = this.#lastMs + this.#replacement(type, timestampDelta(before.original, original));
    // The first frame of all has no time before it to go back to.
    if (isFirst) return this.#moveTo(original, corrected, arrivalMs);
    jump.set(original, corrected, arrivalMs);
    return corrected;
  }

  #moveTo(original: number, corrected: number, arrivalMs: number): number {
    this.#anchor.set(original, corrected, arrivalMs);
    this.#jump.isSet = false;
    return corrected;
  }

  /** No track ever goes back in time; the other track does not matter here. */
  #inOrder(type: FrameType, correctedMs: number): number {
    let inOrder = Math.max(correctedMs, this.#startMs);
    if (type === frameTypes.audio) {
      inOrder = Math.max(inOrder, this.#lastAudioMs);
      this.#lastAudioMs = inOrder;
    } else {
      inOrder = Math.max(inOrder, this.#lastVideoMs);
      this.#lastVideoMs = inOrder;
    }
    this.#lastMs = inOrder;
    return inOrder;
  }

  #replacement(type: FrameType, delta: number): number {
    let step = DEFAULT_STEP_MS;
    if (type === frameTypes.audio && this.#audioSampleRate > 0) step = Math.trunc((delta * 1000) / this.#audioSampleRate);
    else if (type === frameTypes.video && this.#frameRate > 0) step = Math.trunc(delta / this.#frameRate);
    return step < 0 || step > MAX_STEP_MS ? DEFAULT_STEP_MS : step;
  }
}

function isStep(delta: number): boolean {
  return delta >= -MAX_STEP_BACK_MS && delta <= MAX_STEP_MS;
}

/** The timestamps stepped about as far as the clock on the wall did: few frames, not wrong ones. */
function isSlowStream(delta: number, elapsedMs: number): boolean {
  return delta > 0 && Math.abs(delta - elapsedMs) <= Math.max(MAX_STEP_MS, elapsedMs / 4) && elapsedMs > MAX_STEP_MS / 2;
}
