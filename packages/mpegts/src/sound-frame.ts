/** The sound of a stream, one frame at a time, as it stands in a transport stream or in a file of its own: AAC with ADTS headers, MP3. */
import type { AudioTag } from '@srs/codec';
import { SrsError } from '@srs/kernel';
import { type AdtsFraming, SAMPLES_PER_ADTS_FRAME } from './adts.ts';
import { checkAudioCodec, countSamples, type MuxedAudioCodec, readFraming } from './audio-muxer.ts';
import { readMpegAudioHeader } from './mpeg-audio.ts';
import { MAX_COUNTED_PAYLOAD_BYTES } from './pes.ts';
import { streamTypes } from './program-tables.ts';
import type { UnitBody } from './ts-writer.ts';

const noPayload = Buffer.alloc(0);

export class SoundFrame implements UnitBody {
  #codec: MuxedAudioCodec | null = null;
  #streamType = 0;
  #framing: AdtsFraming | undefined;
  #payload: Buffer = noPayload;
  #from = 0;
  #to = 0;
  #sizeBytes = 0;
  #sampleRate = 0;
  #samples = 0;

  /** By the headers and frames so far; null when there is none. */
  get codec(): MuxedAudioCodec | null {
    return this.#codec;
  }

  /** As the tables of a transport stream have it; 0 before the codec is known. */
  get streamType(): number {
    return this.#streamType;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get sampleRate(): number {
    return this.#sampleRate;
  }

  get samples(): number {
    return this.#samples;
  }

  /** How frames are coded; not the one at hand. */
  copyFrom(other: SoundFrame): void {
    this.#codec = other.#codec;
    this.#streamType = other.#streamType;
    this.#framing = other.#framing;
  }

  /** @throws SrsError HlsDecode */
  onHeader(tag: AudioTag, payload: Buffer): void {
    checkAudioCodec(tag);
    // MP3 needs none. FFmpeg begins with an empty one for AAC when it does not know it yet.
    if (tag.codec === 'mp3' || tag.dataOffset === tag.dataEnd) return;
    this.#framing = readFraming(payload.subarray(tag.dataOffset, tag.dataEnd));
    this.#become('aac', streamTypes.aac);
  }

  /**
   * Takes a frame; `payload` is held until `clear`. Hot path: no allocation.
   *
   * @returns whether there is anything in it
   * @throws SrsError HlsDecode
   */
  load(tag: AudioTag, payload: Buffer): boolean {
    checkAudioCodec(tag);
    const { dataOffset, dataEnd } = tag;
    if (dataOffset === dataEnd) return false;
    if (tag.codec === 'mp3') this.#loadMpegAudio(payload, dataOffset, dataEnd);
    else this.#loadAac(dataEnd - dataOffset);
    this.#payload = payload;
    this.#from = dataOffset;
    this.#to = dataEnd;
    return true;
  }

  /** Hot path: no allocation. */
  writeTo(target: Buffer, at: number): void {
    const framing = this.#codec === 'aac' ? this.#framing : undefined;
    const data = framing === undefined ? at : framing.writeHead(target, at, this.#sizeBytes, true);
    this.#payload.copy(target, data, this.#from, this.#to);
  }

  /** Lets go of the payload. */
  clear(): void {
    this.#payload = noPayload;
  }

  #loadAac(dataBytes: number): void {
    const framing = this.#framing;
    if (framing === undefined) throw new SrsError('HlsDecode', 'audio frame of aac comes before its sequence header');
    // Who comes later must find the channels too: so each frame is a first one.
    this.#sizeBytes = framing.frameBytes(dataBytes, true);
    this.#sampleRate = framing.sampleRate;
    this.#samples = SAMPLES_PER_ADTS_FRAME;
    this.#become('aac', streamTypes.aac);
  }

  #loadMpegAudio(payload: Buffer, from: number, to: number): void {
    const header = readMpegAudioHeader(payload, from, to);
    if (header === undefined) throw new SrsError('HlsDecode', 'mp3 frame must begin with a header of mpeg audio');
    if (to - from > MAX_COUNTED_PAYLOAD_BYTES) {
      throw new SrsError('HlsDecode', `mp3 frame of ${to - from} bytes must be at most ${MAX_COUNTED_PAYLOAD_BYTES}`);
    }
    this.#sizeBytes = to - from;
    this.#sampleRate = header.sampleRate;
    this.#samples = countSamples(header, payload, from, to);
    this.#become('mp3', header.isMpeg1 ? streamTypes.mpeg1Audio : streamTypes.mpeg2Audio);
  }

  #become(codec: MuxedAudioCodec, streamType: number): void {
    this.#codec = codec;
    this.#streamType = streamType;
  }
}
