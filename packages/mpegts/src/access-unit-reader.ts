/** What is inside a PES packet: the other direction of access-unit.ts and adts.ts. */
import { aacSampleRates } from '@srs/codec';
import { SrsError } from '@srs/kernel';
import { ADTS_HEADER_BYTES, SAMPLES_PER_ADTS_FRAME } from './adts.ts';
import { TICKS_PER_SECOND, wrap33 } from './clock-90k.ts';
import { readMpegAudioHeader } from './mpeg-audio.ts';
import type { MuxedVideoCodec } from './nal-syntax.ts';
import { beginsWithStartCode, NalUnits } from './nal-units.ts';
import type { TsPes } from './pes-reader.ts';
import { streamTypes } from './program-tables.ts';

interface UnitTimes {
  /** 33 bits, ticks of 90 kHz. Of sound, those behind the first of a PES packet are counted on. */
  readonly pts: number;
  readonly dts: number;
}

export interface TsPicture extends UnitTimes {
  readonly codec: MuxedVideoCodec;
  readonly isRandomAccess: boolean;
  /** All of them, delimiter and parameter sets too, without start codes. */
  readonly nalUnits: readonly Buffer[];
}

export interface TsAacFrame extends UnitTimes {
  readonly codec: 'aac';
  readonly objectType: number;
  readonly sampleRate: number;
  readonly channelConfiguration: number;
  /** Without the ADTS header. */
  readonly data: Buffer;
}

export interface TsMpegAudioFrame extends UnitTimes {
  readonly codec: 'mp3';
  readonly sampleRate: number;
  readonly data: Buffer;
}

export type TsAccessUnit = TsPicture | TsAacFrame | TsMpegAudioFrame;

/**
 * The access units of a PES packet: one picture, or frames of sound. All are views of its payload.
 *
 * @throws SrsError HlsDecode for a stream type that is not known here, and for frames that are malformed or cut
 */
export function accessUnitsOf(pes: TsPes): readonly TsAccessUnit[] {
  switch (pes.streamType) {
    case streamTypes.avc:
      return [pictureOf(pes, 'avc')];
    case streamTypes.hevc:
      return [pictureOf(pes, 'hevc')];
    case streamTypes.aac:
      return aacFramesOf(pes);
    case streamTypes.mpeg1Audio:
    case streamTypes.mpeg2Audio:
      return mpegAudioFramesOf(pes);
    default:
      throw new SrsError('HlsDecode', `ts stream type ${pes.streamType} of pid ${pes.pid} is not known`);
  }
}

function pictureOf({ payload, pts, dts, isRandomAccess }: TsPes, codec: MuxedVideoCodec): TsPicture {
  if (!beginsWithStartCode(payload, 0, payload.length)) {
    throw new SrsError('HlsDecode', `ts picture of ${codec} must begin with a start code`);
  }
  const { begins, ends, count } = readNalUnits(payload);
  const nalUnits = Array.from({ length: count }, (_, i) => payload.subarray(begins[i], ends[i]));
  return { codec, pts, dts, isRandomAccess, nalUnits };
}

function readNalUnits(payload: Buffer): NalUnits {
  const units = new NalUnits('ts picture');
  units.readAnnexB(payload, 0, payload.length);
  return units;
}

function aacFramesOf({ payload, pts }: TsPes): TsAacFrame[] {
  const frames: TsAacFrame[] = [];
  let at = 0;
  while (at < payload.length) {
    if (at + ADTS_HEADER_BYTES > payload.length) throw new SrsError('HlsDecode', `ts aac frame at ${at} ends within its header`);
    // Layer 0 and no CRC, of MPEG-4 or MPEG-2.
    if (payload[at] !== 0xff || (payload[at + 1]! & 0xf7) !== 0xf1) {
      throw new SrsError('HlsDecode', `ts aac frame at ${at} must begin with ff f1 or ff f9`);
    }
    const bits = payload.readUIntBE(at + 2, 4);
    const frameBytes = (bits >>> 5) & 0x1fff;
    const sampleRate = aacSampleRates[(bits >>> 26) & 0x0f];
    if (sampleRate === undefined) throw new SrsError('HlsDecode', `ts aac frame at ${at} has a reserved sample rate`);
    if (frameBytes <= ADTS_HEADER_BYTES || at + frameBytes > payload.length) {
      throw new SrsError('HlsDecode', `ts aac frame at ${at} has length ${frameBytes}, ${payload.length - at} bytes are left`);
    }
    const time = timeBehind(pts, frames.length * SAMPLES_PER_ADTS_FRAME, sampleRate);
    frames.push({
      codec: 'aac',
      pts: time,
      dts: time,
      objectType: ((bits >>> 30) & 0x03) + 1,
      sampleRate,
      channelConfiguration: (bits >>> 22) & 0x07,
      data: payload.subarray(at + ADTS_HEADER_BYTES, at + frameBytes),
    });
    at += frameBytes;
  }
  return frames;
}

function mpegAudioFramesOf({ payload, pts }: TsPes): TsMpegAudioFrame[] {
  const frames: TsMpegAudioFrame[] = [];
  let at = 0;
  let samples = 0;
  while (at < payload.length) {
    const header = readMpegAudioHeader(payload, at, payload.length);
    if (header === undefined) throw new SrsError('HlsDecode', `ts mpeg audio frame at ${at} must begin with a header`);
    const end = at + header.frameBytes;
    if (header.frameBytes === 0 || end > payload.length) {
      throw new SrsError(
        'HlsDecode',
        `ts mpeg audio frame at ${at} has length ${header.frameBytes}, ${payload.length - at} are left`,
      );
    }
    const time = timeBehind(pts, samples, header.sampleRate);
    frames.push({ codec: 'mp3', pts: time, dts: time, sampleRate: header.sampleRate, data: payload.subarray(at, end) });
    samples += header.samples;
    at = end;
  }
  return frames;
}

function timeBehind(pts: number, samples: number, sampleRate: number): number {
  return wrap33(pts + Math.round((samples * TICKS_PER_SECOND) / sampleRate));
}
