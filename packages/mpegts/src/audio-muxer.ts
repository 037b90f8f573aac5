/** The sound of a stream, from tags to units of several frames. */
import type { AudioTag } from '@srs/codec';
import { SrsError } from '@srs/kernel';
import { AdtsFraming, SAMPLES_PER_ADTS_FRAME } from './adts.ts';
import { TICKS_PER_MS, TICKS_PER_SECOND } from './clock-90k.ts';
import { type MpegAudioHeader, readMpegAudioHeader } from './mpeg-audio.ts';
import { MAX_COUNTED_PAYLOAD_BYTES } from './pes.ts';
import { streamTypes } from './program-tables.ts';
import { SampleClock } from './sample-clock.ts';
import { SoundCollector } from './sound-collector.ts';
import type { TsWriter } from './ts-writer.ts';

export type MuxedAudioCodec = 'aac' | 'mp3';

/** When the sound stops, or times jump, pictures that are so much further on push out what has been collected. */
const MAX_WAIT = 100 * TICKS_PER_MS;

export class AudioMuxer {
  readonly #writer: TsWriter;
  readonly #clock = new SampleClock();
  readonly #collector = new SoundCollector();
  #codec: MuxedAudioCodec | null = null;
  #framing: AdtsFraming | undefined;
  #streamType = 0;
  /** Time of the last picture. */
  #pictureDts: number | undefined;
  /** Time of the last picture when the first sound was collected. */
  #waitsSince: number | undefined;

  constructor(writer: TsWriter) {
    this.#writer = writer;
  }

  get codec(): MuxedAudioCodec | null {
    return this.#codec;
  }

  /** @throws SrsError HlsDecode */
  onHeader(tag: AudioTag, payload: Buffer): void {
    checkAudioCodec(tag);
    // MP3 needs none. FFmpeg begins with an empty one for AAC when it does not know it yet.
    if (tag.codec === 'mp3' || tag.dataOffset === tag.dataEnd) return;
    const framing = readFraming(payload.subarray(tag.dataOffset, tag.dataEnd));
    this.#become('aac', streamTypes.aac);
    this.#framing = framing;
  }

  /**
   * Hot path: allocates when a unit is full.
   *
   * @param ticks what the timestamp says
   * @throws SrsError HlsDecode
   */
  onFrame(tag: AudioTag, ticks: number, payload: Buffer): void {
    checkAudioCodec(tag);
    if (tag.dataOffset === tag.dataEnd) return;
    if (tag.codec === 'mp3') this.#onMpegAudio(tag, ticks, payload);
    else this.#onAac(tag, ticks, payload);
  }

  /** A picture of this time is about to be written: sound that has stopped is not kept back for ever. */
  onPicture(dts: number): void {
    this.#pictureDts = dts;
    if (this.#collector.isEmpty) return;
    this.#waitsSince ??= dts;
    if (Math.abs(dts - this.#waitsSince) > MAX_WAIT) this.flush();
  }

  flush(): void {
    const collector = this.#collector;
    if (collector.isEmpty) return;
    try {
      this.#writer.write('audio', collector.pts, collector.pts, false, collector);
    } finally {
      collector.clear();
      this.#waitsSince = undefined;
    }
  }

  #onAac(tag: AudioTag, ticks: number, payload: Buffer): void {
    const framing = this.#framing;
    if (framing === undefined) throw new SrsError('HlsDecode', 'audio frame of aac comes before its sequence header');
    this.#become('aac', streamTypes.aac);
    const dataBytes = tag.dataEnd - tag.dataOffset;
    const collector = this.#collector;
    const pts = this.#place(ticks, framing.sampleRate, SAMPLES_PER_ADTS_FRAME, framing.frameBytes(dataBytes, collector.isEmpty));
    const isFirst = collector.isEmpty;
    const frameBytes = framing.frameBytes(dataBytes, isFirst);
    const at = collector.append(frameBytes, pts);
    const data = framing.writeHead(collector.buffer, at, frameBytes, isFirst);
    payload.copy(collector.buffer, data, tag.dataOffset, tag.dataEnd);
  }

  #onMpegAudio(tag: AudioTag, ticks: number, payload: Buffer): void {
    const header = readMpegAudioHeader(payload, tag.dataOffset, tag.dataEnd);
    if (header === undefined) throw new SrsError('HlsDecode', 'mp3 frame must begin with a header of mpeg audio');
    const dataBytes = tag.dataEnd - tag.dataOffset;
    if (dataBytes > MAX_COUNTED_PAYLOAD_BYTES) {
      throw new SrsError('HlsDecode', `mp3 frame of ${dataBytes} bytes must be at most ${MAX_COUNTED_PAYLOAD_BYTES}`);
    }
    this.#become('mp3', header.isMpeg1 ? streamTypes.mpeg1Audio : streamTypes.mpeg2Audio);
    const samples = countSamples(header, payload, tag.dataOffset, tag.dataEnd);
    const collector = this.#collector;
    const pts = this.#place(ticks, header.sampleRate, samples, dataBytes);
    payload.copy(collector.buffer, collector.append(dataBytes, pts), tag.dataOffset, tag.dataEnd);
  }

  /** Finds the time of a frame, and makes room for it. */
  #place(ticks: number, sampleRate: number, samples: number, bytes: number): number {
    const expected = this.#clock.expected(ticks, sampleRate);
    if (expected === undefined) {
      // A unit tells the time of its first frame only.
      this.flush();
      this.#clock.restart(ticks, sampleRate);
    }
    const pts = expected ?? ticks;
    const end = pts + (samples * TICKS_PER_SECOND) / sampleRate;
    if (!this.#collector.isEmpty && !this.#collector.hasRoom(bytes, end)) this.flush();
    if (this.#collector.isEmpty) this.#waitsSince = this.#pictureDts;
    this.#clock.count(samples);
    return pts;
  }

  #become(codec: MuxedAudioCodec, streamType: number): void {
    if (streamType !== this.#streamType) this.flush();
    this.#codec = codec;
    this.#streamType = streamType;
    this.#writer.tables.setAudio(streamType);
  }
}

/** @throws SrsError HlsDecode for a codec that cannot be carried */
export function checkAudioCodec(tag: AudioTag): void {
  if (tag.codec === 'aac' || tag.codec === 'mp3') return;
  const name = tag.codec === 'unknown' ? describeUnknown(tag) : tag.codec;
  throw new SrsError('HlsDecode', `audio codec ${name} must be aac or mp3 to be carried in mpeg-ts`);
}

function describeUnknown(tag: AudioTag): string {
  return tag.isEnhanced ? JSON.stringify(tag.fourCc) : String(tag.soundFormat);
}

/** @throws SrsError HlsDecode */
export function readFraming(configuration: Buffer): AdtsFraming {
  try {
    return new AdtsFraming(configuration);
  } catch (cause) {
    if (cause instanceof SrsError && cause.errorName === 'HlsDecode') throw cause;
    throw new SrsError('HlsDecode', 'audio sequence header is malformed', { cause });
  }
}

/** Most encoders send one frame at a time. Bytes that are no further frame belong to the one before. */
export function countSamples(first: MpegAudioHeader, payload: Buffer, from: number, to: number): number {
  let samples = 0;
  let at = from;
  let header: MpegAudioHeader | undefined = first;
  while (header !== undefined) {
    samples += header.samples;
    if (header.frameBytes === 0) break;
    at += header.frameBytes;
    header = readMpegAudioHeader(payload, at, to);
  }
  return samples;
}
