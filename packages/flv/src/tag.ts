/**
 * The layout of an FLV file (Adobe FLV 10.1, annex E), written.
 *
 * ```
 * header:  'F' 'L' 'V' version=1 | flags: 00000 audio 0 video | headerBytes:32 (9)
 * body:    previousTagSize:32 (0) | tag | previousTagSize:32 | tag | ...
 * tag:     00 filter type:5 | payloadBytes:24 | timestamp:24 | timestamp bits 24-31:8 | streamId:24 (0) | payload
 * ```
 */
import { SrsError } from '@srs/kernel';

export const FLV_HEADER_BYTES = 9;
export const FLV_TAG_HEADER_BYTES = 11;
export const PREVIOUS_TAG_SIZE_BYTES = 4;
/** What the 24 bits of a tag's size can say. */
export const MAX_FLV_PAYLOAD_BYTES = 0xffffff;

const FLV_VERSION = 1;
const HAS_AUDIO_FLAG = 0x04;
const HAS_VIDEO_FLAG = 0x01;

/** Which tracks a file has. Players such as mpegts.js wait for every track that is announced: say the truth. */
export interface FlvHeader {
  readonly hasAudio: boolean;
  readonly hasVideo: boolean;
}

/** The file header and the PreviousTagSize of 0 that follows it: 13 new bytes, tags come next. */
export function encodeFlvHeader(header: FlvHeader): Buffer {
  const bytes = Buffer.alloc(FLV_HEADER_BYTES + PREVIOUS_TAG_SIZE_BYTES);
  bytes.write('FLV', 'latin1');
  bytes[3] = FLV_VERSION;
  bytes[4] = (header.hasAudio ? HAS_AUDIO_FLAG : 0) | (header.hasVideo ? HAS_VIDEO_FLAG : 0);
  bytes.writeUInt32BE(FLV_HEADER_BYTES, 5);
  return bytes;
}

/** The bytes of a tag with its PreviousTagSize. */
export function flvTagBytes(payloadBytes: number): number {
  return FLV_TAG_HEADER_BYTES + payloadBytes + PREVIOUS_TAG_SIZE_BYTES;
}

/**
 * Writes a tag's head of 11 bytes.
 *
 * Hot path: no allocation.
 *
 * @param timestampMs its low 32 bits are written
 * @returns the offset behind the head
 * @throws SrsError FlvTag for a payload above 16,777,215 bytes
 */
export function writeFlvTagHeader(
  target: Buffer,
  offset: number,
  type: number,
  timestampMs: number,
  payloadBytes: number,
): number {
  if (payloadBytes > MAX_FLV_PAYLOAD_BYTES) {
    throw new SrsError('FlvTag', `flv tag of ${payloadBytes} bytes must be at most ${MAX_FLV_PAYLOAD_BYTES}`);
  }
  target[offset] = type;
  target[offset + 1] = payloadBytes >>> 16;
  target[offset + 2] = payloadBytes >>> 8;
  target[offset + 3] = payloadBytes;
  target[offset + 4] = timestampMs >>> 16;
  target[offset + 5] = timestampMs >>> 8;
  target[offset + 6] = timestampMs;
  target[offset + 7] = timestampMs >>> 24;
  target[offset + 8] = 0;
  target[offset + 9] = 0;
  target[offset + 10] = 0;
  return offset + FLV_TAG_HEADER_BYTES;
}

/**
 * Writes a tag: head, payload, PreviousTagSize. `target` must have `flvTagBytes(payload.length)` bytes from `offset`.
 *
 * Hot path: no allocation.
 *
 * @param type 8 audio, 9 video, 18 data
 * @param timestampMs its low 32 bits are written
 * @returns the offset behind the tag
 * @throws SrsError FlvTag for a payload above 16,777,215 bytes or a target that is too small
 */
export function writeFlvTag(target: Buffer, offset: number, type: number, timestampMs: number, payload: Uint8Array): number {
  const payloadBytes = payload.length;
  if (target.length - offset < flvTagBytes(payloadBytes)) {
    throw new SrsError('FlvTag', `flv tag needs ${flvTagBytes(payloadBytes)} bytes, ${target.length - offset} are left`);
  }
  const payloadOffset = writeFlvTagHeader(target, offset, type, timestampMs, payloadBytes);
  target.set(payload, payloadOffset);
  const tagBytes = FLV_TAG_HEADER_BYTES + payloadBytes;
  const end = payloadOffset + payloadBytes;
  target[end] = tagBytes >>> 24;
  target[end + 1] = tagBytes >>> 16;
  target[end + 2] = tagBytes >>> 8;
  target[end + 3] = tagBytes;
  return end + PREVIOUS_TAG_SIZE_BYTES;
}

/** One tag with its PreviousTagSize, in a new buffer. For single tags: a batch calls `writeFlvTag`. */
export function encodeFlvTag(type: number, timestampMs: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(flvTagBytes(payload.length));
  writeFlvTag(bytes, 0, type, timestampMs, payload);
  return bytes;
}

/** The head of a tag. */
export interface FlvTagHeader {
  /** 8 audio, 9 video, 18 data; other numbers are reserved. */
  readonly type: number;
  /** The payload went through a filter (encryption) and is not what `type` says. */
  readonly isFiltered: boolean;
  readonly payloadBytes: number;
  /** All 32 bits, unsigned: 0..2^32-1. */
  readonly timestampMs: number;
}

/** Reads the 11 bytes of a tag's head at `offset`, which the caller has checked to be there. */
export function decodeFlvTagHeader(bytes: Buffer, offset: number): FlvTagHeader {
  const first = bytes[offset]!;
  return {
    type: first & 0x1f,
    isFiltered: (first & 0x20) !== 0,
    payloadBytes: bytes.readUIntBE(offset + 1, 3),
    timestampMs: bytes.readUIntBE(offset + 4, 3) + bytes[offset + 7]! * 0x1000000,
  };
}

/**
 * Reads the 9 bytes of a file header.
 *
 * @returns what the file says it has, and how many bytes its header takes (9 or more)
 * @throws SrsError FlvHeader when this is no FLV of version 1
 */
export function decodeFlvHeader(bytes: Buffer): FlvHeader & { readonly headerBytes: number } {
  if (bytes.length < FLV_HEADER_BYTES) {
    throw new SrsError('FlvHeader', `flv header of ${bytes.length} bytes must have ${FLV_HEADER_BYTES}`);
  }
  const signature = bytes.toString('latin1', 0, 3);
  if (signature !== 'FLV') throw new SrsError('FlvHeader', `flv signature ${JSON.stringify(signature)} must be "FLV"`);
  const version = bytes[3]!;
  if (version !== FLV_VERSION) throw new SrsError('FlvHeader', `flv version ${version} must be ${FLV_VERSION}`);
  const headerBytes = bytes.readUInt32BE(5);
  if (headerBytes < FLV_HEADER_BYTES || headerBytes > MAX_FLV_HEADER_BYTES) {
    throw new SrsError('FlvHeader', `flv header size ${headerBytes} must be ${FLV_HEADER_BYTES}..${MAX_FLV_HEADER_BYTES}`);
  }
  const flags = bytes[4]!;
  return { hasAudio: (flags & HAS_AUDIO_FLAG) !== 0, hasVideo: (flags & HAS_VIDEO_FLAG) !== 0, headerBytes };
}

/** No version has a header of more than 9 bytes; what a later one may add is skipped up to here. */
const MAX_FLV_HEADER_BYTES = 1024;
