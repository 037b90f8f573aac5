/** One packet, read: the other direction of ts-packet.ts. */
import { SrsError } from '@srs/kernel';
import {
  fieldFlags,
  TS_BODY_BYTES,
  TS_HAS_FIELD,
  TS_HAS_PAYLOAD,
  TS_HEADER_BYTES,
  TS_PACKET_BYTES,
  TS_SYNC_BYTE,
  TS_UNIT_START,
} from './ts-packet.ts';

export interface TsPacket {
  readonly pid: number;
  readonly counter: number;
  /** A PES packet or a section begins here. */
  readonly isUnitStart: boolean;
  readonly isDiscontinuity: boolean;
  readonly isRandomAccess: boolean;
  /** Ticks of 90 kHz, 33 bits. */
  readonly pcr: number | undefined;
  /** A view of the bytes that were read; undefined when the packet has none. */
  readonly payload: Buffer | undefined;
}

const ERROR_BIT = 0x80;
const SCRAMBLING_BITS = 0xc0;
const FLAGS_BYTES = 1;
const PCR_BYTES = 6;
/** Flags of fields that are not read. */
const OTHER_FIELDS = 0x0f;

/** @throws SrsError HlsDecode when the packet is damaged, scrambled or against the standard */
export function readTsPacket(bytes: Buffer, at: number): TsPacket {
  const first = bytes[at + 1]!;
  const control = bytes[at + 3]!;
  if (bytes[at] !== TS_SYNC_BYTE) throw wrong(`sync byte ${bytes[at]} must be ${TS_SYNC_BYTE}`);
  if ((first & ERROR_BIT) !== 0) throw wrong('transport error indicator must be 0');
  if ((control & SCRAMBLING_BITS) !== 0) throw wrong('scrambling control must be 0');
  const hasField = (control & TS_HAS_FIELD) !== 0;
  const hasPayload = (control & TS_HAS_PAYLOAD) !== 0;
  if (!hasField && !hasPayload) throw wrong('adaptation field control must be 1..3');
  const fieldBytes = hasField ? 1 + bytes[at + TS_HEADER_BYTES]! : 0;
  if (hasPayload ? fieldBytes >= TS_BODY_BYTES : fieldBytes !== TS_BODY_BYTES) {
    throw wrong(`adaptation field of ${fieldBytes} bytes ${hasPayload ? 'leaves no payload' : `must be ${TS_BODY_BYTES}`}`);
  }
  const field = readField(bytes, at + TS_HEADER_BYTES + 1, fieldBytes - 1);
  return {
    pid: ((first & 0x1f) << 8) | bytes[at + 2]!,
    counter: control & 0x0f,
    isUnitStart: (first & TS_UNIT_START) !== 0,
    isDiscontinuity: (field.flags & fieldFlags.discontinuity) !== 0,
    isRandomAccess: (field.flags & fieldFlags.randomAccess) !== 0,
    pcr: field.pcr,
    payload: hasPayload ? bytes.subarray(at + TS_HEADER_BYTES + fieldBytes, at + TS_PACKET_BYTES) : undefined,
  };
}

function readField(bytes: Buffer, at: number, length: number): { flags: number; pcr: number | undefined } {
  if (length <= 0) return { flags: 0, pcr: undefined };
  const flags = bytes[at]!;
  const hasPcr = (flags & fieldFlags.pcr) !== 0;
  const known = FLAGS_BYTES + (hasPcr ? PCR_BYTES : 0);
  if (known > length) throw wrong(`adaptation field of ${length} bytes ends within its clock reference`);
  const pcrAt = at + FLAGS_BYTES;
  const pcr = hasPcr ? bytes.readUInt32BE(pcrAt) * 2 + (bytes[pcrAt + 4]! >>> 7) : undefined;
  if ((flags & OTHER_FIELDS) === 0 && bytes.subarray(at + known, at + length).some((byte) => byte !== 0xff)) {
    throw wrong('adaptation field must be stuffed with ff');
  }
  return { flags, pcr };
}

function wrong(what: string): SrsError {
  return new SrsError('HlsDecode', `ts ${what}`);
}
