/** FLV frames in, a transport stream out. */
import { type AudioTag, describeAudio, describeVideo, type VideoTag } from '@srs/codec';
import { type FrameType, frameTypes, SrsError } from '@srs/kernel';
import { AudioMuxer, type MuxedAudioCodec } from './audio-muxer.ts';
import { UnwrappedClock } from './clock-90k.ts';
import type { MuxedVideoCodec } from './nal-syntax.ts';
import { TsWriter } from './ts-writer.ts';
import { VideoMuxer } from './video-muxer.ts';

/** What the first timestamp of a stream that stands alone means. */
export interface TimelinePlace {
  /** 31 bits. */
  readonly timestampMs: number;
  /** The same time on a timeline that does not wrap. */
  readonly ms: number;
}

export interface FlvToTsOptions {
  /** Is given runs of whole 188-byte packets, which are its own from then on. */
  readonly output: (packets: Buffer) => void;
  /**
   * The stream is one file, whose bytes follow from its frames alone. A mark before the first packet of each track says that its counter need not
   * follow on another file's.
   */
  readonly alone?: TimelinePlace | undefined;
}

/**
 * Muxes one stream into a transport stream, which may be cut into files: H.264 and H.265, AAC and MP3; of packets with several
 * tracks the default one.
 *
 * Decoding times on the wire are those of RTMP times 90 plus 72,000 (0.8 s); the program clock is at most the RTMP time. After an
 * error that onHeader or onFrame has thrown, that header or frame is left out, and the next may be given.
 */
export class FlvToTs {
  readonly #writer: TsWriter;
  readonly #video: VideoMuxer;
  readonly #audio: AudioMuxer;
  readonly #clock = new UnwrappedClock();

  constructor(options: FlvToTsOptions) {
    this.#writer = new TsWriter(options.output, options.alone !== undefined);
    this.#video = new VideoMuxer(this.#writer);
    this.#audio = new AudioMuxer(this.#writer);
    if (options.alone !== undefined) this.#clock.set(options.alone.timestampMs, options.alone.ms);
  }

  /** By the headers so far; null when there is none. */
  get videoCodec(): MuxedVideoCodec | null {
    return this.#video.codec;
  }

  /** By the headers and frames so far; null when there is none. */
  get audioCodec(): MuxedAudioCodec | null {
    return this.#audio.codec;
  }

  /**
   * The decoder configuration for what follows. A change of codec is told by tables of a new version before the next frame.
   *
   * @param payload of a frame with flag `sequenceHeader`; not kept
   * @throws SrsError HlsDecode when it is malformed, or its codec cannot be carried
   */
  onHeader(type: FrameType, payload: Buffer): void {
    if (payload.length === 0) return;
    if (type === frameTypes.video) this.#onVideoHeader(videoTagOf(payload), payload);
    else if (type === frameTypes.audio) this.#onAudioHeader(audioTagOf(payload), payload);
  }

  /**
   * A file begins here: tables of the tracks that are known come before the next frame; continuity counters go on. Sound that is
   * still being collected will be in this file: flush first.
   */
  beginFile(): void {
    this.#writer.beginFile();
  }

  /**
   * Muxes one picture or sound. Data, commands and metadata are left out, and so are empty frames.
   *
   * Hot path: one buffer for a picture, or for 100 ms of sound.
   *
   * @param timestampMs decoding time, 31 bits
   * @param payload valid during the call only
   * @throws SrsError HlsDecode when it is malformed, comes before its header, or its codec cannot be carried
   */
  onFrame(type: FrameType, timestampMs: number, payload: Buffer): void {
    if (payload.length === 0) return;
    if (type === frameTypes.video) this.#onVideo(videoTagOf(payload), timestampMs, payload);
    else if (type === frameTypes.audio) this.#onAudio(audioTagOf(payload), timestampMs, payload);
  }

  /** Writes the sound that is being collected. */
  flush(): void {
    this.#audio.flush();
  }

  #onVideoHeader(tag: VideoTag, payload: Buffer): void {
    if (tag.packet === 'sequence-header') this.#video.onHeader(tag, payload);
    else if (tag.packet === 'mpeg2ts-sequence-header') {
      throw new SrsError('HlsDecode', `video sequence header of ${tag.codec} in the form of mpeg-2 ts is not supported`);
    }
  }

  #onAudioHeader(tag: AudioTag, payload: Buffer): void {
    if (tag.packet === 'sequence-header') this.#audio.onHeader(tag, payload);
  }

  #onVideo(tag: VideoTag, timestampMs: number, payload: Buffer): void {
    if (tag.packet !== 'frames') {
      this.#onVideoHeader(tag, payload);
      return;
    }
    const dts = this.#clock.ticksAt(timestampMs, tag.timestampOffsetNanos);
    this.#audio.onPicture(dts);
    this.#video.onFrame(tag, dts, payload);
  }

  #onAudio(tag: AudioTag, timestampMs: number, payload: Buffer): void {
    if (tag.packet !== 'frames') {
      this.#onAudioHeader(tag, payload);
      return;
    }
    this.#audio.onFrame(tag, this.#clock.ticksAt(timestampMs, tag.timestampOffsetNanos), payload);
  }
}

/** @throws SrsError HlsDecode */
export function videoTagOf(payload: Buffer): VideoTag {
  const tag = describeVideo(payload);
  if (tag === undefined) throw new SrsError('HlsDecode', `video frame of ${payload.length} bytes ends within its head`);
  return tag;
}

/** @throws SrsError HlsDecode */
export function audioTagOf(payload: Buffer): AudioTag {
  const tag = describeAudio(payload);
  if (tag === undefined) throw new SrsError('HlsDecode', `audio frame of ${payload.length} bytes ends within its head`);
  return tag;
}
