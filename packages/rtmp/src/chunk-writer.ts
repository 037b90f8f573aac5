/** Writes messages as chunks, the way SRS does: fmt 0 with the absolute timestamp, then fmt 3. */
import { SrsError, TIMESTAMP_MASK } from '@srs/kernel';
import {
  basicHeaderBytes,
  EXTENDED_TIMESTAMP,
  EXTENDED_TIMESTAMP_BYTES,
  FMT_3,
  LONG_ID_BASE,
  MAX_CHUNK_SIZE,
  MAX_CHUNK_STREAM_ID,
  MAX_ONE_BYTE_ID,
  MAX_TWO_BYTE_ID,
  MAX_WIRE_MESSAGE_BYTES,
  MIN_CHUNK_STREAM_ID,
  messageHeaderBytes,
  THREE_BYTE_MARK,
  TWO_BYTE_MARK,
} from './chunk-header.ts';

/**
 * The exact size on the wire of what `writeChunks` writes.
 *
 * @param chunkStreamId only its size counts; ids up to 63 need no mention
 */
export function chunkedBytes(
  payloadLength: number,
  timestampMs: number,
  chunkSize: number,
  chunkStreamId: number = MIN_CHUNK_STREAM_ID,
): number {
  const perChunk = basicHeaderBytes(chunkStreamId) + (isExtended(timestampMs) ? EXTENDED_TIMESTAMP_BYTES : 0);
  const chunks = payloadLength <= chunkSize ? 1 : Math.ceil(payloadLength / chunkSize);
  return messageHeaderBytes[0] + chunks * perChunk + payloadLength;
}

/**
 * Hot path: no object is made for a payload that is a Buffer. Writes one message in chunks into `target`, which must have room
 * for `chunkedBytes`, and returns the offset behind it. An extended timestamp (from 0xFFFFFF ms on) is repeated in every chunk.
 *
 * @param chunkStreamId 2..65599
 * @param timestampMs masked to 31 bits
 * @param chunkSize 1..0x7FFFFFFF, as last announced to the peer by Set Chunk Size
 * @throws SrsError RtmpMessageEncode when an argument does not fit its field or `target` is too small
 */
export function writeChunks(
  target: Buffer,
  offset: number,
  chunkStreamId: number,
  type: number,
  timestampMs: number,
  messageStreamId: number,
  payload: Uint8Array,
  chunkSize: number,
): number {
  assertWritable(target, offset, chunkStreamId, timestampMs, payload, chunkSize);
  const source = Buffer.isBuffer(payload) ? payload : Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  const length = source.length;
  const timestamp = timestampMs & TIMESTAMP_MASK;
  const extended = isExtended(timestampMs);

  let at = writeBasicHeader(target, offset, 0, chunkStreamId);
  at = target.writeUIntBE(extended ? EXTENDED_TIMESTAMP : timestamp, at, 3);
  at = target.writeUIntBE(length, at, 3);
  at = target.writeUInt8(type, at);
  at = target.writeUInt32LE(messageStreamId, at);
  if (extended) at = target.writeUInt32BE(timestamp, at);
  let sent = Math.min(chunkSize, length);
  source.copy(target, at, 0, sent);
  at += sent;

  while (sent < length) {
    at = writeBasicHeader(target, at, FMT_3, chunkStreamId);
    if (extended) at = target.writeUInt32BE(timestamp, at);
    const size = Math.min(chunkSize, length - sent);
    source.copy(target, at, sent, sent + size);
    at += size;
    sent += size;
  }
  return at;
}

/** One message in chunks, in a buffer of its own that belongs to the caller. Arguments and errors as for `writeChunks`. */
export function encodeMessage(
  chunkStreamId: number,
  type: number,
  timestampMs: number,
  messageStreamId: number,
  payload: Uint8Array,
  chunkSize: number,
): Buffer {
  const target = Buffer.allocUnsafe(chunkedBytes(payload.length, timestampMs, chunkSize, chunkStreamId));
  writeChunks(target, 0, chunkStreamId, type, timestampMs, messageStreamId, payload, chunkSize);
  return target;
}

function isExtended(timestampMs: number): boolean {
  return (timestampMs & TIMESTAMP_MASK) >= EXTENDED_TIMESTAMP;
}

function writeBasicHeader(target: Buffer, at: number, fmt: number, chunkStreamId: number): number {
  if (chunkStreamId <= MAX_ONE_BYTE_ID) return target.writeUInt8(fmt | chunkStreamId, at);
  if (chunkStreamId <= MAX_TWO_BYTE_ID) {
    return target.writeUInt8(chunkStreamId - LONG_ID_BASE, target.writeUInt8(fmt | TWO_BYTE_MARK, at));
  }
  return target.writeUInt16LE(chunkStreamId - LONG_ID_BASE, target.writeUInt8(fmt | THREE_BYTE_MARK, at));
}

function assertWritable(
  target: Buffer,
  offset: number,
  chunkStreamId: number,
  timestampMs: number,
  payload: Uint8Array,
  chunkSize: number,
): void {
  if (!(chunkStreamId >= MIN_CHUNK_STREAM_ID && chunkStreamId <= MAX_CHUNK_STREAM_ID)) {
    throw encodeError('chunk stream id', chunkStreamId, `${MIN_CHUNK_STREAM_ID}..${MAX_CHUNK_STREAM_ID}`);
  }
  if (!(chunkSize >= 1 && chunkSize <= MAX_CHUNK_SIZE)) throw encodeError('chunk size', chunkSize, `1..${MAX_CHUNK_SIZE}`);
  if (payload.length > MAX_WIRE_MESSAGE_BYTES) {
    throw encodeError('message length', payload.length, `0..${MAX_WIRE_MESSAGE_BYTES}`);
  }
  const needed = chunkedBytes(payload.length, timestampMs, chunkSize, chunkStreamId);
  if (target.length - offset < needed) throw encodeError('room for chunks', target.length - offset, `at least ${needed}`);
}

function encodeError(thing: string, value: number, limit: string): SrsError {
  return new SrsError('RtmpMessageEncode', `${thing} ${value} must be ${limit}`);
}
