/**
 * Transport stream packets (ISO/IEC 13818-1, 2.4.3), written in runs.
 *
 * ```
 * 47 | error:1 start:1 priority:1 pid:13 | scrambling:2 hasField:1 hasPayload:1 counter:4 | [field] | payload        188 bytes
 * field: length:8 | discontinuity:1 randomAccess:1 0 hasPcr:1 0000 | [base:33 111111 extension:9] | stuffing ff...
 * ```
 *
 * A field of one byte is its length of 0, and stuffs one byte.
 */
import { wrap33 } from './clock-90k.ts';

export const TS_PACKET_BYTES = 188;
export const TS_HEADER_BYTES = 4;
export const TS_SYNC_BYTE = 0x47;
export const TS_UNIT_START = 0x40;
export const TS_HAS_FIELD = 0x20;
export const TS_HAS_PAYLOAD = 0x10;
/** What a packet holds besides its header. */
export const TS_BODY_BYTES = TS_PACKET_BYTES - TS_HEADER_BYTES;

/** Bits of the flags in an adaptation field. */
export const fieldFlags = { discontinuity: 0x80, randomAccess: 0x40, pcr: 0x10 } as const;

const LENGTH_AND_FLAGS_BYTES = 2;
const PCR_BYTES = 6;

/** The bytes that an adaptation field with these flags needs; none without flags. */
function fieldBytes(flags: number): number {
  if (flags === 0) return 0;
  return LENGTH_AND_FLAGS_BYTES + ((flags & fieldFlags.pcr) === 0 ? 0 : PCR_BYTES);
}

/** How many packets a unit fills whose first packet has these flags. */
export function packetsOfUnit(unitBytes: number, flags: number): number {
  return Math.ceil((unitBytes + fieldBytes(flags)) / TS_BODY_BYTES);
}

/**
 * Spreads a unit over packets, in place: on entry it stands in the last `unitBytes` bytes of the run, and each packet takes its
 * part from there. No part moves towards the end, so none is overwritten before it is taken.
 *
 * Hot path: no allocation.
 *
 * @param start of the run in `target`; it has `packetsOfUnit(unitBytes, flags)` packets
 * @param counter of the first packet
 * @param flags of the adaptation field in the first packet
 * @param pcr the program clock reference there, in ticks; only looked at when the flags have it
 * @returns the counter of the packet that comes next
 */
export function spreadUnit(
  target: Buffer,
  start: number,
  unitBytes: number,
  pid: number,
  counter: number,
  flags: number,
  pcr: number,
): number {
  const end = start + packetsOfUnit(unitBytes, flags) * TS_PACKET_BYTES;
  let source = end - unitBytes;
  let next = counter;
  for (let at = start; at < end; at += TS_PACKET_BYTES) {
    const isFirst = at === start;
    const isLast = at + TS_PACKET_BYTES === end;
    const wanted = isFirst ? fieldBytes(flags) : 0;
    const field = isLast ? TS_BODY_BYTES - (end - source) : wanted;
    target[at] = TS_SYNC_BYTE;
    target[at + 1] = (isFirst ? TS_UNIT_START : 0) | (pid >>> 8);
    target[at + 2] = pid;
    target[at + 3] = (field > 0 ? TS_HAS_FIELD | TS_HAS_PAYLOAD : TS_HAS_PAYLOAD) | next;
    if (field > 0) writeField(target, at + TS_HEADER_BYTES, field, isFirst ? flags : 0, pcr);
    const body = at + TS_HEADER_BYTES + field;
    const bytes = TS_BODY_BYTES - field;
    if (source !== body) target.copyWithin(body, source, source + bytes);
    source += bytes;
    next = (next + 1) & 0x0f;
  }
  return next;
}

/**
 * Writes a packet that holds a clock reference and nothing else.
 *
 * @param counter of the last packet with payload: packets without do not count
 */
export function writeClockPacket(target: Buffer, at: number, pid: number, counter: number, flags: number, pcr: number): void {
  target[at] = TS_SYNC_BYTE;
  target[at + 1] = pid >>> 8;
  target[at + 2] = pid;
  target[at + 3] = TS_HAS_FIELD | counter;
  writeField(target, at + TS_HEADER_BYTES, TS_BODY_BYTES, flags | fieldFlags.pcr, pcr);
}

/**
 * Writes a packet that says that the next one of its PID need not follow on the last.
 *
 * @param counter that of the packet before the next one
 */
export function writeBreakPacket(target: Buffer, at: number, pid: number, counter: number): void {
  target[at] = TS_SYNC_BYTE;
  target[at + 1] = pid >>> 8;
  target[at + 2] = pid;
  target[at + 3] = TS_HAS_FIELD | counter;
  writeField(target, at + TS_HEADER_BYTES, TS_BODY_BYTES, fieldFlags.discontinuity, 0);
}

function writeField(target: Buffer, at: number, bytes: number, flags: number, pcr: number): void {
  target[at] = bytes - 1;
  if (bytes === 1) return;
  target[at + 1] = flags;
  let next = at + LENGTH_AND_FLAGS_BYTES;
  if ((flags & fieldFlags.pcr) !== 0) {
    const base = wrap33(pcr);
    target.writeUInt32BE(Math.floor(base / 2), next);
    target[next + 4] = ((base % 2) << 7) | 0x7e;
    target[next + 5] = 0;
    next += PCR_BYTES;
  }
  target.fill(0xff, next, at + bytes);
}
