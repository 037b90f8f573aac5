/** The stamp that a publisher puts into each H.264 picture, so that players see what is missing, late or damaged. */
import { crc32 } from 'node:zlib';

/*
 * A NAL unit of its own, first in the access unit: supplemental information of type "user data unregistered" (H.264 D.1.7), which
 * every decoder passes over. All of it is text or has no zero byte, so there is nothing to escape.
 *
 *   +--------+--------+------+------+---------------+--------+----------+------+-------+------+
 *   | NAL    | 06     | 05   | 32   | identifier    | stream | sequence | time | CRC   | 80   |
 *   | length | SEI    | type | size | 16            | 4      | 8        | 14   | 8     |      |
 *   +--------+--------+------+------+---------------+--------+----------+------+-------+------+
 *                                                    hexadecimal digits
 */
const IDENTIFIER = Buffer.from('b7a94f1e5c33482d9e618a1f7d24c05b', 'hex');
const STREAM_DIGITS = 4;
const SEQUENCE_DIGITS = 8;
const TIME_DIGITS = 14;
const CRC_DIGITS = 8;
const SEI_HEAD_BYTES = 3;
const SEI_NAL_TYPE = 6;
const USER_DATA_UNREGISTERED = 5;
const STOP_BIT = 0x80;
const TEXT_BYTES = STREAM_DIGITS + SEQUENCE_DIGITS + TIME_DIGITS + CRC_DIGITS;
const SEI_PAYLOAD_BYTES = IDENTIFIER.length + TEXT_BYTES;

/** Without the length in front. */
export const STAMP_NAL_BYTES = SEI_HEAD_BYTES + SEI_PAYLOAD_BYTES + 1;
/** FLV video tag head: frame type and codec, packet type, composition time. */
export const VIDEO_HEAD_BYTES = 5;
/** Streams are numbered in four digits. */
export const MAX_STAMPED_STREAMS = 16 ** STREAM_DIGITS;
const AVC_FRAMES = 1;
const AVC_CODEC_ID = 7;
const KEY_FRAME = 1;
const NO_DIGIT = 0xff;

const digits = Buffer.from('0123456789abcdef');
const digitValues = new Uint8Array(256).fill(NO_DIGIT);
digits.forEach((code, value) => {
  digitValues[code] = value;
});

/** What a stamp says, as one object that is filled again and again. */
export class Stamp {
  stream = 0;
  /** Pictures of this publish before this one; 32 bits. */
  sequence = 0;
  /** When it was sent: microseconds since 1970. */
  timeUs = 0;
  crc = 0;
  isKeyFrame = false;

  /**
   * Hot path. Reads the stamp of a video payload, or of its first bytes.
   *
   * @returns false when there is none; the fields are undefined then
   */
  read(payload: Uint8Array, start: number, length: number): boolean {
    if (length < VIDEO_HEAD_BYTES + 1 + STAMP_NAL_BYTES) return false;
    const head = payload[start]!;
    if ((head & 0x8f) !== AVC_CODEC_ID || payload[start + 1] !== AVC_FRAMES) return false;
    const at = findIdentifier(payload, start + VIDEO_HEAD_BYTES);
    if (at < 0 || at + IDENTIFIER.length + TEXT_BYTES > start + length) return false;
    let text = at + IDENTIFIER.length;
    this.stream = readDigits(payload, text, STREAM_DIGITS);
    text += STREAM_DIGITS;
    this.sequence = readDigits(payload, text, SEQUENCE_DIGITS);
    text += SEQUENCE_DIGITS;
    this.timeUs = readDigits(payload, text, TIME_DIGITS);
    text += TIME_DIGITS;
    this.crc = readDigits(payload, text, CRC_DIGITS);
    this.isKeyFrame = head >> 4 === KEY_FRAME;
    return this.stream >= 0 && this.sequence >= 0 && this.timeUs >= 0 && this.crc >= 0;
  }
}

/** Where the identifier stands behind a NAL length of 4, 2 or 1 bytes; -1 when it is at none of these places. */
function findIdentifier(payload: Uint8Array, start: number): number {
  for (let lengthBytes = 4; lengthBytes >= 1; lengthBytes >>= 1) {
    const at = start + lengthBytes + SEI_HEAD_BYTES;
    if (payload[at] === IDENTIFIER[0] && payload[at + 1] === IDENTIFIER[1] && hasIdentifier(payload, at)) return at;
  }
  return -1;
}

function hasIdentifier(payload: Uint8Array, at: number): boolean {
  for (let i = 2; i < IDENTIFIER.length; i++) if (payload[at + i] !== IDENTIFIER[i]) return false;
  return true;
}

/** @returns a negative number when one of them is no digit */
function readDigits(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const digit = digitValues[bytes[i]!]!;
    if (digit === NO_DIGIT) return -1;
    value = value * 16 + digit;
  }
  return value;
}

function writeDigits(bytes: Uint8Array, at: number, count: number, value: number): void {
  let rest = value;
  for (let i = at + count - 1; i >= at; i--) {
    const next = Math.floor(rest / 16);
    bytes[i] = digits[rest - next * 16]!;
    rest = next;
  }
}

/** The NAL unit of a stamp with its length in front and all digits 0. */
export function blankStamp(nalLengthBytes: number): Buffer {
  const nal = Buffer.alloc(nalLengthBytes + STAMP_NAL_BYTES, '0');
  nal.writeUIntBE(STAMP_NAL_BYTES, 0, nalLengthBytes);
  nal[nalLengthBytes] = SEI_NAL_TYPE;
  nal[nalLengthBytes + 1] = USER_DATA_UNREGISTERED;
  nal[nalLengthBytes + 2] = SEI_PAYLOAD_BYTES;
  IDENTIFIER.copy(nal, nalLengthBytes + SEI_HEAD_BYTES);
  nal[nal.length - 1] = STOP_BIT;
  return nal;
}

/** Hot path. Fills in the stamp of a video payload that has a blank or old one. */
export function writeStamp(payload: Buffer, nalLengthBytes: number, stream: number, sequence: number, timeUs: number): void {
  let at = textOffset(nalLengthBytes);
  writeDigits(payload, at, STREAM_DIGITS, stream);
  at += STREAM_DIGITS;
  writeDigits(payload, at, SEQUENCE_DIGITS, sequence);
  at += SEQUENCE_DIGITS;
  writeDigits(payload, at, TIME_DIGITS, timeUs);
  at += TIME_DIGITS;
  writeDigits(payload, at, CRC_DIGITS, checksumOf(payload, nalLengthBytes));
}

/** The CRC of all bytes of a stamped video payload but the digits of the CRC itself. */
export function checksumOf(payload: Buffer, nalLengthBytes: number): number {
  const at = textOffset(nalLengthBytes) + TEXT_BYTES - CRC_DIGITS;
  return crc32(payload.subarray(at + CRC_DIGITS), crc32(payload.subarray(0, at)));
}

function textOffset(nalLengthBytes: number): number {
  return VIDEO_HEAD_BYTES + nalLengthBytes + SEI_HEAD_BYTES + IDENTIFIER.length;
}
