/** PES packets, gathered and read: the other direction of pes.ts. */
import { SrsError } from '@srs/kernel';
import { PES_FIXED_BYTES, PES_TIME_BYTES, PES_UNCOUNTED_BYTES, pesTimeFlags } from './pes.ts';

/** What is known of a PES packet when it begins. */
export interface PesFacts {
  readonly pid: number;
  /** As the PMT said when the packet began. */
  readonly streamType: number;
  readonly isRandomAccess: boolean;
  /** The last clock reference by then, 33 bits; undefined when there was none. */
  readonly clock: number | undefined;
}

/** A PES packet that is complete. */
export interface TsPes extends PesFacts {
  readonly streamId: number;
  /** 33 bits, ticks of 90 kHz. */
  readonly pts: number;
  /** The PTS when the packet has none. */
  readonly dts: number;
  readonly payload: Buffer;
}

const TIMES_MASK = 0xc0;
const MARKER_MASK = 0xc0;
const MARKER = 0x80;

/** One PES packet on its way. */
export class PesGatherer {
  readonly #facts: PesFacts;
  readonly #maxBytes: number;
  readonly #parts: Buffer[] = [];
  #gatheredBytes = 0;

  constructor(facts: PesFacts, maxBytes: number) {
    this.#facts = facts;
    this.#maxBytes = maxBytes;
  }

  /**
   * @param part is copied
   * @throws SrsError HlsDecode above the limit
   */
  add(part: Buffer): void {
    this.#gatheredBytes += part.length;
    if (this.#gatheredBytes > this.#maxBytes) {
      throw new SrsError('HlsDecode', `ts pes packet of pid ${this.#facts.pid} must be at most ${this.#maxBytes} bytes`);
    }
    this.#parts.push(Buffer.from(part));
  }

  /** @throws SrsError HlsDecode when it is cut, too long or malformed */
  finish(): TsPes {
    const bytes = Buffer.concat(this.#parts);
    if (bytes.length < PES_FIXED_BYTES || bytes.readUIntBE(0, 3) !== 1) throw this.#wrong('must begin with 00 00 01 and a head');
    const told = bytes.readUInt16BE(4);
    if (told !== 0 && told !== bytes.length - PES_UNCOUNTED_BYTES) {
      throw this.#wrong(`length ${told} must be the ${bytes.length - PES_UNCOUNTED_BYTES} that came`);
    }
    if ((bytes[6]! & MARKER_MASK) !== MARKER) throw this.#wrong('must have the marker bits 10');
    const times = bytes[7]! & TIMES_MASK;
    const hasDts = times === pesTimeFlags.ptsAndDts;
    if (!hasDts && times !== pesTimeFlags.pts) throw this.#wrong('must have a pts');
    const payloadAt = PES_FIXED_BYTES + bytes[8]!;
    if (bytes[8]! < PES_TIME_BYTES * (hasDts ? 2 : 1) || payloadAt > bytes.length) throw this.#wrong('ends within its head');
    const pts = this.#time(bytes, PES_FIXED_BYTES, hasDts ? 3 : 2);
    return {
      ...this.#facts,
      streamId: bytes[3]!,
      pts,
      dts: hasDts ? this.#time(bytes, PES_FIXED_BYTES + PES_TIME_BYTES, 1) : pts,
      payload: bytes.subarray(payloadAt),
    };
  }

  #time(bytes: Buffer, at: number, mark: number): number {
    const [first, second, fourth] = [bytes[at]!, bytes.readUInt16BE(at + 1), bytes.readUInt16BE(at + 3)];
    const isMarked = (first & second & fourth & 1) === 1;
    if (first >>> 4 !== mark || !isMarked) throw this.#wrong('time must have its marker bits');
    return ((first >>> 1) & 0x07) * 2 ** 30 + (second >>> 1) * 2 ** 15 + (fourth >>> 1);
  }

  #wrong(what: string): SrsError {
    return new SrsError('HlsDecode', `ts pes packet of pid ${this.#facts.pid} ${what}`);
  }
}
