/** The pictures of a stream: how they are coded, by the last sequence header, and the one at hand. */
import { parseVideoConfiguration, type VideoCodec, type VideoConfiguration, type VideoTag } from '@srs/codec';
import { SrsError } from '@srs/kernel';
import { AccessUnit } from './access-unit.ts';
import type { MuxedVideoCodec } from './nal-syntax.ts';

export class PictureTrack {
  #codec: MuxedVideoCodec | null = null;
  /** What the tags call it: some encoders send H.265 as H.264. */
  #label: VideoCodec = 'unknown';
  #unit: AccessUnit | undefined;

  /** By the headers so far; null when there is none. */
  get codec(): MuxedVideoCodec | null {
    return this.#codec;
  }

  copyFrom(other: PictureTrack): void {
    this.#codec = other.#codec;
    this.#label = other.#label;
    this.#unit = other.#unit;
  }

  /**
   * @returns whether it says anything about how pictures are coded that can be carried
   * @throws SrsError HlsDecode
   */
  onHeader(tag: VideoTag, payload: Buffer): boolean {
    checkCodec(tag);
    // Written by encoders that do not know it yet; another one follows.
    if (tag.dataOffset === tag.dataEnd) return false;
    const configuration = readConfiguration(tag, payload);
    if (configuration.codec !== 'avc' && configuration.codec !== 'hevc') return false;
    this.#codec = configuration.codec;
    this.#label = tag.codec;
    this.#unit = new AccessUnit(configuration.codec, configuration.nalLengthBytes, configuration);
    return true;
  }

  /**
   * The picture of a tag, until `clear` of it. Hot path: no allocation.
   *
   * @returns undefined for an empty one
   * @throws SrsError HlsDecode
   */
  load(tag: VideoTag, payload: Buffer): AccessUnit | undefined {
    checkCodec(tag);
    if (tag.dataOffset === tag.dataEnd) return undefined;
    const unit = this.#unit;
    if (unit === undefined) throw new SrsError('HlsDecode', `video frame of ${tag.codec} comes before its sequence header`);
    if (tag.codec !== this.#label) {
      throw new SrsError('HlsDecode', `video frame of ${tag.codec} follows a sequence header of ${this.#label}`);
    }
    if (unit.load(payload, tag.dataOffset, tag.dataEnd, tag.isKeyFrame)) return unit;
    unit.clear();
    return undefined;
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
