/**
 * The head of a packetized elementary stream packet (ISO/IEC 13818-1, 2.4.3.6).
 *
 * ```
 * 000001 streamId | bytes that follow:16 | 10 000000 | hasPts:1 hasDts:1 000000 | head bytes that follow:8 | PTS:40 | [DTS:40]
 * PTS, DTS: mark:4 bits 32-30 1 | bits 29-15 1 | bits 14-0 1
 * ```
 */
import { wrap33 } from './clock-90k.ts';

/** Of the first stream of its kind. */
export const pesStreamIds = { audio: 0xc0, video: 0xe0 } as const;

export const PES_FIXED_BYTES = 9;
export const PES_TIME_BYTES = 5;
/** What stands in front of the bytes that are counted. */
export const PES_UNCOUNTED_BYTES = 6;
const MAX_PES_COUNTED_BYTES = 0xffff;
/** What a packet with a PTS alone can hold when its length must be told, as it must for sound. */
export const MAX_COUNTED_PAYLOAD_BYTES = MAX_PES_COUNTED_BYTES + PES_UNCOUNTED_BYTES - PES_FIXED_BYTES - PES_TIME_BYTES;

export const pesTimeFlags = { pts: 0x80, ptsAndDts: 0xc0 } as const;
const timeMarks = { ptsAlone: 0x2, ptsBeforeDts: 0x3, dts: 0x1 } as const;

const MARKER_AND_NO_FLAGS = 0x80;
const LOW_BITS = 2 ** 30;

/** The bytes of the head; a DTS is written only when it differs from the PTS. */
export function pesHeadBytes(pts: number, dts: number): number {
  return PES_FIXED_BYTES + (pts === dts ? PES_TIME_BYTES : 2 * PES_TIME_BYTES);
}

/**
 * Writes the head. A length that 16 bits do not hold is told as 0, which only video may have.
 *
 * Hot path: no allocation.
 *
 * @param pts,dts ticks; their 33 bits are written
 * @returns the offset behind the head
 */
export function writePesHead(
  target: Buffer,
  at: number,
  streamId: number,
  pts: number,
  dts: number,
  payloadBytes: number,
): number {
  const headBytes = pesHeadBytes(pts, dts);
  const counted = headBytes - PES_UNCOUNTED_BYTES + payloadBytes;
  const told = counted > MAX_PES_COUNTED_BYTES ? 0 : counted;
  target[at] = 0;
  target[at + 1] = 0;
  target[at + 2] = 1;
  target[at + 3] = streamId;
  target[at + 4] = told >>> 8;
  target[at + 5] = told;
  target[at + 6] = MARKER_AND_NO_FLAGS;
  target[at + 7] = pts === dts ? pesTimeFlags.pts : pesTimeFlags.ptsAndDts;
  target[at + 8] = headBytes - PES_FIXED_BYTES;
  if (pts === dts) {
    writeTime(target, at + PES_FIXED_BYTES, timeMarks.ptsAlone, pts);
  } else {
    writeTime(target, at + PES_FIXED_BYTES, timeMarks.ptsBeforeDts, pts);
    writeTime(target, at + PES_FIXED_BYTES + PES_TIME_BYTES, timeMarks.dts, dts);
  }
  return at + headBytes;
}

function writeTime(target: Buffer, at: number, mark: number, ticks: number): void {
  const wrapped = wrap33(ticks);
  const low = wrapped % LOW_BITS;
  target[at] = (mark << 4) | (Math.floor(wrapped / LOW_BITS) << 1) | 1;
  target[at + 1] = low >>> 22;
  target[at + 2] = (low >>> 14) | 1;
  target[at + 3] = low >>> 7;
  target[at + 4] = (low << 1) | 1;
}
