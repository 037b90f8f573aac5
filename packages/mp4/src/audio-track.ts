/** What an MP4 track needs to know of an audio sequence header, or of the first frame of a codec without one. */
import { type AudioSpecificConfig, type AudioTag, describeAudio, parseAudioSpecificConfig } from '@srs/codec';
import { SrsError } from '@srs/kernel';
import { aacCodecString } from './codec-string.ts';
import { MAX_CONFIGURATION_BYTES } from './limits.ts';
import type { Mp3FrameHead } from './mpeg-audio.ts';
import { OPUS_SAMPLE_RATE, readOpusHead } from './opus.ts';

export interface AudioTrack {
  readonly codec: 'aac' | 'mp3' | 'opus';
  readonly codecString: string;
  /** Hz of the frames: the time scale of the track. */
  readonly sampleRate: number;
  readonly channels: number;
  /** Samples of a frame; for Opus the usual number, each packet tells its own. */
  readonly samplesPerFrame: number;
  /** objectTypeIndication of the esds (ISO/IEC 14496-1, 7.2.6.6); 0 for Opus, which has none. */
  readonly objectType: number;
  /** AudioSpecificConfig or the body of dOps; empty for MP3. */
  readonly record: Buffer;
}

/** ISO/IEC 14496-1, table 5. */
export const objectTypeIndications = { aac: 0x40, mpeg2Audio: 0x69, mpeg1Audio: 0x6b } as const;
const OPUS_USUAL_SAMPLES = 960;
/** The lowest rate of MPEG-1 audio. */
const MPEG1_MIN_RATE = 32_000;

/**
 * @param payload of an audio frame whose flags say `sequenceHeader`; not kept
 * @returns undefined for MP3, whose frames tell all
 * @throws SrsError HlsDecode for a codec that MP4 does not carry here, and for a malformed configuration
 */
export function readAudioTrack(payload: Buffer): AudioTrack | undefined {
  const tag = describeAudio(payload);
  if (tag === undefined) throw new SrsError('HlsDecode', `audio header of ${payload.length} bytes ends within its head`);
  checkAudioCodec(tag);
  if (tag.codec === 'mp3') return undefined;
  if (tag.packet !== 'sequence-header') {
    throw new SrsError('HlsDecode', `audio header of codec ${tag.codec} is a packet of kind ${tag.packet}`);
  }
  const configuration = Buffer.from(payload.subarray(tag.dataOffset, tag.dataEnd));
  if (configuration.length > MAX_CONFIGURATION_BYTES) {
    throw new SrsError('HlsDecode', `audio header of ${configuration.length} bytes must be at most ${MAX_CONFIGURATION_BYTES}`);
  }
  return tag.codec === 'opus' ? opusTrack(configuration) : aacTrack(configuration);
}

function opusTrack(head: Buffer): AudioTrack {
  const { channels, specificBox } = readOpusHead(head);
  return {
    codec: 'opus',
    codecString: 'opus',
    sampleRate: OPUS_SAMPLE_RATE,
    channels,
    samplesPerFrame: OPUS_USUAL_SAMPLES,
    objectType: 0,
    record: specificBox,
  };
}

function aacTrack(record: Buffer): AudioTrack {
  const config = configurationOf(record);
  return {
    codec: 'aac',
    codecString: aacCodecString(config),
    sampleRate: config.sampleRate,
    channels: config.hasPs ? 2 : config.channels || 2,
    samplesPerFrame: config.samplesPerFrame,
    objectType: objectTypeIndications.aac,
    record,
  };
}

function configurationOf(record: Buffer): AudioSpecificConfig {
  try {
    return parseAudioSpecificConfig(record);
  } catch (cause) {
    if (cause instanceof SrsError) throw new SrsError('HlsDecode', 'audio header is malformed', { cause });
    throw cause;
  }
}

export function mp3Track(head: Mp3FrameHead): AudioTrack {
  const isMpeg1 = head.sampleRate >= MPEG1_MIN_RATE;
  const objectType = isMpeg1 ? objectTypeIndications.mpeg1Audio : objectTypeIndications.mpeg2Audio;
  return {
    codec: 'mp3',
    codecString: `mp4a.${objectType.toString(16).toUpperCase()}`,
    sampleRate: head.sampleRate,
    channels: head.channels,
    samplesPerFrame: head.samples,
    objectType,
    record: Buffer.alloc(0),
  };
}

/** @throws SrsError HlsDecode that names the codec, when it is none of those that go into MP4 here */
export function checkAudioCodec(tag: AudioTag): void {
  if (tag.codec === 'aac' || tag.codec === 'mp3' || tag.codec === 'opus') return;
  const label = tag.isEnhanced ? JSON.stringify(tag.fourCc) : tag.soundFormat;
  throw new SrsError('HlsDecode', `audio codec ${tag.codec} (${label}) must be aac, mp3 or opus to go into mp4`);
}

export function isSameAudio(a: AudioTrack, b: AudioTrack): boolean {
  return a.codec === b.codec && a.sampleRate === b.sampleRate && a.channels === b.channels && a.record.equals(b.record);
}
