/**
 * Finds the packets in a transport stream as it comes from a network: begun anywhere, with holes and bytes that belong to none.
 *
 * A packet begins with 47, and so does the one 188 bytes on. A stream is believed to be one when three packets in a row do.
 */
import { SrsError } from '@srs/kernel';
import {
  fieldFlags,
  TS_HAS_FIELD,
  TS_HAS_PAYLOAD,
  TS_HEADER_BYTES,
  TS_PACKET_BYTES,
  TS_SYNC_BYTE,
  TS_UNIT_START,
} from './ts-packet.ts';

/** A packet, as far as media need it. */
export interface LoosePacket {
  readonly pid: number;
  readonly counter: number;
  /** A PES packet or a section begins here. */
  readonly isUnitStart: boolean;
  /** What comes is no continuation of what was there. */
  readonly isDiscontinuity: boolean;
  readonly isRandomAccess: boolean;
  readonly isScrambled: boolean;
  /** A view, valid during the call; undefined for a packet that has none. */
  readonly payload: Buffer | undefined;
}

const PACKETS_TO_BELIEVE = 3;
const BYTES_TO_BELIEVE = (PACKETS_TO_BELIEVE - 1) * TS_PACKET_BYTES + 1;
/** More than this is not lost within a stream; what has no packets for so long is something else. */
const MAX_FOREIGN_BYTES = 64 * 1024;
const ERROR_BIT = 0x80;
const SCRAMBLING_BITS = 0xc0;

export class PacketFinder {
  readonly #onPacket: (packet: LoosePacket) => void;
  /** What cannot be judged before more comes. */
  #rest: Buffer = Buffer.alloc(0);
  #isInStep = false;
  #foreignBytes = 0;
  #skippedBytes = 0;

  constructor(onPacket: (packet: LoosePacket) => void) {
    this.#onPacket = onPacket;
  }

  /** Bytes so far that belong to no packet. */
  get skippedBytes(): number {
    return this.#skippedBytes;
  }

  /** @throws SrsError HlsDecode when what comes is no transport stream */
  receive(bytes: Buffer): void {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    let at = 0;
    for (;;) {
      if (!this.#isInStep) {
        const found = findPackets(all, at);
        this.#skip(found.at - at);
        at = found.at;
        if (!found.isCertain) break;
        this.#isInStep = true;
        this.#foreignBytes = 0;
      }
      if (at + TS_PACKET_BYTES > all.length) break;
      if (all[at] === TS_SYNC_BYTE) {
        this.#read(all, at);
        at += TS_PACKET_BYTES;
      } else this.#isInStep = false;
    }
    this.#rest = Buffer.from(all.subarray(at));
  }

  #skip(bytes: number): void {
    this.#foreignBytes += bytes;
    this.#skippedBytes += bytes;
    if (this.#foreignBytes <= MAX_FOREIGN_BYTES) return;
    throw new SrsError('HlsDecode', `mpeg-ts has no packets of ${TS_PACKET_BYTES} bytes in ${MAX_FOREIGN_BYTES} bytes`);
  }

  #read(bytes: Buffer, at: number): void {
    const first = bytes[at + 1]!;
    const control = bytes[at + 3]!;
    // The sender knows that it is damaged; its counter will be missed.
    if ((first & ERROR_BIT) !== 0) return;
    const fieldBytes = (control & TS_HAS_FIELD) === 0 ? 0 : 1 + bytes[at + TS_HEADER_BYTES]!;
    const flags = fieldBytes > 1 ? bytes[at + TS_HEADER_BYTES + 1]! : 0;
    const payloadAt = at + TS_HEADER_BYTES + fieldBytes;
    const end = at + TS_PACKET_BYTES;
    this.#onPacket({
      pid: ((first & 0x1f) << 8) | bytes[at + 2]!,
      counter: control & 0x0f,
      isUnitStart: (first & TS_UNIT_START) !== 0,
      isDiscontinuity: (flags & fieldFlags.discontinuity) !== 0,
      isRandomAccess: (flags & fieldFlags.randomAccess) !== 0,
      isScrambled: (control & SCRAMBLING_BITS) !== 0,
      payload: (control & TS_HAS_PAYLOAD) !== 0 && payloadAt < end ? bytes.subarray(payloadAt, end) : undefined,
    });
  }
}

/** Where packets begin, or, when that is not certain, from where on more has to come to tell. */
function findPackets(bytes: Buffer, from: number): { readonly at: number; readonly isCertain: boolean } {
  for (let at = bytes.indexOf(TS_SYNC_BYTE, from); at >= 0; at = bytes.indexOf(TS_SYNC_BYTE, at + 1)) {
    if (at + BYTES_TO_BELIEVE > bytes.length) return { at, isCertain: false };
    if (bytes[at + TS_PACKET_BYTES] === TS_SYNC_BYTE && bytes[at + 2 * TS_PACKET_BYTES] === TS_SYNC_BYTE) {
      return { at, isCertain: true };
    }
  }
  return { at: bytes.length, isCertain: false };
}

/** Tells for one PID which packets continue what came before. */
export class ContinuityCheck {
  #last: number | undefined;

  /** @returns whether the payload follows, is a repetition to be left out, or something before it is lost */
  check({ counter, isDiscontinuity }: LoosePacket): 'next' | 'repeated' | 'lost' {
    const last = this.#last;
    this.#last = counter;
    if (last === undefined || isDiscontinuity || counter === ((last + 1) & 0x0f)) return 'next';
    return counter === last ? 'repeated' : 'lost';
  }
}
