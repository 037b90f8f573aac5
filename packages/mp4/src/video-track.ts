/** What an MP4 track needs to know of a video sequence header. */
import { describeVideo, parseVideoConfiguration, type VideoCodec, type VideoTag } from '@srs/codec';
import { SrsError } from '@srs/kernel';
import { av1CodecString, hevcCodecString } from './codec-string.ts';
import { MAX_CONFIGURATION_BYTES, VIDEO_TIMESCALE } from './limits.ts';

export interface VideoTrack {
  readonly codec: 'avc' | 'hevc' | 'av1';
  /** How the frames are labelled: some publishers send H.265 as H.264. */
  readonly labelledAs: VideoCodec;
  readonly codecString: string;
  /** Size of the length in front of each NAL unit; 0 for AV1, which has none. */
  readonly nalLengthBytes: number;
  /** Pixels; 0 when the header does not tell. */
  readonly width: number;
  readonly height: number;
  /** Ticks of a picture when nothing better is known. */
  readonly nominalTicks: number;
  /** The body of avcC, hvcC or av1C. */
  readonly record: Buffer;
}

/** Pictures a second when the header tells none, or none that a publisher of live media can mean. */
const DEFAULT_FRAME_RATE = 25;
const MIN_FRAME_RATE = 1;
const MAX_FRAME_RATE = 240;
/** Some encoders leave the version of avcC and hvcC at 0, which browsers refuse. */
const RECORD_VERSION = 1;

/**
 * @param payload of a video frame whose flags say `sequenceHeader`; not kept
 * @throws SrsError HlsDecode for a codec that MP4 does not carry here, and for a malformed record
 */
export function readVideoTrack(payload: Buffer): VideoTrack {
  const tag = describeVideo(payload);
  if (tag === undefined) throw new SrsError('HlsDecode', `video header of ${payload.length} bytes ends within its head`);
  checkVideoCodec(tag);
  if (tag.packet !== 'sequence-header') {
    throw new SrsError('HlsDecode', `video header of codec ${tag.codec} is a packet of kind ${tag.packet}`);
  }
  const recordBytes = tag.dataEnd - tag.dataOffset;
  if (recordBytes > MAX_CONFIGURATION_BYTES) {
    throw new SrsError('HlsDecode', `video header of ${recordBytes} bytes must be at most ${MAX_CONFIGURATION_BYTES}`);
  }
  return readRecord(tag, payload);
}

function readRecord(tag: VideoTag, payload: Buffer): VideoTrack {
  const configuration = configurationOf(tag, payload);
  if (!('width' in configuration)) throw unsupportedVideo(tag);
  const record = Buffer.from(payload.subarray(tag.dataOffset, tag.dataEnd));
  const { width, height } = configuration;
  const common = { labelledAs: tag.codec, width, height, record, nominalTicks: nominalTicks(configuration.frameRate) };
  switch (configuration.codec) {
    case 'avc': {
      record[0] = RECORD_VERSION;
      const { codecString, nalLengthBytes } = configuration;
      return { ...common, codec: 'avc', codecString, nalLengthBytes };
    }
    case 'hevc':
      record[0] = RECORD_VERSION;
      return { ...common, codec: 'hevc', codecString: hevcCodecString(record), nalLengthBytes: configuration.nalLengthBytes };
    case 'av1':
      return { ...common, codec: 'av1', codecString: av1CodecString(record), nalLengthBytes: 0 };
  }
}

function nominalTicks(frameRate = DEFAULT_FRAME_RATE): number {
  const isLikely = frameRate >= MIN_FRAME_RATE && frameRate <= MAX_FRAME_RATE;
  return Math.round(VIDEO_TIMESCALE / (isLikely ? frameRate : DEFAULT_FRAME_RATE));
}

function configurationOf(tag: VideoTag, payload: Buffer): ReturnType<typeof parseVideoConfiguration> {
  try {
    return parseVideoConfiguration(tag, payload);
  } catch (cause) {
    if (cause instanceof SrsError) throw new SrsError('HlsDecode', 'video header is malformed', { cause });
    throw cause;
  }
}

/** @throws SrsError HlsDecode that names the codec, when it is none of those that go into MP4 here */
export function checkVideoCodec(tag: VideoTag): void {
  if (tag.codec !== 'avc' && tag.codec !== 'hevc' && tag.codec !== 'av1') throw unsupportedVideo(tag);
}

function unsupportedVideo(tag: VideoTag): SrsError {
  const label = tag.isEnhanced ? JSON.stringify(tag.fourCc) : tag.codecId;
  return new SrsError('HlsDecode', `video codec ${tag.codec} (${label}) must be avc, hevc or av1 to go into mp4`);
}

export function isSameVideo(a: VideoTrack, b: VideoTrack): boolean {
  return a.codec === b.codec && a.labelledAs === b.labelledAs && a.record.equals(b.record);
}
