/** The sound of a transport stream as FLV has it: the other direction of audio-muxer.ts. */
import { frameTypes } from '@srs/kernel';
import { TICKS_PER_SECOND, wrap33 } from './clock-90k.ts';
import { type TrackClock, timestampOf } from './ts-to-flv-clock.ts';
import type { FlvFrameHandler } from './ts-to-flv-handler.ts';
import type { LoosePes } from './ts-to-flv-pes.ts';
import { MAX_SOUND_FRAME_BYTES, type ReadSoundFrame, SOUND_HEAD_BYTES, type SoundFrame } from './ts-to-flv-sound-frames.ts';

const nothing = Buffer.alloc(0);

export class AudioToFlv {
  readonly #readFrame: ReadSoundFrame;
  readonly #clock: TrackClock;
  readonly #handler: FlvFrameHandler;
  /** The begin of a frame that the next PES packet goes on with. */
  #rest: Buffer = nothing;
  /** Of the next frame, 33 bits. */
  #time: number | undefined;
  #sequenceHeader: Buffer | undefined;

  constructor(readFrame: ReadSoundFrame, clock: TrackClock, handler: FlvFrameHandler) {
    this.#readFrame = readFrame;
    this.#clock = clock;
    this.#handler = handler;
  }

  onPes({ pts, payload, isAfterLoss }: LoosePes): void {
    if (isAfterLoss) this.#rest = nothing;
    const bytes = this.#rest.length === 0 ? payload : Buffer.concat([this.#rest, payload]);
    // The time of a PES packet is that of the first frame which begins in it.
    const begins = this.#rest.length;
    let isPlaced = pts === undefined;
    let at = 0;
    for (;;) {
      at = this.#nextFrame(bytes, at);
      if (!isPlaced && at >= begins) {
        this.#time = pts;
        isPlaced = true;
      }
      const frame = this.#readFrame(bytes, at);
      if (frame === undefined || at + frame.frameBytes > bytes.length) break;
      this.#onFrame(frame, bytes, at);
      at += frame.frameBytes;
    }
    const rest = bytes.subarray(at);
    this.#rest = rest.length > MAX_SOUND_FRAME_BYTES ? nothing : Buffer.from(rest);
  }

  /**
   * Where the next frame begins, or could: a frame is one when another follows it, as far as that can be seen.
   */
  #nextFrame(bytes: Buffer, from: number): number {
    for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
      if (at + SOUND_HEAD_BYTES > bytes.length) return at;
      const frame = this.#readFrame(bytes, at);
      if (frame === undefined) continue;
      const end = at + frame.frameBytes;
      if (end + SOUND_HEAD_BYTES > bytes.length || this.#readFrame(bytes, end)?.sampleRate === frame.sampleRate) return at;
    }
    return bytes.length;
  }

  #onFrame(frame: SoundFrame, bytes: Buffer, at: number): void {
    const time = this.#time;
    // What comes before any time cannot be placed.
    if (time === undefined) return;
    this.#time = wrap33(time + (frame.samples * TICKS_PER_SECOND) / frame.sampleRate);
    const timestampMs = timestampOf(this.#clock.ticksAt(time));
    if (frame.refusal !== undefined) {
      this.#handler.onWarning(frame.refusal);
      return;
    }
    const { sequenceHeader, tagHead, headBytes, frameBytes } = frame;
    if (sequenceHeader !== undefined && this.#sequenceHeader?.equals(sequenceHeader) !== true) {
      this.#sequenceHeader = sequenceHeader;
      this.#handler.onFrame(frameTypes.audio, timestampMs, sequenceHeader);
    }
    const payload = Buffer.concat([tagHead, bytes.subarray(at + headBytes, at + frameBytes)]);
    this.#handler.onFrame(frameTypes.audio, timestampMs, payload);
  }
}
