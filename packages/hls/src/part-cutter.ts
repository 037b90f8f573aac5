/** Decides where the parts of low-latency segments end, from the times of frames alone. */
import { timestampDelta } from '@srs/kernel';

/**
 * Parts are no longer than the part target, and no shorter than 85 % of it but the last of a segment (RFC 8216bis, 4.4.4.9); the margin is for
 * frames that come later than the rate of those before it lets expect.
 */
const MIN_SHARE = 0.9;

/**
 * With pictures a part ends before the picture that would make it too long, without before such a sound. Where pictures come so slowly that
 * no number of them fits, the target is raised to the least that does.
 */
export class PartCutter {
  #targetMs: number;
  #segmentMs = 0;
  #hasVideo = false;
  /** Of the track that decides; of the last frame and of the one before it. */
  #lastMs: number | undefined;
  #stepMs = 0;
  #stepBeforeMs = 0;
  /** Where the open part begins, in the segment. */
  #partMs = 0;

  constructor(partMs: number) {
    this.#targetMs = Math.ceil(partMs);
  }

  /** No part should be longer. */
  get targetMs(): number {
    return this.#targetMs;
  }

  /** A segment begins with this frame. */
  begin(isVideo: boolean, timestampMs: number): void {
    this.#segmentMs = timestampMs;
    this.#partMs = 0;
    this.#hasVideo = false;
    this.#lastMs = undefined;
    this.#see(isVideo, timestampMs);
  }

  /**
   * Hot path: no allocation.
   * @returns length of the part that ends before this frame of the open segment; 0 when none does
   */
  step(isVideo: boolean, timestampMs: number): number {
    this.#see(isVideo, timestampMs);
    if (isVideo !== this.#hasVideo) return 0;
    const elapsedMs = this.#elapsed(timestampMs);
    const nextMs = elapsedMs + Math.min(this.#stepMs, this.#stepBeforeMs || this.#stepMs);
    if (nextMs <= this.#targetMs) return 0;
    if (elapsedMs >= this.#targetMs * MIN_SHARE) return elapsedMs;
    this.#targetMs = Math.ceil(nextMs);
    return 0;
  }

  /** The part that ends before this frame has been given out. */
  cut(timestampMs: number): void {
    this.#partMs = timestampDelta(this.#segmentMs, timestampMs);
  }

  /** What is left for the last part of a segment; always something. */
  rest(segmentMs: number): number {
    return Math.max(1, segmentMs - this.#partMs);
  }

  /** How much of the segment has been given out. */
  get givenMs(): number {
    return this.#partMs;
  }

  #elapsed(timestampMs: number): number {
    return timestampDelta(this.#segmentMs, timestampMs) - this.#partMs;
  }

  #see(isVideo: boolean, timestampMs: number): void {
    if (isVideo && !this.#hasVideo) {
      this.#hasVideo = true;
      this.#lastMs = undefined;
      this.#stepMs = 0;
      this.#stepBeforeMs = 0;
    }
    if (isVideo !== this.#hasVideo) return;
    if (this.#lastMs !== undefined) {
      this.#stepBeforeMs = this.#stepMs;
      this.#stepMs = Math.max(0, timestampDelta(this.#lastMs, timestampMs));
    }
    this.#lastMs = timestampMs;
  }
}
