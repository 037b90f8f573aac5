/** The sound of a live stream as a file of its own: AAC frames with ADTS headers, or MPEG audio as it is. */
import { type FrameType, frameTypes } from '@srs/kernel';
import type { MuxedAudioCodec } from './audio-muxer.ts';
import { audioTagOf } from './flv-to-ts.ts';
import { SoundFrame } from './sound-frame.ts';

export interface SoundLineOptions {
  /** Sound of the other one is left out. */
  readonly codec: MuxedAudioCodec;
  /** Otherwise none is let through. */
  readonly hasAudio: boolean;
  /** A frame or header is left out: it is malformed, or cannot be framed. Told when the next one comes. */
  readonly onDropped: (error: unknown) => void;
}

/** Frames stand for themselves; but how those of AAC are framed is said once, by the sequence header. */
export class SoundLine {
  readonly #options: SoundLineOptions;
  readonly #frame = new SoundFrame();
  #isLoaded = false;
  #fault: unknown;

  /** @param from goes on from where that is */
  constructor(options: SoundLineOptions, from?: SoundLine) {
    this.#options = options;
    if (from !== undefined) this.#frame.copyFrom(from.#frame);
  }

  interrupt(): void {
    // It may have been half of one frame and half of another.
    this.#fault = undefined;
  }

  /** Hot path: allocates no more than what describes the frame. @param payload held until `encode` */
  encodedBytes(type: FrameType, _timestampMs: number, payload: Buffer): number {
    this.#isLoaded = false;
    if (type !== frameTypes.audio || payload.length === 0) return 0;
    if (this.#fault !== undefined) this.#options.onDropped(this.#fault);
    this.#fault = undefined;
    try {
      const tag = audioTagOf(payload);
      if (tag.codec !== this.#options.codec) return 0;
      if (tag.packet === 'sequence-header') this.#frame.onHeader(tag, payload);
      else if (tag.packet === 'frames' && this.#options.hasAudio) this.#isLoaded = this.#frame.load(tag, payload);
    } catch (error) {
      this.#fault = error;
    }
    return this.#isLoaded ? this.#frame.sizeBytes : 0;
  }

  /** Hot path: no allocation. */
  encode(target: Buffer, offset: number): void {
    if (!this.#isLoaded) return;
    this.#frame.writeTo(target, offset);
    this.#frame.clear();
    this.#isLoaded = false;
  }
}
