/** Makes one segment of a recording: a transport stream that can be played by itself. */
import { type FrameType, frameTypes, SrsError, TIMESTAMP_MASK } from '@srs/kernel';
import { FlvToTs } from '@srs/mpegts';
import { ALIGNMENT_ROOM_BYTES, alignCounters } from './vod-ts-counters.ts';

export interface SlicedSegment {
  readonly bytes: Buffer<ArrayBuffer>;
  /** Headers and frames that could not be carried. */
  readonly leftOut: number;
}

/** So far from a segment is the sound by which it is announced. */
export const ANNOUNCE_DISTANCE_MS = 5000;

export class TsSegment {
  readonly #ts = new FlvToTs({ output: (packets) => this.#onPackets(packets) });
  readonly #runs: Buffer[] = [];
  #hasBegun = false;
  #leftOut = 0;

  /** Headers and frames that cannot be carried. */
  get leftOut(): number {
    return this.#leftOut;
  }

  get hasVideo(): boolean {
    return this.#ts.videoCodec !== null;
  }

  get hasAudio(): boolean {
    return this.#ts.audioCodec !== null;
  }

  /** The decoder configuration of what follows. */
  header(type: FrameType, payload: Buffer): void {
    this.#try(() => this.#ts.onHeader(type, payload));
  }

  /**
   * MP3 has no header, so the tables would not tell of it before its first frame.
   * @param payload any frame of the file; it is not part of the segment
   * @param timeMs far from the time of the segment, so that its sound is not taken for a continuation
   */
  announceSound(timeMs: number, payload: Buffer): void {
    this.#try(() => this.#ts.onFrame(frameTypes.audio, timeMs & TIMESTAMP_MASK, payload));
    this.#try(() => this.#ts.flush());
  }

  /** All tracks are known that there are; frames come next. */
  begin(): void {
    this.#ts.beginFile();
    this.#hasBegun = true;
  }

  /** @param payload valid during the call only */
  frame(type: FrameType, timeMs: number, payload: Buffer): void {
    this.#try(() => this.#ts.onFrame(type, timeMs & TIMESTAMP_MASK, payload));
  }

  /** @returns bytes that nobody else refers to, so that they can be given to another thread */
  finish(): Buffer<ArrayBuffer> {
    this.#try(() => this.#ts.flush());
    const sizeBytes = this.#runs.reduce((sum, { length }) => sum + length, 0);
    const bytes = Buffer.allocUnsafeSlow(sizeBytes + ALIGNMENT_ROOM_BYTES);
    let offset = 0;
    for (const run of this.#runs) offset += run.copy(bytes, offset);
    return bytes.subarray(0, alignCounters(bytes, sizeBytes));
  }

  #onPackets(packets: Buffer): void {
    if (this.#hasBegun) this.#runs.push(packets);
  }

  #try(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof SrsError)) throw error;
      this.#leftOut += 1;
    }
  }
}
