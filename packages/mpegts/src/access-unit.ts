/** One picture as players want it: delimiter, parameter sets, NAL units behind start codes (H.264 and H.265, annex B). */
import { type MuxedVideoCodec, type NalSyntax, nalKinds, nalSyntaxes, PARAMETER_SETS } from './nal-syntax.ts';
import { NalUnits } from './nal-units.ts';
import type { UnitBody } from './ts-writer.ts';

const START_CODE_BYTES = 3;
/** Parameter sets and the first unit have a zero more (H.264, B.1.2). */
const LONG_START_CODE_BYTES = 4;

const noPayload = Buffer.alloc(0);

/** A parameter set of the sequence header, with its start code. */
interface ParameterSet {
  readonly kind: number;
  readonly bytes: Buffer;
}

export interface ParameterSets {
  readonly vps?: readonly Buffer[];
  readonly sps: readonly Buffer[];
  readonly pps: readonly Buffer[];
}

/** Made for one sequence header, and used again for each picture that follows it. */
export class AccessUnit implements UnitBody {
  readonly #syntax: NalSyntax;
  readonly #lengthBytes: number;
  readonly #parameterSets: readonly ParameterSet[];
  readonly #units: NalUnits;
  #payload: Buffer = noPayload;
  #sizeBytes = 0;
  #isKeyFrame = false;
  #kinds = 0;

  /** @param sets are copied */
  constructor(codec: MuxedVideoCodec, lengthBytes: number, sets: ParameterSets) {
    this.#syntax = nalSyntaxes[codec];
    this.#lengthBytes = lengthBytes;
    this.#units = new NalUnits(`${this.#syntax.name} frame`);
    this.#parameterSets = [
      ...parameterSets(nalKinds.vps, sets.vps ?? []),
      ...parameterSets(nalKinds.sps, sets.sps),
      ...parameterSets(nalKinds.pps, sets.pps),
    ];
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** It is marked so, or has a picture at which decoding can start. */
  get isKeyFrame(): boolean {
    return this.#isKeyFrame;
  }

  /**
   * Takes a picture; `payload` is held until `clear`.
   *
   * Hot path: no allocation.
   *
   * @returns whether there is anything in it besides a delimiter
   * @throws SrsError HlsDecode for NAL units that are cut or too many
   */
  load(payload: Buffer, from: number, to: number, isKeyFrame: boolean): boolean {
    this.#units.read(payload, from, to, this.#lengthBytes);
    const { begins, ends, count } = this.#units;
    this.#payload = payload;
    this.#kinds = 0;
    this.#sizeBytes = this.#syntax.delimiter.length;
    let used = 0;
    for (let index = 0; index < count; index++) {
      const kind = this.#syntax.kindOf(payload[begins[index]!]!);
      this.#kinds |= kind;
      if (kind === nalKinds.delimiter) continue;
      used += 1;
      this.#sizeBytes += startCodeBytes(kind) + ends[index]! - begins[index]!;
    }
    this.#isKeyFrame = isKeyFrame || (this.#kinds & nalKinds.randomAccess) !== 0;
    for (const set of this.#parameterSets) {
      if (this.#needs(set)) this.#sizeBytes += set.bytes.length;
    }
    return used > 0;
  }

  /** Hot path: no allocation. */
  writeTo(target: Buffer, at: number): void {
    const payload = this.#payload;
    const { begins, ends, count } = this.#units;
    let next = at + this.#syntax.delimiter.copy(target, at);
    for (const set of this.#parameterSets) {
      if (this.#needs(set)) next += set.bytes.copy(target, next);
    }
    for (let index = 0; index < count; index++) {
      const kind = this.#syntax.kindOf(payload[begins[index]!]!);
      if (kind === nalKinds.delimiter) continue;
      next = writeStartCode(target, next, startCodeBytes(kind));
      next += payload.copy(target, next, begins[index], ends[index]);
    }
  }

  /** Lets go of the payload. */
  clear(): void {
    this.#payload = noPayload;
  }

  /** The encoder's own sets, in the picture, are newer than those of the sequence header. */
  #needs(set: ParameterSet): boolean {
    return this.#isKeyFrame && (this.#kinds & set.kind) === 0;
  }
}

function parameterSets(kind: number, sets: readonly Buffer[]): ParameterSet[] {
  return sets
    .filter((set) => set.length > 0)
    .map((set) => {
      const bytes = Buffer.allocUnsafeSlow(LONG_START_CODE_BYTES + set.length);
      set.copy(bytes, writeStartCode(bytes, 0, LONG_START_CODE_BYTES));
      return { kind, bytes };
    });
}

function startCodeBytes(kind: number): number {
  return (kind & PARAMETER_SETS) === 0 ? START_CODE_BYTES : LONG_START_CODE_BYTES;
}

function writeStartCode(target: Buffer, at: number, bytes: number): number {
  let next = at;
  for (let zeros = bytes - 1; zeros > 0; zeros--) {
    target[next] = 0;
    next += 1;
  }
  target[next] = 1;
  return next + 1;
}
