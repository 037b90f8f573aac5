/** What a sequence header says, whatever the codec: for the log, the API and the outputs. */
import { type FrameType, frameTypes, SrsError } from '@srs/kernel';
import { type AudioSpecificConfig, parseAudioSpecificConfig } from './aac.ts';
import { type AudioTag, describeAudio } from './audio-tag.ts';
import { type Av1DecoderConfiguration, parseAv1DecoderConfiguration } from './av1.ts';
import { type AvcDecoderConfiguration, parseAvcDecoderConfiguration } from './avc.ts';
import { type HevcDecoderConfiguration, looksLikeHevcConfiguration, parseHevcDecoderConfiguration } from './hevc.ts';
import { describeVideo, type VideoCodec, type VideoTag } from './video-tag.ts';

/** The configuration of a video stream; codecs whose records are not read have a name only. */
export type VideoConfiguration =
  | ({ readonly codec: 'avc' } & AvcDecoderConfiguration)
  | ({ readonly codec: 'hevc' } & HevcDecoderConfiguration)
  | ({ readonly codec: 'av1' } & Av1DecoderConfiguration)
  | { readonly codec: Exclude<VideoCodec, 'avc' | 'hevc' | 'av1'> };

/** What the metadata knows and the sequence header does not. */
export interface SequenceHeaderHints {
  /** `videodatarate` or `audiodatarate` of onMetaData. */
  readonly kbps?: number;
  /** `framerate` of onMetaData, used when the header itself tells none. */
  readonly frameRate?: number;
}

/**
 * Reads the configuration record of a video sequence header.
 *
 * H.265 that is labelled H.264 (codec 7) is recognised by its record and returned as `hevc`.
 *
 * @param tag of `describeVideo(payload)`, with packet `sequence-header`
 * @throws SrsError AvcConfig, HevcConfig or Av1Config for a malformed record
 */
export function parseVideoConfiguration(tag: VideoTag, payload: Buffer): VideoConfiguration {
  const record = payload.subarray(tag.dataOffset, tag.dataEnd);
  switch (tag.codec) {
    case 'avc':
      if (looksLikeHevcConfiguration(record)) return { codec: 'hevc', ...parseHevcDecoderConfiguration(record) };
      return { codec: 'avc', ...parseAvcDecoderConfiguration(record) };
    case 'hevc':
      return { codec: 'hevc', ...parseHevcDecoderConfiguration(record) };
    case 'av1':
      return { codec: 'av1', ...parseAv1DecoderConfiguration(record) };
    default:
      return { codec: tag.codec };
  }
}

/**
 * The line that SRS logs for a sequence header, as `45B video sh, codec(7, profile=High, level=3.1, 640x360, 0kbps, 25fps)`.
 * An enhanced header has its FourCC in place of the codec's number.
 *
 * @param payload of a frame whose flags say `sequenceHeader`
 * @throws SrsError AvcConfig, HevcConfig, Av1Config or AacConfig when the payload is malformed
 */
export function describeSequenceHeader(type: FrameType, payload: Buffer, hints: SequenceHeaderHints = {}): string {
  switch (type) {
    case frameTypes.video:
      return `${payload.length}B video sh, ${videoText(payload, hints)}`;
    case frameTypes.audio:
      return `${payload.length}B audio sh, ${audioText(payload, hints)}`;
    case frameTypes.data:
      return `${payload.length}B data`;
  }
}

function videoText(payload: Buffer, hints: SequenceHeaderHints): string {
  const tag = describeVideo(payload);
  if (tag === undefined) throw new SrsError('AvcConfig', `video sequence header of ${payload.length} bytes ends within its head`);
  const name = tag.isEnhanced ? tag.fourCc : String(tag.codecId);
  // An MPEG-2 TS descriptor is another form than the record that the parsers read.
  if (tag.packet !== 'sequence-header') return `codec(${name})`;
  const configuration = parseVideoConfiguration(tag, payload);
  if (!('width' in configuration)) return `codec(${name})`;
  const { profileName, levelName, width, height } = configuration;
  const label = tag.codec === configuration.codec ? name : `${name} (${configuration.codec})`;
  const frameRate = configuration.frameRate ?? hints.frameRate ?? 0;
  return `codec(${label}, profile=${profileName}, level=${levelName}, ${width}x${height}, ${rateText(hints)}, ${frameRate}fps)`;
}

function audioText(payload: Buffer, hints: SequenceHeaderHints): string {
  const tag = describeAudio(payload);
  if (tag === undefined) throw new SrsError('AacConfig', `audio sequence header of ${payload.length} bytes ends within its head`);
  const name = tag.isEnhanced ? tag.fourCc : String(tag.soundFormat);
  if (tag.codec !== 'aac') return `codec(${name})`;
  const codec = aacText(name, parseAudioSpecificConfig(payload.subarray(tag.dataOffset, tag.dataEnd)), hints);
  return tag.isEnhanced ? codec : `${codec}, ${flvText(tag)}`;
}

function aacText(name: string, config: AudioSpecificConfig, hints: SequenceHeaderHints): string {
  return `codec(${name}, profile=${config.profileName}, ${config.channels}channels, ${rateText(hints)}, ${config.sampleRate}HZ)`;
}

function flvText(tag: AudioTag): string {
  return `flv(${tag.sampleSizeBits}bits, ${tag.channels}channels, ${tag.sampleRate}HZ)`;
}

function rateText(hints: SequenceHeaderHints): string {
  return `${Math.round(hints.kbps ?? 0)}kbps`;
}
