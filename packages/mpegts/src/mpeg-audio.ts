/**
 * The header of an MPEG audio frame (ISO/IEC 11172-3, 2.4.1.3; 13818-3; MPEG-2.5 as decoders know it).
 *
 * ```
 * sync:11 (7ff) version:2 layer:2 protection:1 | bitrateIndex:4 rateIndex:2 padding:1 ...
 * ```
 */

export interface MpegAudioHeader {
  /** MPEG-1; otherwise MPEG-2 or 2.5, with half or a quarter of the rates. */
  readonly isMpeg1: boolean;
  readonly sampleRate: number;
  readonly samples: number;
  /** With the header; 0 when the bit rate is left open. */
  readonly frameBytes: number;
}

const MPEG_AUDIO_HEADER_BYTES = 4;

const mpeg1Rates = [44_100, 48_000, 32_000] as const;
/** What divides the rates of MPEG-1, by version. */
const rateDivisors: readonly (number | undefined)[] = [4, undefined, 2, 1];
const MPEG_1 = 3;
const layers = { third: 1, second: 2, first: 3 } as const;

/** kbit/s by index 1..14. */
const mpeg1Bitrates: Readonly<Record<number, readonly number[]>> = {
  [layers.first]: [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  [layers.second]: [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  [layers.third]: [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
};
const mpeg2FirstBitrates: readonly number[] = [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256];
const mpeg2OtherBitrates: readonly number[] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

/** @returns undefined when no header stands at `at`, or it has reserved values */
export function readMpegAudioHeader(bytes: Buffer, at: number, end: number): MpegAudioHeader | undefined {
  if (end - at < MPEG_AUDIO_HEADER_BYTES || bytes[at] !== 0xff) return undefined;
  const second = bytes[at + 1]!;
  const third = bytes[at + 2]!;
  const version = (second >>> 3) & 0x03;
  const layer = (second >>> 1) & 0x03;
  const divisor = rateDivisors[version];
  const mpeg1Rate = mpeg1Rates[(third >>> 2) & 0x03];
  const bitrateIndex = third >>> 4;
  if ((second & 0xe0) !== 0xe0 || layer === 0 || divisor === undefined || mpeg1Rate === undefined || bitrateIndex === 15) {
    return undefined;
  }
  const isMpeg1 = version === MPEG_1;
  const sampleRate = mpeg1Rate / divisor;
  const samples = samplesOf(isMpeg1, layer);
  const kbps = bitrateIndex === 0 ? 0 : bitratesOf(isMpeg1, layer)[bitrateIndex - 1]!;
  // Layer I counts in slots of four bytes.
  const slotBytes = layer === layers.first ? 4 : 1;
  const slots = Math.floor((samples * kbps * 125) / sampleRate / slotBytes) + ((third >>> 1) & 0x01);
  return { isMpeg1, sampleRate, samples, frameBytes: kbps === 0 ? 0 : slots * slotBytes };
}

function samplesOf(isMpeg1: boolean, layer: number): number {
  if (layer === layers.first) return 384;
  return layer === layers.third && !isMpeg1 ? 576 : 1152;
}

function bitratesOf(isMpeg1: boolean, layer: number): readonly number[] {
  if (isMpeg1) return mpeg1Bitrates[layer]!;
  return layer === layers.first ? mpeg2FirstBitrates : mpeg2OtherBitrates;
}
