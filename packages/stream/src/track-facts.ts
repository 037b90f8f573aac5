/** What the sequence headers in a ring say of its video and audio, for those who list streams. */
import {
  type AudioCodec,
  describeAudio,
  describeVideo,
  parseAudioSpecificConfig,
  parseVideoConfiguration,
  type VideoCodec,
} from '@srs/codec';
import { type RingReader, stickySlots } from '@srs/ring';

/** `''` and 0 for what a header does not say. */
export interface VideoFacts {
  /** `H264`, `HEVC`, `AV1`, ... */
  readonly codec: string;
  /** `High`, `Main`, ... */
  readonly profile: string;
  /** `3.1` */
  readonly level: string;
  readonly width: number;
  readonly height: number;
}

export interface AudioFacts {
  /** `AAC`, `MP3`, ... */
  readonly codec: string;
  readonly profile: string;
  /** Hz. */
  readonly sampleRate: number;
  readonly channels: number;
}

export interface TrackFacts {
  /** Null while there has been no such header. */
  readonly video: VideoFacts | null;
  readonly audio: AudioFacts | null;
}

interface Entry {
  readonly generation: number;
  readonly videoVersion: number;
  readonly audioVersion: number;
  readonly facts: TrackFacts;
}

const videoNames: Partial<Record<VideoCodec, string>> = {
  avc: 'H264',
  hevc: 'HEVC',
  av1: 'AV1',
  vp8: 'VP8',
  vp9: 'VP9',
  vvc: 'VVC',
};
const audioNames: Partial<Record<AudioCodec, string>> = {
  aac: 'AAC',
  mp3: 'MP3',
  opus: 'Opus',
  flac: 'FLAC',
  ac3: 'AC3',
  eac3: 'EAC3',
};

/** Headers are taken apart once for each version of them. One entry for each region of the shared memory at most. */
export class TrackFactsCache {
  readonly #entries = new Map<number, Entry>();

  /**
   * @param reader of a ring; it is not moved
   * @throws SrsError RingCorrupt
   */
  factsOf(reader: RingReader): TrackFacts {
    const { offset, generation } = reader.region;
    const videoVersion = reader.stickyVersion(stickySlots.videoHeader);
    const audioVersion = reader.stickyVersion(stickySlots.audioHeader);
    const known = this.#entries.get(offset);
    if (known?.generation === generation && known.videoVersion === videoVersion && known.audioVersion === audioVersion) {
      return known.facts;
    }
    const facts: TrackFacts = {
      video: videoFacts(reader.readSticky(stickySlots.videoHeader)?.payload),
      audio: audioFacts(reader.readSticky(stickySlots.audioHeader)?.payload),
    };
    this.#entries.set(offset, { generation, videoVersion, audioVersion, facts });
    return facts;
  }
}

function videoFacts(payload: Buffer | undefined): VideoFacts | null {
  const tag = payload === undefined ? undefined : describeVideo(payload);
  if (payload === undefined || tag === undefined) return null;
  try {
    const configuration = parseVideoConfiguration(tag, payload);
    const codec = videoNames[configuration.codec] ?? configuration.codec;
    if (!('width' in configuration)) return { codec, profile: '', level: '', width: 0, height: 0 };
    const { profileName, levelName, width, height } = configuration;
    return { codec, profile: profileName, level: levelName, width, height };
  } catch {
    // Players get it as it came; here it is only named.
    return { codec: videoNames[tag.codec] ?? tag.codec, profile: '', level: '', width: 0, height: 0 };
  }
}

function audioFacts(payload: Buffer | undefined): AudioFacts | null {
  const tag = payload === undefined ? undefined : describeAudio(payload);
  if (payload === undefined || tag === undefined) return null;
  const codec = audioNames[tag.codec] ?? tag.codec;
  const nominal: AudioFacts = { codec, profile: '', sampleRate: tag.sampleRate, channels: tag.channels };
  if (tag.codec !== 'aac') return nominal;
  try {
    const config = parseAudioSpecificConfig(payload.subarray(tag.dataOffset, tag.dataEnd));
    return { codec, profile: config.profileName, sampleRate: config.sampleRate, channels: config.channels };
  } catch {
    return nominal;
  }
}
