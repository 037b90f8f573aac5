/** Decides where segments begin and end, from the types and times of frames alone. */
import { type FrameType, frameTypes, timestampDelta } from '@srs/kernel';

export interface SegmenterOptions {
  /** Length a segment should have. */
  readonly fragmentMs: number;
  /** A segment of so many fragments ends without waiting for a key frame. */
  readonly aofRatio: number;
  /** Segments with pictures begin with a key frame wherever one comes in time. */
  readonly waitKeyframe: boolean;
}

/**
 * What to do with a frame: leave it out, write it, begin the first segment with it, end the segment and begin the next with it, or
 * do that across a break of the timeline.
 */
export type SegmentStep = 'skip' | 'append' | 'begin' | 'cut' | 'break';

/** A shorter segment is not worth a request; players stumble over it. */
export const MIN_SEGMENT_MS = 100;
/** Without pictures every frame could end a segment: a fragment of zero is one second then. */
const MIN_TIMED_FRAGMENT_MS = 1000;
/** No longer than this does the last frame of all last. */
const MAX_FRAME_MS = 1000;
/** A larger step forward is a break in the timeline, as long as it is also longer than the longest segment. */
const MAX_STEP_MS = 10_000;
/** A track whose time goes back further has begun anew. */
const MAX_STEP_BACK_MS = 1000;

/** Where a track stands. */
class Track {
  isSet = false;
  lastMs = 0;
  /** Between its last two frames. */
  #stepMs = 0;

  move(timestampMs: number): void {
    const step = this.isSet ? timestampDelta(this.lastMs, timestampMs) : 0;
    if (step > 0) this.#stepMs = step;
    this.lastMs = timestampMs;
    this.isSet = true;
  }

  /** How long after `timestampMs` its last frame ends. */
  endAfter(timestampMs: number): number {
    return this.isSet ? Math.max(0, timestampDelta(timestampMs, this.lastMs) + Math.min(this.#stepMs, MAX_FRAME_MS)) : 0;
  }

  reset(): void {
    this.isSet = false;
    this.#stepMs = 0;
  }
}

/**
 * With pictures, a segment ends at the first key frame after `fragmentMs`; without, at the first sound. When no key frame comes it ends after
 * `fragmentMs * aofRatio` at whatever comes then, and the next key frame ends the segment that had to begin without one. A
 * segment lasts until the time of the frame that begins the next one.
 */
export class Segmenter {
  readonly #fragmentMs: number;
  readonly #timedFragmentMs: number;
  readonly #overflowMs: number;
  readonly #maxStepMs: number;
  readonly #waitKeyframe: boolean;
  readonly #video = new Track();
  readonly #audio = new Track();
  #isOpen = false;
  #startMs = 0;
  /** The frame that is furthest on in the open segment. */
  #newestMs = 0;
  #hasVideo = false;
  #beginsWithKeyFrame = false;
  #awaitsKeyFrame: boolean;
  #endedDurationMs = 0;

  constructor(options: SegmenterOptions) {
    const { fragmentMs, aofRatio, waitKeyframe } = options;
    this.#timedFragmentMs = Math.max(fragmentMs, MIN_TIMED_FRAGMENT_MS);
    this.#fragmentMs = Math.max(fragmentMs, MIN_SEGMENT_MS);
    this.#overflowMs = this.#timedFragmentMs * aofRatio;
    this.#maxStepMs = Math.max(MAX_STEP_MS, this.#overflowMs);
    this.#waitKeyframe = waitKeyframe;
    this.#awaitsKeyFrame = waitKeyframe;
  }

  /** Whether a segment has begun and not ended. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** The length of the segment that the last `cut` or `break` has ended. */
  get endedDurationMs(): number {
    return this.#endedDurationMs;
  }

  /** Hot path: no allocation. */
  step(type: FrameType, isKeyFrame: boolean, timestampMs: number): SegmentStep {
    const isVideo = type === frameTypes.video;
    if (isVideo && this.#awaitsKeyFrame) {
      if (!isKeyFrame) return 'skip';
      this.#awaitsKeyFrame = false;
    }
    const step = this.#decide(isVideo, isKeyFrame, timestampMs);
    if (step !== 'append') this.#begin(timestampMs);
    (isVideo ? this.#video : this.#audio).move(timestampMs);
    if (timestampDelta(this.#newestMs, timestampMs) > 0) this.#newestMs = timestampMs;
    if (isVideo && !this.#hasVideo) {
      this.#hasVideo = true;
      this.#beginsWithKeyFrame = isKeyFrame;
    }
    return step;
  }

  /**
   * Ends the open segment without a frame that follows it.
   * @returns its length; the last frame counts as long as the one before it
   */
  end(): number {
    const durationMs = this.#durationSoFar();
    this.#isOpen = false;
    return durationMs;
  }

  /**
   * The frame of the last step begins a segment of its own after all.
   * @returns length of the one before it
   */
  split(type: FrameType, isKeyFrame: boolean, timestampMs: number): number {
    const durationMs = Math.max(0, timestampDelta(this.#startMs, timestampMs));
    this.#begin(timestampMs);
    this.#hasVideo = type === frameTypes.video;
    this.#beginsWithKeyFrame = this.#hasVideo && isKeyFrame;
    return durationMs;
  }

  /** Frames are missing: the timeline begins anew, pictures with a key frame. */
  restart(): void {
    this.#isOpen = false;
    this.#video.reset();
    this.#audio.reset();
    this.awaitKeyFrame();
  }

  /** Pictures before the next key frame cannot be decoded. */
  awaitKeyFrame(): void {
    this.#awaitsKeyFrame = this.#waitKeyframe;
  }

  #decide(isVideo: boolean, isKeyFrame: boolean, timestampMs: number): SegmentStep {
    const isBreak = this.#isBreak(isVideo ? this.#video : this.#audio, timestampMs);
    if (!this.#isOpen) {
      if (isBreak) this.#forgetTracks();
      return 'begin';
    }
    if (isBreak) {
      this.#endedDurationMs = this.#durationSoFar();
      this.#forgetTracks();
      return 'break';
    }
    const elapsedMs = timestampDelta(this.#startMs, timestampMs);
    if (!this.#isCut(isVideo, isKeyFrame, elapsedMs)) return 'append';
    this.#endedDurationMs = elapsedMs;
    return 'cut';
  }

  #isCut(isVideo: boolean, isKeyFrame: boolean, elapsedMs: number): boolean {
    if (elapsedMs < MIN_SEGMENT_MS) return false;
    if (elapsedMs >= this.#overflowMs) return true;
    if (!isVideo) return !this.#hasVideo && elapsedMs >= this.#timedFragmentMs;
    if (!this.#waitKeyframe) return elapsedMs >= this.#fragmentMs;
    const beganWithout = this.#hasVideo && !this.#beginsWithKeyFrame;
    return isKeyFrame && (beganWithout || elapsedMs >= this.#fragmentMs);
  }

  /** A track is compared with itself, for the other may be seconds ahead of it; only its first frame must be somewhere near. */
  #isBreak(track: Track, timestampMs: number): boolean {
    if (!track.isSet && !this.#isOpen) return false;
    const delta = timestampDelta(track.isSet ? track.lastMs : this.#newestMs, timestampMs);
    return delta > this.#maxStepMs || delta < -(track.isSet ? MAX_STEP_BACK_MS : this.#maxStepMs);
  }

  #forgetTracks(): void {
    this.#video.reset();
    this.#audio.reset();
  }

  #begin(timestampMs: number): void {
    this.#isOpen = true;
    this.#startMs = timestampMs;
    this.#newestMs = timestampMs;
    this.#hasVideo = false;
    this.#beginsWithKeyFrame = false;
  }

  /** To the end of the track that is furthest on; its last frame counts as long as the one before it. */
  #durationSoFar(): number {
    return this.#isOpen ? Math.max(this.#video.endAfter(this.#startMs), this.#audio.endAfter(this.#startMs)) : 0;
  }
}
