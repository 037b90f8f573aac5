/** The program config element of AAC (ISO/IEC 14496-3, 4.4.1.1): where the channels are, when no number says it. */

/**
 * Channel configurations by what a program config element lists: front, then side and back (S one channel, P a pair), then
 * how many low-frequency channels. The frames have the elements in this order (ISO/IEC 14496-3, table 1.19).
 */
const configurations: ReadonlyMap<string, number> = new Map([
  ['S  0', 1],
  ['P  0', 2],
  ['SP  0', 3],
  ['SP S 0', 4],
  ['SP P 0', 5],
  ['SP P 1', 6],
  ['SPP P 1', 7],
]);

/** id_syn_ele of a program config element in front of a frame. */
const ID_PCE = 0b101;
const EXPLICIT_RATE_INDEX = 15;
const objectTypes = { sbr: 5, ps: 29, escape: 31 } as const;

export interface ProgramConfig {
  /** The number that says the same; undefined when there is none. */
  readonly channelConfiguration: number | undefined;
  /** The element, as it stands in front of a frame: whole bytes. */
  readonly element: Buffer;
}

/**
 * Reads the element inside an AudioSpecificConfig of channel configuration 0.
 *
 * ```
 * objectType:5 [6] | rateIndex:4 [24] | 0000 | [rateIndex:4 [24] objectType:5 [6]] | shortFrame:1 core:1 [14] extension:1 | element
 * ```
 *
 * @returns undefined when the configuration ends before the element does: then the frames must tell
 */
export function readProgramConfig(configuration: Uint8Array): ProgramConfig | undefined {
  const bits = new BitCopier(configuration);
  const objectType = readObjectType(bits);
  skipSampleRate(bits);
  bits.take(4);
  if (objectType === objectTypes.sbr || objectType === objectTypes.ps) {
    skipSampleRate(bits);
    readObjectType(bits);
  }
  bits.take(1);
  if (bits.take(1) === 1) bits.take(14);
  bits.take(1);
  bits.beginCopy(3, ID_PCE);
  const layout = readElement(bits);
  if (bits.isPastEnd) return undefined;
  return { channelConfiguration: configurations.get(layout), element: bits.copied() };
}

function readElement(bits: BitCopier): string {
  bits.take(4 + 2 + 4); // element_instance_tag, object_type, sampling_frequency_index
  const [front, side, back] = [bits.take(4), bits.take(4), bits.take(4)];
  const [lfe, associated, coupling] = [bits.take(2), bits.take(3), bits.take(4)];
  if (bits.take(1) === 1) bits.take(4); // mono_mixdown
  if (bits.take(1) === 1) bits.take(4); // stereo_mixdown
  if (bits.take(1) === 1) bits.take(3); // matrix_mixdown
  const elements = (count: number) => Array.from({ length: count }, () => (bits.take(1 + 4) >>> 4 === 1 ? 'P' : 'S')).join('');
  const layout = `${elements(front)} ${elements(side)}${elements(back)} ${lfe}`;
  for (let i = lfe + associated; i > 0; i--) bits.take(4);
  for (let i = coupling; i > 0; i--) bits.take(1 + 4);
  bits.align();
  for (let i = bits.take(8); i > 0; i--) bits.take(8); // comment
  // Elements that mix into others are not part of any numbered configuration.
  return coupling === 0 ? layout : '';
}

function readObjectType(bits: BitCopier): number {
  const type = bits.take(5);
  return type === objectTypes.escape ? 32 + bits.take(6) : type;
}

function skipSampleRate(bits: BitCopier): void {
  if (bits.take(4) === EXPLICIT_RATE_INDEX) bits.take(24);
}

/** Reads bits and, from some point on, copies what it reads to where the bytes begin elsewhere. */
class BitCopier {
  readonly #bytes: Uint8Array;
  #position = 0;
  #copy: number[] | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isPastEnd(): boolean {
    return this.#position > this.#bytes.length * 8;
  }

  /** Zeros past the end. */
  take(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      const bit = ((this.#bytes[this.#position >>> 3] ?? 0) >>> (7 - (this.#position & 7))) & 1;
      this.#position += 1;
      this.#copy?.push(bit);
      value = value * 2 + bit;
    }
    return value;
  }

  /** What is taken from here on is copied, behind `count` bits of `value`. */
  beginCopy(count: number, value: number): void {
    this.#copy = Array.from({ length: count }, (_, i) => (value >>> (count - 1 - i)) & 1);
  }

  /** To the next whole byte, in what is read and in the copy. */
  align(): void {
    this.#position = Math.ceil(this.#position / 8) * 8;
    while (this.#copy !== undefined && this.#copy.length % 8 !== 0) this.#copy.push(0);
  }

  copied(): Buffer {
    const bits = this.#copy ?? [];
    const bytes = Buffer.alloc(Math.ceil(bits.length / 8));
    for (const [i, bit] of bits.entries()) bytes[i >>> 3]! |= bit << (7 - (i & 7));
    return bytes;
  }
}
