/** Makes one segment of a recording: a transport stream that can be played by itself. */
import { type FrameType, frameTypes, SrsError, TIMESTAMP_MASK } from '@srs/kernel';
import { FlvToTs } from '@srs/mpegts';
import { MAX_TS_BYTES } from './limits.ts';
import { ALIGNMENT_ROOM_BYTES, alignCounters } from './ts-counters.ts';

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
  readonly #maxBytes: number;
  #sizeBytes = 0;
  #hasBegun = false;
  #leftOut = 0;

  /** @param maxBytes another one for tests */
  constructor(maxBytes = MAX_TS_BYTES) {
    this.#maxBytes = maxBytes;
  }

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

  /**
   * @param payload valid during the call only
   * @throws SrsError HlsDecode when the segment becomes too large
   */
  frame(type: FrameType, timeMs: number, payload: Buffer): void {
    this.#try(() => this.#ts.onFrame(type, timeMs & TIMESTAMP_MASK, payload));
    if (this.#sizeBytes > this.#maxBytes) {
      throw new SrsError('HlsDecode', `segment of ${this.#sizeBytes} bytes must be at most ${this.#maxBytes}`);
    }
  }

  /** @returns bytes that nobody else refers to, so that they can be given to another thread */
  finish(): Buffer<ArrayBuffer> {
    this.#try(() => this.#ts.flush());
    const bytes = Buffer.allocUnsafeSlow(this.#sizeBytes + ALIGNMENT_ROOM_BYTES);
    let offset = 0;
    for (const run of this.#runs) offset += run.copy(bytes, offset);
    return bytes.subarray(0, alignCounters(bytes, this.#sizeBytes));
  }

  #onPackets(packets: Buffer): void {
    if (!this.#hasBegun) return;
    this.#runs.push(packets);
    this.#sizeBytes += packets.length;
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
