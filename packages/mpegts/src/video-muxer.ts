/** The pictures of a stream, from tags to units. */
import type { VideoTag } from '@srs/codec';
import { TICKS_PER_MS } from './clock-90k.ts';
import type { MuxedVideoCodec } from './nal-syntax.ts';
import { PictureTrack } from './picture-track.ts';
import { streamTypes } from './program-tables.ts';
import type { TsWriter } from './ts-writer.ts';

export class VideoMuxer {
  readonly #writer: TsWriter;
  readonly #track = new PictureTrack();

  constructor(writer: TsWriter) {
    this.#writer = writer;
  }

  get codec(): MuxedVideoCodec | null {
    return this.#track.codec;
  }

  /** @throws SrsError HlsDecode */
  onHeader(tag: VideoTag, payload: Buffer): void {
    if (!this.#track.onHeader(tag, payload)) return;
    const { codec } = this.#track;
    if (codec !== null) this.#writer.tables.setVideo(streamTypes[codec]);
  }

  /**
   * Hot path: no allocation besides the run.
   *
   * @param dts ticks
   * @throws SrsError HlsDecode
   */
  onFrame(tag: VideoTag, dts: number, payload: Buffer): void {
    const unit = this.#track.load(tag, payload);
    if (unit === undefined) return;
    this.#writer.write('video', dts + tag.compositionTimeMs * TICKS_PER_MS, dts, unit.isKeyFrame, unit);
    unit.clear();
  }
}
