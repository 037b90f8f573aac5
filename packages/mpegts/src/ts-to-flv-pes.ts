/** PES packets of one track as they come from a network: those with a hole are dropped, the next one is whole again. */
import { SrsError } from '@srs/kernel';
import { PES_FIXED_BYTES, PES_TIME_BYTES, PES_UNCOUNTED_BYTES, pesTimeFlags } from './pes.ts';
import { ContinuityCheck, type LoosePacket } from './ts-to-flv-packets.ts';

/** What a PES packet holds. */
export interface LoosePes {
  /** 33 bits, ticks of 90 kHz; undefined when the packet has none. */
  readonly pts: number | undefined;
  readonly dts: number | undefined;
  /** The sender says that decoding can begin here. */
  readonly isRandomAccess: boolean;
  /** Something before it is lost. */
  readonly isAfterLoss: boolean;
  /** A view, valid during the call only. */
  readonly payload: Buffer;
}

export interface PesCollectorHandler {
  onPes(pes: LoosePes): void;
  onWarning(text: string): void;
}

const FIRST_CAPACITY = 16 * 1024;
/** A buffer that one large packet made grow is given back. */
const KEPT_CAPACITY = 1024 * 1024;
const TIMES_MASK = 0xc0;

export class PesCollector {
  readonly #handler: PesCollectorHandler;
  readonly #pid: number;
  readonly #maxBytes: number;
  readonly #continuity = new ContinuityCheck();
  #buffer = Buffer.allocUnsafeSlow(FIRST_CAPACITY);
  #length = 0;
  #isOpen = false;
  #isRandomAccess = false;
  #isAfterLoss = false;

  constructor(pid: number, maxBytes: number, handler: PesCollectorHandler) {
    this.#pid = pid;
    this.#maxBytes = maxBytes;
    this.#handler = handler;
  }

  /** @throws SrsError HlsDecode for a PES packet above the limit */
  add(packet: LoosePacket): void {
    const { payload, isUnitStart } = packet;
    if (payload === undefined) return;
    if (packet.isScrambled) {
      this.#handler.onWarning(`pid ${this.#pid} is scrambled and left out`);
      return;
    }
    const continuity = this.#continuity.check(packet);
    if (continuity === 'repeated') return;
    if (continuity === 'lost') this.#drop(`a packet of pid ${this.#pid} is lost`);
    if (isUnitStart) {
      this.finish();
      this.#isOpen = true;
      this.#isRandomAccess = packet.isRandomAccess;
    }
    if (!this.#isOpen) return;
    this.#append(payload);
    if (this.#length >= PES_UNCOUNTED_BYTES && this.#length === this.#toldBytes) this.finish();
  }

  /** No more comes of the packet that is open. */
  finish(): void {
    if (!this.#isOpen) return;
    const bytes = this.#buffer.subarray(0, this.#length);
    const told = this.#length >= PES_UNCOUNTED_BYTES ? this.#toldBytes : 0;
    this.#isOpen = false;
    this.#length = 0;
    const pes = told === 0 || told === bytes.length ? readPes(bytes) : undefined;
    if (pes === undefined) this.#drop(`a pes packet of pid ${this.#pid} is damaged`);
    else {
      this.#handler.onPes({ ...pes, isRandomAccess: this.#isRandomAccess, isAfterLoss: this.#isAfterLoss });
      this.#isAfterLoss = false;
    }
    if (this.#buffer.length > KEPT_CAPACITY) this.#buffer = Buffer.allocUnsafeSlow(FIRST_CAPACITY);
  }

  /** 0 when the head does not tell, which only pictures may do. */
  get #toldBytes(): number {
    const told = this.#buffer.readUInt16BE(PES_UNCOUNTED_BYTES - 2);
    return told === 0 ? 0 : told + PES_UNCOUNTED_BYTES;
  }

  #drop(why: string): void {
    this.#isOpen = false;
    this.#length = 0;
    this.#isAfterLoss = true;
    this.#handler.onWarning(why);
  }

  #append(part: Buffer): void {
    const length = this.#length + part.length;
    if (length > this.#maxBytes) {
      throw new SrsError('HlsDecode', `mpeg-ts pes packet of pid ${this.#pid} must be at most ${this.#maxBytes} bytes`);
    }
    if (length > this.#buffer.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(length, this.#buffer.length * 2));
      this.#buffer.copy(grown, 0, 0, this.#length);
      this.#buffer = grown;
    }
    part.copy(this.#buffer, this.#length);
    this.#length = length;
  }
}

/** @returns undefined for what is no PES packet of a picture or sound */
function readPes(bytes: Buffer): Pick<LoosePes, 'pts' | 'dts' | 'payload'> | undefined {
  if (bytes.length < PES_FIXED_BYTES || bytes.readUIntBE(0, 3) !== 1 || (bytes[6]! & 0xc0) !== 0x80) return undefined;
  const payloadAt = PES_FIXED_BYTES + bytes[8]!;
  const times = bytes[7]! & TIMES_MASK;
  const hasPts = times === pesTimeFlags.pts || times === pesTimeFlags.ptsAndDts;
  const hasDts = times === pesTimeFlags.ptsAndDts;
  const timeBytes = hasDts ? 2 * PES_TIME_BYTES : hasPts ? PES_TIME_BYTES : 0;
  if (payloadAt > bytes.length || bytes[8]! < timeBytes) return undefined;
  const pts = hasPts ? readTime(bytes, PES_FIXED_BYTES) : undefined;
  const dts = hasDts ? readTime(bytes, PES_FIXED_BYTES + PES_TIME_BYTES) : pts;
  return { pts, dts, payload: bytes.subarray(payloadAt) };
}

/** Marker bits are what some encoders get wrong; the time is right all the same. */
function readTime(bytes: Buffer, at: number): number {
  const high = (bytes[at]! >>> 1) & 0x07;
  return high * 2 ** 30 + (bytes.readUInt16BE(at + 1) >>> 1) * 2 ** 15 + (bytes.readUInt16BE(at + 3) >>> 1);
}
