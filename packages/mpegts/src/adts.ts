/**
 * AAC frames behind headers of their own (ADTS, ISO/IEC 14496-3, 1.A.2.2).
 *
 * ```
 * fff | 0 00 1 | profile:2 rateIndex:4 0 channels:3 0000 | frameBytes:13 | fullness:11 (7ff) | 00      7 bytes
 * ```
 */
import { parseAudioSpecificConfig } from '@srs/codec';
import { SrsError } from '@srs/kernel';
import { readProgramConfig } from './program-config.ts';

export const ADTS_HEADER_BYTES = 7;
const MAX_ADTS_FRAME_BYTES = 0x1fff;
const MAX_OBJECT_TYPE = 4;
const MAX_CHANNEL_CONFIGURATION = 7;
/** ADTS has no field that would tell another length. */
export const SAMPLES_PER_ADTS_FRAME = 1024;
const EXPLICIT_RATE_INDEX = 15;

const noElement = Buffer.alloc(0);

/** How the frames of one AudioSpecificConfig are written. */
export class AdtsFraming {
  /** Hz of the frames, before SBR. */
  readonly sampleRate: number;
  readonly #objectType: number;
  readonly #rateIndex: number;
  readonly #channels: number;
  readonly #element: Buffer;

  /**
   * SBR and parametric stereo cannot be told in the header: it describes the core, and decoders find the rest in the frames.
   *
   * @param configuration not kept
   * @throws SrsError AacConfig when it is malformed, HlsDecode for what an ADTS header cannot say
   */
  constructor(configuration: Buffer) {
    const parsed = parseAudioSpecificConfig(configuration);
    const { objectType, sampleRateIndex, samplesPerFrame } = parsed;
    if (objectType > MAX_OBJECT_TYPE) throw refused(`object type ${objectType} (${parsed.profileName}) must be 1..4`);
    if (samplesPerFrame !== SAMPLES_PER_ADTS_FRAME) {
      throw refused(`frames of ${samplesPerFrame} samples must have ${SAMPLES_PER_ADTS_FRAME}`);
    }
    if (sampleRateIndex === EXPLICIT_RATE_INDEX) {
      throw refused(`sample rate ${parsed.sampleRate} Hz, written out, must be one of the table from 7350 to 96000 Hz`);
    }
    if (parsed.channelConfiguration > MAX_CHANNEL_CONFIGURATION) {
      throw refused(`channel configuration ${parsed.channelConfiguration} must be 0..${MAX_CHANNEL_CONFIGURATION}`);
    }
    const program = parsed.channelConfiguration === 0 ? readProgramConfig(configuration) : undefined;
    this.sampleRate = parsed.sampleRate;
    this.#objectType = objectType;
    this.#rateIndex = sampleRateIndex;
    // Many players know the numbers only, so a program that a number describes gets it.
    this.#channels = program?.channelConfiguration ?? parsed.channelConfiguration;
    this.#element = program === undefined || this.#channels !== 0 ? noElement : program.element;
  }

  /**
   * The bytes of a frame with its header.
   *
   * @param isFirst of its PES packet: there the program config element stands, if the channels need one
   * @throws SrsError HlsDecode when the length does not fit the header
   */
  frameBytes(dataBytes: number, isFirst: boolean): number {
    const overhead = ADTS_HEADER_BYTES + (isFirst ? this.#element.length : 0);
    if (dataBytes > MAX_ADTS_FRAME_BYTES - overhead) {
      throw new SrsError('HlsDecode', `aac frame of ${dataBytes} bytes must be at most ${MAX_ADTS_FRAME_BYTES - overhead}`);
    }
    return overhead + dataBytes;
  }

  /**
   * Writes what stands in front of the data of a frame.
   *
   * Hot path: no allocation.
   *
   * @param frameBytes of `frameBytes`
   * @returns the offset behind it
   */
  writeHead(target: Buffer, at: number, frameBytes: number, isFirst: boolean): number {
    target[at] = 0xff;
    target[at + 1] = 0xf1;
    target[at + 2] = ((this.#objectType - 1) << 6) | (this.#rateIndex << 2) | (this.#channels >>> 2);
    target[at + 3] = ((this.#channels & 0x03) << 6) | (frameBytes >>> 11);
    target[at + 4] = frameBytes >>> 3;
    target[at + 5] = ((frameBytes & 0x07) << 5) | 0x1f;
    target[at + 6] = 0xfc;
    const data = at + ADTS_HEADER_BYTES;
    return isFirst ? data + this.#element.copy(target, data) : data;
  }
}

function refused(what: string): SrsError {
  return new SrsError('HlsDecode', `aac ${what} to be carried in mpeg-ts`);
}
