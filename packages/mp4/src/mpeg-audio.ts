/** The 4-byte head of an MPEG audio frame, layer III (ISO/IEC 11172-3, 2.4.1.3; ISO/IEC 13818-3). */

export interface Mp3FrameHead {
  readonly sampleRate: number;
  readonly channels: number;
  /** Samples per channel. */
  readonly samples: number;
  /** The whole frame, head included; 0 for the free format, whose frames do not tell. */
  readonly sizeBytes: number;
}

const MP3_HEAD_BYTES = 4;
const SYNC_MASK = 0xffe0;
const LAYER_3 = 1;
const MONO = 3;
/** The two bits behind the sync word. MPEG-2.5 is the industry's name for rates below those of the standard. */
const versions = { mpeg25: 0, reserved: 1, mpeg1: 3 } as const;
const RESERVED_INDEX = 3;
const BAD_BIT_RATE_INDEX = 15;

const mpeg1SampleRates = [44_100, 48_000, 32_000] as const;
const mpeg1Kbps = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320] as const;
const mpeg2Kbps = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160] as const;

/**
 * ```
 * sync:11 | version:2 | layer:2 | noCrc:1 || bitRate:4 | sampleRate:2 | padding:1 | private:1 || mode:2 | ...
 * ```
 *
 * @returns undefined when no frame of layer III begins at `offset`
 */
export function readMp3FrameHead(bytes: Buffer, offset: number): Mp3FrameHead | undefined {
  if (offset + MP3_HEAD_BYTES > bytes.length) return undefined;
  const word = bytes.readUInt16BE(offset);
  const version = (word >>> 3) & 0x03;
  const isLayer3 = ((word >>> 1) & 0x03) === LAYER_3;
  if ((word & SYNC_MASK) !== SYNC_MASK || version === versions.reserved || !isLayer3) return undefined;
  const rates = bytes[offset + 2]!;
  const rateIndex = (rates >>> 2) & 0x03;
  const bitRateIndex = rates >>> 4;
  if (rateIndex === RESERVED_INDEX || bitRateIndex === BAD_BIT_RATE_INDEX) return undefined;
  const isMpeg1 = version === versions.mpeg1;
  const slowdown = isMpeg1 ? 1 : version === versions.mpeg25 ? 4 : 2;
  const sampleRate = mpeg1SampleRates[rateIndex]! / slowdown;
  const samples = isMpeg1 ? 1152 : 576;
  const kbps = (isMpeg1 ? mpeg1Kbps : mpeg2Kbps)[bitRateIndex]!;
  const padding = (rates >>> 1) & 0x01;
  return {
    sampleRate,
    channels: bytes[offset + 3]! >>> 6 === MONO ? 1 : 2,
    samples,
    sizeBytes: kbps === 0 ? 0 : Math.floor((samples * kbps * 1000) / 8 / sampleRate) + padding,
  };
}

/**
 * The frames of a payload, which most publishers send one by one: MP4 has a sample for each.
 *
 * @returns where each ends; the last end is that of the payload, also when that cuts a frame or carries bytes behind it
 */
export function mp3FrameEnds(bytes: Buffer): readonly number[] {
  const ends: number[] = [];
  let offset = 0;
  for (;;) {
    const size = readMp3FrameHead(bytes, offset)?.sizeBytes ?? 0;
    const end = offset + size;
    // What follows must be a frame too; else it belongs to this one, as tags at the end of a file do.
    if (size === 0 || readMp3FrameHead(bytes, end) === undefined) break;
    ends.push(end);
    offset = end;
  }
  ends.push(bytes.length);
  return ends;
}
