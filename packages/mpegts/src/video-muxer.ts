/** The pictures of a stream, from tags to units. */
import { parseVideoConfiguration, type VideoCodec, type VideoConfiguration, type VideoTag } from '@srs/codec';
import { SrsError } from '@srs/kernel';
import { AccessUnit } from './access-unit.ts';
import { TICKS_PER_MS } from './clock-90k.ts';
import type { MuxedVideoCodec } from './nal-syntax.ts';
import { streamTypes } from './program-tables.ts';
import type { TsWriter } from './ts-writer.ts';

export class VideoMuxer {
  readonly #writer: TsWriter;
  #codec: MuxedVideoCodec | null = null;
  /** What the tags call it: some encoders send H.265 as H.264. */
  #label: VideoCodec = 'unknown';
  #unit: AccessUnit | undefined;

  constructor(writer: TsWriter) {
    this.#writer = writer;
  }

  get codec(): MuxedVideoCodec | null {
    return this.#codec;
  }

  /** @throws SrsError HlsDecode */
  onHeader(tag: VideoTag, payload: Buffer): void {
    checkCodec(tag);
    // Written by encoders that do not know it yet; another one follows.
    if (tag.dataOffset === tag.dataEnd) return;
    const configuration = readConfiguration(tag, payload);
    if (configuration.codec !== 'avc' && configuration.codec !== 'hevc') return;
    this.#codec = configuration.codec;
    this.#label = tag.codec;
    this.#unit = new AccessUnit(configuration.codec, configuration.nalLengthBytes, configuration);
    this.#writer.tables.setVideo(streamTypes[configuration.codec]);
  }

  /**
   * Hot path: no allocation besides the run.
   *
   * @param dts ticks
   * @throws SrsError HlsDecode
   */
  onFrame(tag: VideoTag, dts: number, payload: Buffer): void {
    checkCodec(tag);
    if (tag.dataOffset === tag.dataEnd) return;
    const unit = this.#unit;
    if (unit === undefined) throw new SrsError('HlsDecode', `video frame of ${tag.codec} comes before its sequence header`);
    if (tag.codec !== this.#label) {
      throw new SrsError('HlsDecode', `video frame of ${tag.codec} follows a sequence header of ${this.#label}`);
    }
    if (unit.load(payload, tag.dataOffset, tag.dataEnd, tag.isKeyFrame)) {
      this.#writer.write('video', dts + tag.compositionTimeMs * TICKS_PER_MS, dts, unit.isKeyFrame, unit);
    }
    unit.clear();
  }
}

function checkCodec(tag: VideoTag): void {
  if (tag.codec === 'avc' || tag.codec === 'hevc') return;
  const name = tag.codec === 'unknown' ? describeUnknown(tag) : tag.codec;
  throw new SrsError('HlsDecode', `video codec ${name} must be avc or hevc to be carried in mpeg-ts`);
}

function describeUnknown(tag: VideoTag): string {
  return tag.isEnhanced ? JSON.stringify(tag.fourCc) : String(tag.codecId);
}

function readConfiguration(tag: VideoTag, payload: Buffer): VideoConfiguration {
  try {
    return parseVideoConfiguration(tag, payload);
  } catch (cause) {
    throw new SrsError('HlsDecode', 'video sequence header is malformed', { cause });
  }
}
